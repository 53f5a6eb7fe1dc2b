"""Render evaluations as one self-contained HTML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.evaluation.runner import Evaluation
from qa.evaluation.scoring import ScoredQuestion
from qa.evaluation.slices import assign_slices

_TEMPLATE = Path(__file__).with_name("report.html")
_PLACEHOLDER = "/*EVALUATIONS*/[]"


def report_html(evaluations: Sequence[Evaluation]) -> str:
    """Return the page: metrics, plots, slices, and a browser of the questions with highlighted spans."""
    content = json.dumps([_content(evaluation) for evaluation in evaluations])
    # A `<` in a text could end the script element or start a comment.
    escaped = content.replace("<", "\\u003c")
    return _TEMPLATE.read_text(encoding="utf-8").replace(_PLACEHOLDER, escaped)


def _content(evaluation: Evaluation) -> dict[str, Any]:
    report = {name: value for name, value in evaluation.report.items() if name != "questions"}
    labelled = {position for row in evaluation.rows for position in (row.question.context, *row.question.relevant)}
    shown = sorted(labelled | _candidate_contexts(evaluation.rows))
    return {
        **report,
        "contexts": {position: evaluation.dataset.contexts[position] for position in shown},
        "questions": [_question(evaluation, row) for row in evaluation.rows],
    }


def _candidate_contexts(rows: Sequence[ScoredQuestion]) -> set[int]:
    return {c.context for row in rows for c in row.outcome.candidates[:1] if c.context is not None}


def _question(evaluation: Evaluation, row: ScoredQuestion) -> dict[str, Any]:
    question, outcome = row.question, row.outcome
    return {
        "id": question.id,
        "text": question.text,
        "context": question.context,
        "gold": [[span.start, span.end] for span in question.answers],
        "relevant": sorted(question.relevant),
        "answer": row.answer,
        "f1": round(row.f1, 4),
        "exact": row.exact,
        "fault": row.fault and row.fault.value,
        "rank": outcome.rank(question.relevant),
        "total": outcome.timings_ms.get("total"),
        "slices": assign_slices(evaluation.dataset, question, outcome),
        "candidates": [
            {
                "text": c.text,
                "confidence": None if c.confidence is None else round(c.confidence, 4),
                "context": c.context,
                "span": None if c.span is None else [c.span.start, c.span.end],
            }
            for c in outcome.candidates
        ],
    }
