"""The questions that a reader is trained on: those on labelled documents, and those of plain SQuAD files."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer

from qa.evaluation.labelled_documents import LabelledDocument, load_documents
from qa.reading.passage_tokens import ReaderText
from qa.text.structure import units
from qa.training.data.examples import Example, Source, load_excluded_text, load_training_examples, normalise
from qa.training.data.negatives import mine_hard_negatives
from qa.training.data.passage_examples import PassageExample, is_held_out_file, passage_groups, weak_evidence
from qa.types import Span


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """A question with its passages.

    Attributes:
        passages: examples of the same question; the first has the answer if any of them has it.
        on_document: whether the passages are from a labelled document.
    """

    passages: tuple[PassageExample, ...]
    on_document: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How questions are chosen and combined with passages; see `ReaderRecipe` for the meaning of each setting."""

    seed: int
    held_out_percent: int
    negatives: int
    wrong_share: float
    titled_share: float


def load_questions(
    folder: Path,
    sources: Sequence[Source],
    measured_with: Sequence[Path],
    tokenizer: Tokenizer,
    sampling: Sampling,
) -> list[TrainingQuestion]:
    """Load the questions of the training part, in the order of the files; questions on documents come first.

    Args:
        folder: folder of the training files.
        sources: files, and which of their questions to use.
        measured_with: SQuAD files of the evaluation sets; their contexts are left out.
        tokenizer: the reader's tokenizer; it decides where the passages of documents end, as the embedder's does.
        sampling: how questions are chosen.

    Raises:
        DatasetError: a file cannot be read or has wrong labels.
    """
    excluded = load_excluded_text(folder, sources, measured_with, sampling.held_out_percent)
    questions: list[TrainingQuestion] = []
    for source in sources:
        if source.documents is not None:
            questions += _load_document_questions(folder, source, excluded, tokenizer, sampling)
    plain = [source for source in sources if source.documents is None]
    examples = load_training_examples(folder, plain, excluded, sampling.seed, sampling.held_out_percent)
    return [*questions, *_add_negatives(examples, sampling)]


def _load_document_questions(
    folder: Path, source: Source, excluded: str, tokenizer: Tokenizer, sampling: Sampling
) -> Iterator[TrainingQuestion]:
    assert source.documents is not None
    documents = [
        labelled
        for labelled in load_documents(folder / source.file, folder / source.documents)
        if not is_held_out_file(labelled.file, sampling.held_out_percent) and not _is_excluded(labelled, excluded)
    ]
    for number in range(math.ceil(source.passes)):
        seed = sampling.seed + number
        groups = passage_groups(documents, partial(_token_starts, tokenizer), seed, sampling.wrong_share)
        usable = [group for group in groups if source.answerable in (None, group[0].answers != ())]
        share = min(1.0, source.passes - number)
        count = min(source.limit or len(usable), round(share * len(usable)))
        for group in random.Random(f"{seed}:{source.file}").sample(usable, count):
            yield TrainingQuestion(group, on_document=True)


def _token_starts(tokenizer: Tokenizer, text: str) -> list[int]:
    return [start for start, _ in tokenizer.encode(text, add_special_tokens=False).offsets]


def _is_excluded(labelled: LabelledDocument, excluded: str) -> bool:
    return normalise(labelled.document.text) in excluded


def _add_negatives(examples: Sequence[Example], sampling: Sampling) -> Iterator[TrainingQuestion]:
    """Yield the questions on plain contexts, some with a hard negative: a high-ranked passage without the answer."""
    answerable = sum(example.answer is not None for example in examples)
    negatives = mine_hard_negatives(examples, min(sampling.negatives, answerable // 2), sampling.seed)
    chooser = random.Random(f"{sampling.seed}:titles")
    texts: dict[str, tuple[ReaderText, tuple[Span, ...]]] = {}
    for index, example in enumerate(examples):
        titled = chooser.random() < sampling.titled_share
        group = (example, *negatives.get(index, ()))
        yield TrainingQuestion(tuple(_convert(part, texts, titled=titled) for part in group), on_document=False)


def _convert(
    example: Example, texts: dict[str, tuple[ReaderText, tuple[Span, ...]]], *, titled: bool
) -> PassageExample:
    """Return a plain context as a passage; `texts` has those of earlier examples with their units."""
    if example.context not in texts:
        text = ReaderText(example.context)
        texts[example.context] = (text, tuple(units(example.context, text.structure())))
    passage, found = texts[example.context]
    answers = (example.answer,) if example.answer else ()
    title = f"{example.title}." if titled and example.title else ""
    return PassageExample(example.question, title, passage, answers, weak_evidence(found, answers))
