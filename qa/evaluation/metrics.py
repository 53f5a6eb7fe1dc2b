"""Measures of answers, rankings and confidences (pure).

Answer scores follow the SQuAD rules: lower case, without punctuation, articles and extra white space, the best over all
gold answers; no answer is the empty text. Everything counts from 0 to 1 here; in reports, what is an exact match, an F1
or a share of refusals counts from 0 to 100.
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

Numbers = Sequence[float] | NDArray[np.float64]
Marks = Sequence[bool] | NDArray[np.bool_]


def normalised_answer(text: str) -> str:
    """Return an answer in the form that the SQuAD rules compare."""
    kept = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """Return 1.0 if the prediction equals a gold answer, else 0.0; no gold answers means that "" is right."""
    return max(float(normalised_answer(prediction) == normalised_answer(gold)) for gold in golds or [""])


def f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the best F1 of words over the gold answers, from 0 to 1; no gold answers means that "" is right."""
    return max(_f1(normalised_answer(prediction).split(), normalised_answer(gold).split()) for gold in golds or [""])


def _f1(prediction: list[str], gold: list[str]) -> float:
    if not prediction or not gold:
        return float(prediction == gold)
    shared = sum((Counter(prediction) & Counter(gold)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(prediction), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def recall(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return the share of the relevant documents that are among the first `depth`."""
    return len(set(ranking[:depth]) & set(relevant)) / len(relevant)


def reciprocal_rank(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return 1/rank of the first relevant document (counted from 1), 0.0 if none is among the first `depth`."""
    return next((1 / rank for rank, document in enumerate(ranking[:depth], 1) if document in relevant), 0.0)


def average_precision(ranking: Sequence[int], relevant: Collection[int], depth: int) -> float:
    """Return the precision at each relevant document among the first `depth`, over the number of relevant ones."""
    hits = [rank for rank, document in enumerate(ranking[:depth], 1) if document in relevant]
    return sum(found / rank for found, rank in enumerate(hits, 1)) / len(relevant)


def ndcg(ranking: Sequence[int], grades: Mapping[int, int], depth: int) -> float:
    """Return nDCG of the first `depth`, a document's gain being its grade."""
    best = sorted(grades.values(), reverse=True)[:depth]
    gained = sum(grades.get(document, 0) / math.log2(rank + 1) for rank, document in enumerate(ranking[:depth], 1))
    return gained / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))


def auroc(scores: Numbers, positive: Marks) -> float | None:
    """Return the chance that a positive's score is above a negative's, ties counting half; None without both kinds."""
    marks = np.asarray(positive, bool)
    positives, negatives = int(marks.sum()), int((~marks).sum())
    if not positives or not negatives:
        return None
    values = np.asarray(scores, np.float64)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[marks].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def best_threshold_f1(confidences: Numbers, f1s: Numbers, answerable: Marks) -> float:
    """Return the mean F1 at the confidence threshold that makes it highest, from 0 to 1.

    Args:
        confidences: of each question's best answer.
        f1s: what that answer scores if it is given; below the threshold none is.
        answerable: whether the question has an answer.
    """
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    gains = np.asarray(f1s, np.float64)[order]
    refused = (~np.asarray(answerable, bool)[order]).astype(np.float64)
    total = refused.sum() + np.concatenate([[0.0], np.cumsum(gains - refused)])
    ranked = np.asarray(confidences, np.float64)[order]
    # A threshold cannot fall between equal confidences.
    possible = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    return float(total[possible].max() / len(order))


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence: how many, how sure they were on the mean, and which share of them was right."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidences: Numbers, right: Marks | Numbers, bins: int = ECE_BINS) -> list[Bin]:
    """Return bins of equal mass, the least sure first."""
    order = np.argsort(np.asarray(confidences, np.float64), kind="stable")
    sure, hit = np.asarray(confidences, np.float64)[order], np.asarray(right, np.float64)[order]
    parts = np.array_split(np.arange(len(order)), min(bins, len(order))) if len(order) else []
    return [Bin(len(part), float(sure[part].mean()), float(hit[part].mean())) for part in parts]


def calibration_error(confidences: Numbers, right: Marks | Numbers, bins: int = ECE_BINS) -> float | None:
    """Return the mean distance of confidence from accuracy over bins of equal mass; None without any."""
    if not len(confidences):
        return None
    parts = reliability(confidences, right, bins)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in parts) / len(confidences)


def risk_coverage(confidences: Numbers, right: Marks) -> NDArray[np.float64]:
    """Return the share of wrong answers among the surest n, for n from 1 to all; shape (questions,)."""
    order = np.argsort(-np.asarray(confidences, np.float64), kind="stable")
    wrong = 1 - np.asarray(right, np.float64)[order]
    return np.asarray(np.cumsum(wrong) / np.arange(1, len(order) + 1))


def percentile(values: Numbers, share: float) -> float | None:
    """Return a percentile, from 0 to 100; None of nothing."""
    return float(np.percentile(values, share)) if len(values) else None
