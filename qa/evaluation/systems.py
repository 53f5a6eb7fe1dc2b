"""What can be evaluated: anything that makes an outcome of a question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from qa.errors import InvalidInput
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Outcome
from qa.validation import check_question

# Deep enough for recall@20 where several passages of one document rank high.
RANKED_PASSAGES = 60
CANDIDATES = 5

Progress = Callable[[int], None]


class Mode(StrEnum):
    """What is evaluated."""

    END_TO_END = "end-to-end"
    READER = "reader"
    RETRIEVAL = "retrieval"
    RERANKED = "reranked"

    @property
    def gives_answers(self) -> bool:
        """Tell whether answers are scored, and not rankings alone."""
        return self in (Mode.END_TO_END, Mode.READER)


class System(Protocol):
    """Something that answers a data set's questions."""

    description: Mapping[str, object]
    """What it is made of: `model` and `index`, as far as it tells."""

    fingerprint: str
    """Differs where outcomes may differ."""

    def outcomes(self, questions: Sequence[LabelledQuestion], timed: Collection[str]) -> Iterator[Outcome]:
        """Yield what each question gave, in their order.

        Args:
            questions: all that is asked.
            timed: ids of those to time, which a system that asks several together asks once more alone.
        """
        ...


def can_be_asked(question: LabelledQuestion) -> bool:
    """Tell whether a question is within the limits of the service."""
    try:
        check_question(question.text)
    except InvalidInput:
        return False
    return True


class MatchedDocuments:
    """Which documents of an index are which contexts of a data set: those of equal text.

    Attributes:
        places: by document id, the context's place; None where a document is no context.
        missing: how many contexts are no document.
    """

    def __init__(self, texts: Mapping[str, str], dataset: Dataset) -> None:
        """Match documents by their texts, which are given by id."""
        place = {context: number for number, context in enumerate(dataset.contexts)}
        self.places = {id: place.get(text) for id, text in texts.items()}
        self.missing = len(place) - len({number for number in self.places.values() if number is not None})
        self._known = self.missing < len(place)

    def __repr__(self) -> str:
        return repr(sorted(self.places.items()))

    def contexts(self, documents: Iterable[str]) -> tuple[int, ...] | None:
        """Return the places of ranked documents' contexts, None where the index holds none of them.

        A document that is no context counts in the ranking, as a place below 0.
        """
        if not self._known:
            return None
        ranked = (self.places.get(id) for id in dict.fromkeys(documents))
        return tuple(dict.fromkeys(-1 - rank if place is None else place for rank, place in enumerate(ranked)))
