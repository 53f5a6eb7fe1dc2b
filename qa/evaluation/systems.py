"""The interface of systems to evaluate: each returns an outcome for every question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Protocol

from qa.errors import InvalidInput
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Outcome
from qa.validation import check_question

# Deep enough for recall@20 even if several passages of one document rank high.
RANKED_PASSAGES = 60
CANDIDATES = 5

Progress = Callable[[int], None]


class Mode(StrEnum):
    """What to evaluate."""

    END_TO_END = "end-to-end"
    WITHIN_DOCUMENT = "within-document"
    EVIDENCE = "evidence"
    READER = "reader"
    RETRIEVAL = "retrieval"
    RERANKED = "reranked"

    @property
    def gives_answers(self) -> bool:
        """Whether answers are scored, instead of rankings alone."""
        return self in (Mode.END_TO_END, Mode.WITHIN_DOCUMENT, Mode.READER)

    @property
    def scores_results(self) -> bool:
        """Whether all that a result shows is scored, where a data set has documents."""
        return self in (Mode.END_TO_END, Mode.WITHIN_DOCUMENT, Mode.EVIDENCE)

    @property
    def ranks(self) -> bool:
        """Whether rankings alone are scored."""
        return self in (Mode.RETRIEVAL, Mode.RERANKED)

    @property
    def names_document(self) -> bool:
        """Whether each question is asked with a filter on its own document."""
        return self in (Mode.WITHIN_DOCUMENT, Mode.EVIDENCE)


class System(Protocol):
    """Something that answers a data set's questions."""

    description: Mapping[str, object]
    """The `model` and `index` of the system, as far as it reports them."""

    fingerprint: str
    """Differs between systems whose outcomes may differ."""

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield the outcome of each question, in the order of the questions.

        Args:
            questions: the questions to ask.
            timed: ids of the questions to time; a system that asks in batches asks these again alone.
        """
        ...


def sample(dataset: Dataset, mode: Mode, limit: int | None) -> Dataset:
    """Return the data set with the questions that a mode asks: at most `limit`, evenly spaced; all contexts are kept.

    Questions that only evidence answers are not asked where short answers are scored, and others without labelled
    evidence are not asked for evidence.
    """
    if mode.gives_answers:
        dataset = replace(dataset, questions=tuple(q for q in dataset.questions if q.answers or not q.evidence))
    elif mode is Mode.EVIDENCE:
        dataset = replace(dataset, questions=tuple(q for q in dataset.questions if q.evidence or not q.answers))
    return dataset.head(limit)


def is_askable(question: LabelledQuestion) -> bool:
    """Return whether a question is within the limits of the service."""
    try:
        check_question(question.text)
    except InvalidInput:
        return False
    return True


class MatchedDocuments:
    """The documents of an index, matched by equal text to the contexts of a data set.

    Attributes:
        positions: position of the context by document id; None where a document is not a context.
        missing: number of contexts that the index does not contain.
    """

    def __init__(self, texts: Mapping[str, str], dataset: Dataset) -> None:
        """Match the document texts, given by document id, to the contexts."""
        position_of = {context: position for position, context in enumerate(dataset.contexts)}
        self.positions = {id: position_of.get(text) for id, text in texts.items()}
        matched = {position for position in self.positions.values() if position is not None}
        self.missing = len(position_of) - len(matched)
        self._has_contexts = bool(matched)

    def at(self, context: int) -> list[str]:
        """Return the ids of the documents that are a context; several if the index contains copies."""
        return [id for id, position in self.positions.items() if position == context]

    def __repr__(self) -> str:
        return repr(sorted(self.positions.items()))

    def contexts(self, documents: Iterable[str]) -> tuple[int, ...] | None:
        """Return the context positions of ranked documents; None if the index contains no context at all.

        A document that is not a context keeps its rank, as a negative position.
        """
        if not self._has_contexts:
            return None
        ranked = (self.positions.get(id) for id in dict.fromkeys(documents))
        return tuple(dict.fromkeys(-1 - rank if position is None else position for rank, position in enumerate(ranked)))
