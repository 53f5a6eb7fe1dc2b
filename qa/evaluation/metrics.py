"""Metrics of answers, rankings and confidences (pure).

Answers are scored by the SQuAD rules. Case, punctuation, articles and extra white space do not count, the best score
over all gold answers does, and no answer is the empty string. All metrics here range from 0 to 1. Reports give exact
match, F1 and no-answer accuracy from 0 to 100.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)
ECE_BINS = 15
# The F1 from which an answer is right, and from which one is that contains a gold answer.
_RIGHT_F1, _CONTAINING_F1 = 0.8, 0.5

Numbers = Sequence[float] | NDArray[np.float64]
Marks = Sequence[bool] | NDArray[np.bool_]


def normalise_answer(text: str) -> str:
    """Return an answer without case, punctuation, articles and extra white space, as the SQuAD rules compare it."""
    kept = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals a gold answer, else 0.0; without gold answers "" is right."""
    return max(float(normalise_answer(prediction) == normalise_answer(gold)) for gold in golds or [""])


def f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the best word F1 over the gold answers; without gold answers "" is right."""
    return max(_f1(normalise_answer(prediction).split(), normalise_answer(gold).split()) for gold in golds or [""])


def is_right(prediction: str, golds: Sequence[str]) -> bool:
    """Return whether a prediction is right by the lenient rule: the gold answers need not be all that are right.

    Its F1 with a gold answer is at least .8, or it contains a gold answer, word by word, and its F1 is at least .5.
    """
    words = normalise_answer(prediction).split()
    for gold in golds:
        gold_words = normalise_answer(gold).split()
        score = _f1(words, gold_words)
        if score >= _RIGHT_F1 or (score >= _CONTAINING_F1 and _contains(words, gold_words)):
            return True
    return False


def _contains(words: list[str], part: list[str]) -> bool:
    return any(words[first : first + len(part)] == part for first in range(len(words) - len(part) + 1))


def _f1(prediction: list[str], gold: list[str]) -> float:
    if not prediction or not gold:
        return float(prediction == gold)
    shared = sum((Counter(prediction) & Counter(gold)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(prediction), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def recall(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return the share of the relevant documents among the first `depth`."""
    return len(set(ranking[:depth]) & set(relevant)) / len(relevant)


def reciprocal_rank(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return 1/rank of the first relevant document, with ranks from 1; 0.0 if none is among the first `depth`."""
    return next((1 / rank for rank, document in enumerate(ranking[:depth], 1) if document in relevant), 0.0)


def average_precision(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return the sum of precision at each relevant document in the first `depth`, over the number of relevant ones."""
    ranks = [rank for rank, document in enumerate(ranking[:depth], 1) if document in relevant]
    return sum(count / rank for count, rank in enumerate(ranks, 1)) / len(relevant)


def ndcg(ranking: Sequence[int], grades: Mapping[int, int], depth: int) -> float:
    """Return nDCG of the first `depth` documents; a document's gain is its grade."""
    ideal = sorted(grades.values(), reverse=True)[:depth]
    gain = sum(grades.get(document, 0) / math.log2(rank + 1) for rank, document in enumerate(ranking[:depth], 1))
    return gain / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(ideal, 1))


def auroc(scores: Numbers, positive: Marks) -> float | None:
    """Return the area under the ROC curve, ties counting half; None without both positives and negatives."""
    marks = np.asarray(positive, bool)
    positives, negatives = int(marks.sum()), int((~marks).sum())
    if not positives or not negatives:
        return None
    values = np.asarray(scores, np.float64)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[marks].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def best_threshold_f1(confidences: Numbers, f1s: Numbers, answerable: Marks) -> float:
    """Return the highest mean F1 over all confidence thresholds; answers below a threshold are withheld.

    Args:
        confidences: confidence of each question's best answer.
        f1s: F1 of that answer if it is given.
        answerable: whether the question has an answer.
    """
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    f1_given = np.asarray(f1s, np.float64)[order]
    f1_withheld = (~np.asarray(answerable, bool)[order]).astype(np.float64)
    totals = f1_withheld.sum() + np.concatenate([[0.0], np.cumsum(f1_given - f1_withheld)])
    ranked = np.asarray(confidences, np.float64)[order]
    # A threshold cannot fall between equal confidences.
    possible = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    return float(totals[possible].max() / len(order))


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: their number, mean confidence and share of right ones."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidences: Numbers, right: Marks | Numbers, bins: int = ECE_BINS) -> list[Bin]:
    """Return bins with equal numbers of answers, the lowest confidence first."""
    order = np.argsort(np.asarray(confidences, np.float64), kind="stable")
    ranked, hits = np.asarray(confidences, np.float64)[order], np.asarray(right, np.float64)[order]
    parts = np.array_split(np.arange(len(order)), min(bins, len(order))) if len(order) else []
    return [Bin(len(part), float(ranked[part].mean()), float(hits[part].mean())) for part in parts]


def calibration_error(confidences: Numbers, right: Marks | Numbers, bins: int = ECE_BINS) -> float | None:
    """Return the expected calibration error over bins of equal size; None without answers."""
    if not len(confidences):
        return None
    parts = reliability(confidences, right, bins)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in parts) / len(confidences)


def risk_coverage(confidences: Numbers, right: Marks) -> NDArray[np.float64]:
    """Return the share of wrong answers among the n most confident, for n from 1 to all; shape (questions,)."""
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    wrong = 1 - np.asarray(right, np.float64)[order]
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(order) + 1))


def percentile(values: Numbers, share: float) -> float | None:
    """Return the percentile `share`, from 0 to 100; None without values."""
    return float(np.percentile(values, share)) if len(values) else None
