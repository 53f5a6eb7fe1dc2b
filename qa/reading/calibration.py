"""Scores ─► probabilities, with parameters that were fitted on held-out questions (pure)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from qa.errors import ModelError


@dataclass(frozen=True, slots=True)
class Scale:
    """Parameters of one way of asking: through an index, or of a single text.

    Attributes:
        score, gap, bias: `confidence = logistic(score * s + gap * g + bias)` of an answer of score `s`, `g` below the
            best answer's.
        null_score, null_bias: `no_answer_score = logistic(null_score * s + null_bias)` of the best answer's score.
        threshold: below this confidence an answer is not given unless asked for.
    """

    score: float
    gap: float
    bias: float
    null_score: float
    null_bias: float
    threshold: float

    def confidence(self, score: float, best: float) -> float:
        """Return the probability that an answer is right."""
        return _logistic(self.score * score + self.gap * (best - score) + self.bias)

    def no_answer(self, best: float) -> float:
        """Return the probability that the documents do not say."""
        return _logistic(self.null_score * best + self.null_bias)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that turns logits into scores and scores into probabilities, and what it was fitted with."""

    reader: str
    fusion: str
    splitting: str
    retrieval_weight: float
    query: Scale
    read: Scale

    def check(self, reader: str, fusion: str, splitting: str) -> None:
        """Refuse to be used with other parts than those it was fitted with.

        Raises:
            ModelError: one of them differs.
        """
        for part, fitted, used in (
            ("reader", self.reader, reader),
            ("fusion", self.fusion, fusion),
            ("splitting", self.splitting, splitting),
        ):
            if fitted != used:
                raise ModelError(f"the calibration was fitted with {part} {fitted!r}, not {used!r}: fit it again")

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Calibration:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing or is no calibration.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            query, read = Scale(**content.pop("query")), Scale(**content.pop("read"))
            return Calibration(**content, query=query, read=read)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path}: not a calibration ({error})") from error


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
