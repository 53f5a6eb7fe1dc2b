"""Training examples: questions of several SQuAD files, with a part of the contexts held out.

A hash of the normalised text decides whether a context is held out, so the same text is on the same side in every file.
The held-out part is used only to fit thresholds and calibration.
"""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from qa.evaluation.datasets import Dataset
from qa.evaluation.squad import load_squad
from qa.types import Span

HELD_OUT_PERCENT = 5
# No article has more contexts than this. A title with more belongs to a collection and does not describe one context.
_MAX_CONTEXTS_PER_ARTICLE = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A SQuAD file and which of its questions to use.

    Attributes:
        file: path of the file, relative to the data folder.
        limit: maximum number of questions; None for all.
        answerable: True for answerable questions only, False for unanswerable ones only, None for both.
        titled: whether contexts may be read below the title of their article; see `titled_share` of the recipes.
        documents: folder of the files that the articles name, relative to the data folder; None if the contexts are
            passages. The reader then learns from the passages of the extracted files.
        passes: passes over the questions on documents, each with other passages. Other files are used once.
    """

    file: str
    limit: Annotated[int, Field(ge=1)] | None = None
    answerable: bool | None = None
    titled: bool = False
    documents: str | None = None
    passes: Annotated[float, Field(gt=0)] = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """A question with one context.

    Attributes:
        question: text of the question.
        context: text to read.
        answer: span of the answer in the context; None if the context does not contain it.
        title: title of the article that the context is from.
    """

    question: str
    context: str
    answer: Span | None
    title: str | None = None


def normalise(text: str) -> str:
    """Return the text's letters and digits in lower case with single spaces: equal for equal content."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def is_held_out(context: str, percent: int = HELD_OUT_PERCENT) -> bool:
    """Return whether a context belongs to the held-out part."""
    digest = hashlib.sha256(normalise(context).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < percent


def split(dataset: Dataset, percent: int = HELD_OUT_PERCENT) -> tuple[Dataset, Dataset]:
    """Split a data set into the part to train on and the held-out part."""
    held_out = [is_held_out(context, percent) for context in dataset.contexts]
    return (
        replace(dataset, questions=tuple(q for q in dataset.questions if not held_out[q.context])),
        replace(dataset, questions=tuple(q for q in dataset.questions if held_out[q.context])),
    )


def load_training_examples(
    folder: Path, sources: Sequence[Source], excluded: str, seed: int, percent: int = HELD_OUT_PERCENT
) -> list[Example]:
    """Load the training part of the sources.

    Questions whose answer starts or ends inside a word are skipped.

    Args:
        folder: folder of the files.
        sources: files, and which of their questions to use.
        excluded: normalised text of the contexts that must not be trained on: the held-out ones and those of the
            evaluation sets. A context that occurs in it is skipped.
        seed: decides which questions a limit keeps.
        percent: percentage of the contexts that are held out.
    """
    examples: list[Example] = []
    for source in sources:
        dataset, _ = split(load_squad(folder / source.file), percent)
        clean = [normalise(context) not in excluded for context in dataset.contexts]
        titles = article_titles(dataset) if source.titled else {}
        usable = [
            Example(q.text, context, q.answers[0] if q.answers else None, titles.get(context))
            for q in dataset.questions
            for context in (dataset.contexts[q.context],)
            if source.answerable in (None, bool(q.answers))
            and clean[q.context]
            and all(span.is_of_whole_words(context) for span in q.answers[:1])
        ]
        random.Random(f"{seed}:{source.file}").shuffle(usable)
        examples.extend(usable[: source.limit])
    return examples


def article_titles(dataset: Dataset) -> dict[str, str]:
    """Return the title of each context that is from an article; contexts of a collection have none."""
    count = Counter(dataset.titles.values())
    return {context: title for context, title in dataset.titles.items() if count[title] <= _MAX_CONTEXTS_PER_ARTICLE}


def load_excluded_text(
    folder: Path, sources: Iterable[Source], measured_with: Iterable[Path], percent: int = HELD_OUT_PERCENT
) -> str:
    """Return the normalised text of every held-out context and of every context of the evaluation sets.

    The file of a document decides whether it is held out, and not its text; see `is_held_out_file`.
    """
    contexts: set[str] = set()
    for source in sources:
        if source.documents is None:
            contexts.update(c for c in load_squad(folder / source.file).contexts if is_held_out(c, percent))
    for path in measured_with:
        contexts.update(load_squad(path).contexts)
    return "\n".join(sorted(normalise(context) for context in contexts))
