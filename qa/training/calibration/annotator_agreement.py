"""How right an answer is that differs from the only gold answer there is (pure).

Most training questions were answered by one person, those of most measuring sets by several: an answer that is not what
the one wrote may well be what another did. How often it is, is counted on questions that several people answered, by
taking each one's answer in turn for the only one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.evaluation.metrics import exact_match, f1

# F1 against the one gold answer: nothing in common, a little, much, nearly all.
_EDGES = (0.01, 0.5, 0.8)
# With fewer cases a share says nothing.
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """By range of F1 against one person's answer: the share that another person's answer equals."""

    shares: tuple[float, ...]

    def rightness(self, text: str, golds: Sequence[str]) -> float:
        """Return the probability that several people's answers would hold the text; 0.0 where there is no answer."""
        if not golds or exact_match(text, golds):
            return float(bool(golds))
        return self.shares[bisect_right(_EDGES, f1(text, golds))] if len(golds) == 1 else 0.0


def annotator_agreement(answered: Iterable[tuple[str, Sequence[str]]]) -> AnnotatorAgreement:
    """Count how often a second person agrees, on texts with the gold answers of several people."""
    agreed: list[list[float]] = [[] for _ in range(len(_EDGES) + 1)]
    for text, golds in answered:
        for place, gold in enumerate(golds):
            others = [*golds[:place], *golds[place + 1 :]]
            if others and not exact_match(text, [gold]):
                agreed[bisect_right(_EDGES, f1(text, [gold]))].append(exact_match(text, others))
    return AnnotatorAgreement(tuple(sum(part) / len(part) if len(part) >= _FEWEST else 0.0 for part in agreed))
