"""Score the evidence that a system marks on extracted documents (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.evidence import JudgedEvidence, judge_items, judge_units, measure
from qa.evaluation.outcomes import Outcome
from qa.evaluation.parts import as_figures, measure_parts, partition
from qa.text.structure import find_structure, units
from qa.types import Span


def score_evidence(dataset: Dataset, outcomes: Sequence[Outcome]) -> tuple[dict[str, Any], list[dict[str, object]]]:
    """Judge the evidence of a data set's questions, given in their order.

    Returns:
        `metrics` and `intervals`, and `parts`, the same by genre, kind and style. Beside these figures, a record for
        each question.
    """
    questions = dataset.questions
    texts = [(document.text, find_structure(document.text, document.tables)) for document in dataset.documents]
    units_of = [tuple(units(text, structure)) for text, structure in texts]
    judged = [
        judge_evidence(dataset, question, outcome, units_of[question.context])
        for question, outcome in zip(questions, outcomes, strict=True)
    ]
    parts = partition(judged, [question.labels for question in questions])
    figures = {**as_figures(measure(judged)), "parts": measure_parts(parts, measure)}
    return figures, [{"evidence_f1": round(j.units.f1, 4)} for j in judged]


def judge_evidence(
    dataset: Dataset, question: LabelledQuestion, outcome: Outcome, of_document: Sequence[Span]
) -> JudgedEvidence:
    """Judge the evidence and the items of one outcome; `of_document` are the units of its document."""
    marks = [(unit.span, unit.score) for unit in outcome.evidence if unit.context == question.context]
    counts, scored = judge_units(marks, question.evidence, of_document)
    scores, right = tuple(score for score, _ in scored), tuple(mark for _, mark in scored)
    if not question.items:
        return JudgedEvidence(question.answerable, counts, scores, right)
    text = dataset.contexts[question.context]
    items = judge_items(_items(outcome), [span.of(text) for span in question.items])
    return JudgedEvidence(question.answerable, counts, scores, right, *items)


def _items(outcome: Outcome) -> Sequence[str]:
    """Return the items of the best answer; without items, each answer is an item."""
    if not outcome.given:
        return ()
    return outcome.candidates[0].items or [candidate.text for candidate in outcome.candidates]
