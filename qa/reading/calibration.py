"""Evidence ─► probabilities, with parameters that were fitted on held-out questions."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qa.errors import ModelError

CALIBRATION = "calibration.json"
"""Its file, in the reader's folder."""


class Evidence(NamedTuple):
    """What speaks for an answer.

    Attributes:
        reader: by how many logits the span is likelier than that its window does not say.
        null: the logit that its window does not say.
        retrieval: the fused score of its passage, from 0 to 1.
        behind: how far that is behind the highest of those that were read and hold a span: 0 of the highest itself, 1
            from some distance on.
        best: 1 of the best answer, 0 of the others.
        lead: of the best answer: by how much its score is above the next one's; 0 of the others.
        gap: of the others: by how much their score is below the best one's; 0 of the best.
        support: how many more passages say the same, as log(1 + n).
        depth: how many passages were read, as log(n): more are where the question was hard to settle, and more of them
            can say the same.
        length: of the answer in words, as log(n): where a longer one ends is less clear.
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
    """A logistic regression on evidence: `logistic(weights · evidence + bias)`."""

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

    def probability(self, evidence: Evidence) -> float:
        """Return the probability that evidence stands for."""
        return _logistic(sum(getattr(self, name) * value for name, value in evidence._asdict().items()) + self.bias)


@dataclass(frozen=True, slots=True)
class Scale:
    """Parameters of one way of asking: through an index, or of a single text.

    Attributes:
        right: gives the probability that an answer is right.
        unanswerable: gives, of the best answer's evidence, the probability that the documents do not say.
        refusal: from this probability on that the documents do not say, no answer is given unless asked for.
        threshold: below this confidence an answer behind the best one is not given unless asked for.
    """

    right: Weights
    unanswerable: Weights
    refusal: float
    threshold: float

    def refuses(self, no_answer: float) -> bool:
        """Tell whether nothing is given, by the probability that the documents do not say.

        Whether there is an answer is another question than whether the best one is right to the last word, which is
        what its confidence tells: a long answer may be unsure of its ends, and yet there.
        """
        return no_answer >= self.refusal


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that turns logits into scores and scores into probabilities, and what it was fitted with.

    Attributes:
        reader, fusion, splitting, rounds: identities of what it was fitted with.
        retrieval_weight: what the fused retrieval score of 1 is worth in logits.
        stop_margin: logits; see `qa.reading.early_stopping`.
        query, read: the two ways of asking.
        taken_over_from: the reader it was fitted with, where that is not `reader`, which was trained on from it: then
            at the level of the logit of no answer that `reader` has.
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
        """Refuse to be used with other parts than those it was fitted with.

        Raises:
            ModelError: one of them differs.
        """
        for part, fitted, used in (
            ("reader", self.reader, reader),
            ("fusion", self.fusion, fusion),
            ("splitting", self.splitting, splitting),
            ("rounds", self.rounds, rounds),
        ):
            if fitted != used:
                raise ModelError(f"the calibration was fitted with {part} {fitted!r}, not {used!r}: fit it again")

    @property
    def identity(self) -> str:
        """A hash: equal for equal parameters."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Calibration:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing, is no calibration, or is one of another version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            query, read = _scale(content.pop("query")), _scale(content.pop("read"))
            return Calibration(**content, query=query, read=read)
        except OSError as error:
            raise ModelError(f"{path}: the calibration cannot be read ({error})") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path}: not a calibration of this version ({error}): fit it again") from error


def _scale(content: dict[str, Any]) -> Scale:
    right, unanswerable = Weights(**content["right"]), Weights(**content["unanswerable"])
    return Scale(right, unanswerable, content["refusal"], content["threshold"])


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
