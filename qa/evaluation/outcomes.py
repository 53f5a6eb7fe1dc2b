"""What one question gave, in a form that every kind of system can fill in, and that survives as a line of JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.metrics import exact_match
from qa.types import Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer of a system.

    Attributes:
        text: verbatim.
        confidence: from 0 to 1; None where the system tells none.
        context: place of the data set's context it was found in; None where that is not known.
        span: within that context.
    """

    text: str
    confidence: float | None = None
    context: int | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system made of one question.

    Attributes:
        id: the question's.
        candidates: best first, whether given or not; empty where nothing was found or nothing was read.
        given: whether the system gave the best one.
        no_answer_score: how likely the system holds it that there is no answer; None where it does not tell.
        ranking: places of contexts by their best passage; None where the system does not tell.
        read: contexts of the passages that were read for the answer; None likewise.
        timings_ms: by stage, and in `total`.
    """

    id: str
    candidates: tuple[Candidate, ...]
    given: bool
    no_answer_score: float | None = None
    ranking: tuple[int, ...] | None = None
    read: tuple[int, ...] | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    def answer(self, *, forced: bool) -> str:
        """Return the best answer's text; "" where there is none, or it was not given and is not `forced`."""
        return self.candidates[0].text if self.candidates and (self.given or forced) else ""

    def rank(self, relevant: Collection[int]) -> int | None:
        """Return the rank, from 1, of the first relevant context; None if none is in the ranking."""
        return next((rank for rank, place in enumerate(self.ranking or (), 1) if place in relevant), None)

    @property
    def confidence(self) -> float | None:
        """That of the best answer; 0 where there is none."""
        return self.candidates[0].confidence if self.candidates else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> Outcome:
        """Read what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        candidates = tuple(
            Candidate(**{**c, "span": None if c["span"] is None else Span(**c["span"])}) for c in content["candidates"]
        )
        lists = {name: None if content[name] is None else tuple(content[name]) for name in ("ranking", "read")}
        return Outcome(**{**content, "candidates": candidates, **lists})


class Fault(StrEnum):
    """Where a wrong answer was born."""

    NOT_RETRIEVED = "not retrieved"
    NOT_READ = "not read"
    OUTRANKED = "outranked"
    WRONG_SPAN = "wrong span"
    REFUSED = "wrongly refused"
    ANSWERED = "wrongly answered"
    NO_ANSWER = "no answer found"


def fault(dataset: Dataset, question: LabelledQuestion, outcome: Outcome, *, forced: bool) -> Fault | None:
    """Tell what went wrong; None if the answer is an exact match.

    Not retrieved: no relevant context is in the ranking. Not read: one is, but too far down to be read. Outranked: a
    right answer is among the candidates, behind a wrong one. Wrong span: none is.
    """
    golds = dataset.gold_texts(question)
    if exact_match(outcome.answer(forced=forced), golds):
        return None
    if not question.answerable:
        return Fault.ANSWERED
    right = [bool(exact_match(candidate.text, golds)) for candidate in outcome.candidates]
    if any(right):
        return Fault.REFUSED if right[0] else Fault.OUTRANKED
    if outcome.ranking is not None and outcome.rank(question.relevant) is None:
        return Fault.NOT_RETRIEVED
    if outcome.read is not None and not set(outcome.read) & set(question.relevant):
        return Fault.NOT_READ
    return Fault.WRONG_SPAN if outcome.candidates else Fault.NO_ANSWER
