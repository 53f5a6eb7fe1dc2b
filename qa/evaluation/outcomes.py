"""The outcome of one question, the same for every kind of system, stored as a line of JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.metrics import exact_match
from qa.results import Status
from qa.types import Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer of a system.

    Attributes:
        text: the answer, verbatim.
        confidence: from 0 to 1; None where the system reports none.
        context: position of the data set's context that contains it; None if unknown.
        span: its place in that context, in code points.
        items: the parts of an answer that is several things.
    """

    text: str
    confidence: float | None = None
    context: int | None = None
    span: Span | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedUnit:
    """A unit of a context that a system marks as evidence: the context's position, the place in it, and the score."""

    context: int | None
    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question.

    Attributes:
        id: the question's id.
        candidates: the best first, given as an answer or not; empty where there are none.
        given: whether the system gave the best candidate as its answer.
        no_answer_score: probability that the question is unanswerable; None where the system reports none.
        ranking: positions of the contexts, ordered by their best passage; None where the system reports no ranking.
        read: positions of the contexts whose passages were read; None where the system does not report them.
        timings_ms: milliseconds by stage, and `total`.
        status: the status of the result; None where the system reports none.
        evidence: the units that the system marks, best first.
    """

    id: str
    candidates: tuple[Candidate, ...]
    given: bool
    no_answer_score: float | None = None
    ranking: tuple[int, ...] | None = None
    read: tuple[int, ...] | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    status: Status | None = None
    evidence: tuple[MarkedUnit, ...] = ()

    @property
    def shown_status(self) -> Status:
        """The status; without one, whether the best candidate was given."""
        return self.status or ("answered" if self.given else "not_found")

    def answer(self, *, forced: bool) -> str:
        """Return the text of the best candidate; "" without one, or if it was not given and is not `forced`."""
        return self.candidates[0].text if self.candidates and (self.given or forced) else ""

    def rank(self, relevant: Collection[int]) -> int | None:
        """Return the rank of the first relevant context, from 1; None if the ranking contains none."""
        return next((rank for rank, position in enumerate(self.ranking or (), 1) if position in relevant), None)

    @property
    def confidence(self) -> float | None:
        """The confidence of the best candidate; 0 without one."""
        return self.candidates[0].confidence if self.candidates else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object that `from_json` reads."""
        return asdict(self)

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> Outcome:
        """Build an outcome from a JSON object of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: the object has other fields.
        """
        candidates = tuple(
            Candidate(**{**c, "span": None if c["span"] is None else Span(**c["span"]), "items": tuple(c["items"])})
            for c in content["candidates"]
        )
        evidence = tuple(MarkedUnit(**{**unit, "span": Span(**unit["span"])}) for unit in content["evidence"])
        lists = {name: None if content[name] is None else tuple(content[name]) for name in ("ranking", "read")}
        return Outcome(**{**content, "candidates": candidates, "evidence": evidence, **lists})


class Fault(StrEnum):
    """The stage that caused a wrong answer."""

    NOT_RETRIEVED = "not retrieved"
    NOT_READ = "not read"
    OUTRANKED = "outranked"
    WRONG_SPAN = "wrong span"
    REFUSED = "wrongly refused"
    ANSWERED = "wrongly answered"
    NO_ANSWER = "no answer found"


def classify_fault(dataset: Dataset, question: LabelledQuestion, outcome: Outcome, *, forced: bool) -> Fault | None:
    """Return the cause of a wrong answer; None if the answer is an exact match.

    - Not retrieved: the ranking contains no relevant context.
    - Not read: it does, but too far down for the reader.
    - Outranked: a right candidate ranks below a wrong one.
    - Wrong span: candidates exist, but none is right.
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
