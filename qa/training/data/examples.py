"""What the reader learns from: questions of several data sets, with a part held out.

The held-out part is a share of the contexts, chosen by a hash of their normalised text, so that the same text is on the
same side in every file. Thresholds and calibration are fitted on it, and nothing else is.
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
# A title with more contexts than an article has stands for a collection, and tells nothing of them.
_CONTEXTS_OF_AN_ARTICLE = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A SQuAD file, and what to take of it.

    Attributes:
        file: its name.
        limit: how many of its questions at most.
        answerable: only those with an answer, or only those without; None for both.
        titled: its contexts may be read under their articles' titles; see `titled_share` of the recipes.
    """

    file: str
    limit: Annotated[int, Field(ge=1)] | None = None
    answerable: bool | None = None
    titled: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A question with one context; no answer means that the context does not hold it.

    `title` is that of the article which the context is from. `contrasted` tells whether its context was asked what it
    does not answer, too: True or False in a file that has such questions, None in others, and for questions that were
    altered or are asked of another context.
    """

    question: str
    context: str
    answer: Span | None
    title: str | None = None
    contrasted: bool | None = None


def normalised(text: str) -> str:
    """Return the text's letters and digits, lower-cased, with single spaces: equal for equal content."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower()))


def is_held_out(context: str, percent: int = HELD_OUT_PERCENT) -> bool:
    """Tell whether a context belongs to the part that training never sees."""
    digest = hashlib.sha256(normalised(context).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < percent


def split(dataset: Dataset, percent: int = HELD_OUT_PERCENT) -> tuple[Dataset, Dataset]:
    """Return the part to train on and the held-out part."""
    held_out = [is_held_out(context, percent) for context in dataset.contexts]
    return (
        replace(dataset, questions=tuple(q for q in dataset.questions if not held_out[q.context])),
        replace(dataset, questions=tuple(q for q in dataset.questions if held_out[q.context])),
    )


def training_examples(
    folder: Path, sources: Sequence[Source], forbidden: str, seed: int, percent: int = HELD_OUT_PERCENT
) -> list[Example]:
    """Return the sources' training parts, whole-word answers only.

    Args:
        folder: where the files are.
        sources: what to take.
        forbidden: normalised text no context may be part of: the held-out contexts, and those of the sets that are
            measured with.
        seed: chooses which questions a limit keeps.
        percent: of the contexts that are held out.
    """
    examples: list[Example] = []
    for source in sources:
        dataset, _ = split(load_squad(folder / source.file), percent)
        clean = [normalised(context) not in forbidden for context in dataset.contexts]
        titles = article_titles(dataset) if source.titled else {}
        contrasted = {q.context for q in dataset.questions if not q.answers}
        usable = [
            Example(
                q.text,
                context,
                q.answers[0] if q.answers else None,
                titles.get(context),
                q.context in contrasted if contrasted else None,
            )
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
    """Return the titles of contexts that are from an article, and not from a collection, by context."""
    count = Counter(dataset.titles.values())
    return {context: title for context, title in dataset.titles.items() if count[title] <= _CONTEXTS_OF_AN_ARTICLE}


def forbidden_text(
    folder: Path, sources: Iterable[Source], measured_with: Iterable[Path], percent: int = HELD_OUT_PERCENT
) -> str:
    """Return the normalised text of every held-out context and of every context that is measured with."""
    contexts: set[str] = set()
    for source in sources:
        contexts.update(c for c in load_squad(folder / source.file).contexts if is_held_out(c, percent))
    for path in measured_with:
        contexts.update(load_squad(path).contexts)
    return "\n".join(sorted(normalised(context) for context in contexts))
