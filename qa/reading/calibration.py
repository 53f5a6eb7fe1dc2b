"""Map the features of an answer to calibrated probabilities, with parameters fitted on held-out questions."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qa.errors import ModelError
from qa.results import Status

CALIBRATION = "calibration.json"
"""Name of the calibration file in the reader's folder."""


class AnswerFeatures(NamedTuple):
    """The features from which the probability of an answer is computed.

    Attributes:
        reader: logit of the span minus the null logit of its window.
        null: null logit of its window.
        retrieval: fused score of its passage, from 0 to 1.
        behind: how far that score is below the best of the passages that have a candidate, from 0 for the best
            passage to 1.
        best: 1 for the best answer, 0 for the others.
        lead: for the best answer, its score minus that of the second one; 0 for the others.
        gap: for the others, the score of the best answer minus theirs; 0 for the best.
        support: number of locations with the same answer, n, as log(n).
        depth: number of passages read, n, as log(n). A hard question needs more passages, and more passages can
            support an answer.
        length: number of words of the answer, n, as log(n). The end of a longer answer is less certain.
    """

    reader: float
    null: float
    retrieval: float
    behind: float
    best: float
    lead: float
    gap: float
    support: float
    depth: float
    length: float


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression: `logistic(weights · features + bias)`."""

    reader: float
    null: float
    retrieval: float
    behind: float
    best: float
    lead: float
    gap: float
    support: float
    depth: float
    length: float
    bias: float

    def probability(self, features: AnswerFeatures) -> float:
        """Return the probability for the features."""
        return _logistic(sum(getattr(self, name) * value for name, value in features._asdict().items()) + self.bias)


class UnitFeatures(NamedTuple):
    """The features from which the probability is computed that a unit of text answers.

    Attributes:
        logit: mean logit of the unit's tokens.
        gap: logit minus the highest logit of all units that were read for the question; 0 for that unit.
        before, after: logits of the units before and after it in its passage.
        margin: best span logit of its passage minus the null logit of its window.
        retrieval: fused score of its passage, from 0 to 1.
        rank: number of passages that are ranked before its passage.
        holds: 1 if the best span of its passage is in the unit, else 0.
        held_margin: `margin` if the best span is in the unit, else 0.
        length: number of words, n, as log(1 + n).
    """

    logit: float
    gap: float
    before: float
    after: float
    margin: float
    retrieval: float
    rank: float
    holds: float
    held_margin: float
    length: float


@dataclass(frozen=True, slots=True)
class EvidenceScale:
    """A logistic regression on the features of a unit, and the probabilities from which units are evidence.

    Attributes:
        weights: weight of each feature.
        bias: added to the weighted sum.
        threshold: minimum probability of the best unit; below it the question has no evidence.
        further: minimum probability of the units behind the best one.
        answered: probability from which a unit answers by itself, where no span is good.
    """

    weights: UnitFeatures
    bias: float
    threshold: float
    further: float
    answered: float

    def probability(self, features: UnitFeatures) -> float:
        """Return the probability that a unit with these features answers."""
        return _logistic(sum(w * value for w, value in zip(self.weights, features, strict=True)) + self.bias)


@dataclass(frozen=True, slots=True)
class Scale:
    """Parameters for one kind of request: questions to an index, or questions about a single text.

    Attributes:
        right: gives the probability that an answer is right.
        unanswerable: gives, from the best answer's features, the probability that the question is unanswerable.
        answered: confidence from which the best answer is returned by default.
        unsure: confidence from which a best answer that is not returned is likely enough to show, as a guess.
        threshold: confidence below which a second or later answer is not returned by default.
        item_gap: logits that a part of an answer of several things may be below the best candidate.
        evidence: gives the probability that a unit of text answers.
    """

    right: Weights
    unanswerable: Weights
    answered: float
    unsure: float
    threshold: float
    item_gap: float
    evidence: EvidenceScale

    def status(self, confidence: float) -> Status:
        """Return the status of a question whose best answer has this confidence."""
        if confidence >= self.answered:
            return "answered"
        return "unsure" if confidence >= self.unsure else "not_found"


@dataclass(frozen=True, slots=True)
class Calibration:
    """The parameters that turn logits into scores and scores into probabilities.

    Attributes:
        reader, fusion, splitting, rounds: identities of the parts it was fitted with; `rounds` is early stopping.
        retrieval_weight: logits that a fused retrieval score of 1 is worth.
        stop_margin: logits; see `qa.reading.early_stopping`.
        query: scale for questions to an index.
        read: scale for questions about a single text.
        taken_over_from: the reader it was fitted with, if `reader` was fine-tuned from that reader. The bias is
            then adjusted to the null logit level of `reader`.
    """

    reader: str
    fusion: str
    splitting: str
    rounds: str
    retrieval_weight: float
    stop_margin: float
    query: Scale
    read: Scale
    taken_over_from: str | None = None

    def check(self, reader: str, fusion: str, splitting: str, rounds: str) -> None:
        """Check that the parts in use are those the calibration was fitted with.

        Raises:
            ModelError: a part differs.
        """
        for part, fitted, used in (
            ("reader", self.reader, reader),
            ("fusion", self.fusion, fusion),
            ("splitting", self.splitting, splitting),
            ("rounds", self.rounds, rounds),
        ):
            if fitted != used:
                raise ModelError(
                    f"the calibration was fitted with {part} {fitted!r}, not {used!r}; run `qa train calibration`"
                )

    @property
    def identity(self) -> str:
        """A hash; equal for equal parameters."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the calibration as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Calibration:
        """Load a calibration that `save` wrote.

        Raises:
            ModelError: the file is missing, is not a calibration, or is from another version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            query, read = _parse_scale(content.pop("query")), _parse_scale(content.pop("read"))
            return Calibration(**content, query=query, read=read)
        except OSError as error:
            raise ModelError(f"{path}: the calibration cannot be read ({error})") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path}: not a calibration of this version ({error}); run `qa train calibration`"
            ) from error


def _parse_scale(content: dict[str, Any]) -> Scale:
    right, unanswerable = Weights(**content["right"]), Weights(**content["unanswerable"])
    evidence = content["evidence"]
    weights = UnitFeatures(*evidence.pop("weights"))
    return Scale(
        right,
        unanswerable,
        content["answered"],
        content["unsure"],
        content["threshold"],
        content["item_gap"],
        EvidenceScale(weights, **evidence),
    )


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
