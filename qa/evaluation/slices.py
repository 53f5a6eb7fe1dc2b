"""Assign questions to slices, such as the question type, to report metrics by slice (pure)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.outcomes import Outcome

_TYPES = (
    ("how many", re.compile(r"\bhow (many|much|long|old|far|tall|high|large|big|often|fast|deep)\b")),
    ("why", re.compile(r"\bwhy\b|\bwhat (was|is|were) the reason\b|\bfor what reason\b")),
    ("who", re.compile(r"\b(who|whom|whose)\b")),
    ("when", re.compile(r"\bwhen\b|\b(what|which|in what|in which) (year|date|day|month|century|decade|time)\b")),
    ("where", re.compile(r"\bwhere\b|\b(what|which|in what|in which) (city|country|place|town|state|location)\b")),
    ("which", re.compile(r"\bwhich\b")),
    ("what", re.compile(r"\bwhat\b")),
    ("how", re.compile(r"\bhow\b")),
)
_WORD = re.compile(r"\w+")
# Words that are too common to show that question and context are about the same subject.
_FUNCTION_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be by did do does for from had has have how in is it its of on or that the their there to "
        "was were what when where which who whom whose why will with would"
    )
)


def question_type(question: str) -> str:
    """Return who, when, where, how many, why, which, what, how or other."""
    text = question.lower()
    return next((name for name, pattern in _TYPES if pattern.search(text)), "other")


def overlap(question: str, context: str) -> float:
    """Return the share of the question's content words that also occur in the context; 0.0 without content words."""
    words = set(_WORD.findall(question.lower())) - _FUNCTION_WORDS
    return len(words & set(_WORD.findall(context.lower()))) / len(words) if words else 0.0


def assign_slices(dataset: Dataset, question: LabelledQuestion, outcome: Outcome) -> dict[str, str]:
    """Return the slice of a question by slicing criterion."""
    slices = {
        **question.labels,
        "question type": question_type(question.text),
        "words in the question": _range(len(question.text.split()), (6, 9, 13)),
    }
    if question.answers:
        shortest = min(len(text.split()) for text in dataset.gold_texts(question))
        shared = round(100 * overlap(question.text, dataset.contexts[question.context]))
        slices["words in the answer"] = _range(shortest, (2, 3, 6))
        slices["% of the question's words in the context"] = _range(shared, (50, 75, 95))
    if question.relevant and outcome.ranking is not None:
        rank = outcome.rank(question.relevant)
        slices["rank of the gold context"] = "not found" if rank is None else _range(rank, (2, 6, 11))
    return slices


def _range(value: int, edges: Sequence[int]) -> str:
    """Return a label for the range of a value; each edge is the lower end of a range."""
    position = bisect_right(edges, value)
    if position == 0:
        return f"under {edges[0]}" if edges[0] > 2 else "1"
    if position == len(edges):
        return f"{edges[-1]} or more"
    low, high = edges[position - 1], edges[position] - 1
    return str(low) if low == high else f"{low} to {high}"
