"""Annotator agreement: how likely an answer is right that differs from the only gold answer (pure).

One person answered most training questions; several people answered most evaluation questions. An answer that differs
from a person's gold answer may well equal another person's. How often it does is counted on questions with several gold
answers, with each of them in turn as the only one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.evaluation.metrics import exact_match, f1

# Limits of the ranges of F1 with the only gold answer: no overlap, little, much, nearly equal.
_F1_LIMITS = (0.01, 0.5, 0.8)
# With fewer cases a share is noise and counts as 0.
_MIN_CASES = 20


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """For each range of F1 with one person's answer, the share of answers that equal another person's answer."""

    shares: tuple[float, ...]

    def probability_correct(self, text: str, golds: Sequence[str]) -> float:
        """Return the probability that the gold answers of several people include the text; 0 without gold answers."""
        if not golds or exact_match(text, golds):
            return float(bool(golds))
        return self.shares[bisect_right(_F1_LIMITS, f1(text, golds))] if len(golds) == 1 else 0.0


def count_agreement(answers: Iterable[tuple[str, Sequence[str]]]) -> AnnotatorAgreement:
    """Count how often a second person agrees, on answers with the gold answers of several people."""
    agreed: list[list[float]] = [[] for _ in range(len(_F1_LIMITS) + 1)]
    for text, golds in answers:
        for index, gold in enumerate(golds):
            others = [*golds[:index], *golds[index + 1 :]]
            if others and not exact_match(text, [gold]):
                agreed[bisect_right(_F1_LIMITS, f1(text, [gold]))].append(exact_match(text, others))
    return AnnotatorAgreement(tuple(sum(part) / len(part) if len(part) >= _MIN_CASES else 0.0 for part in agreed))
