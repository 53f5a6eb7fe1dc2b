"""Evaluations ─► one HTML file that needs nothing beside itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.evaluation.runner import Evaluation
from qa.evaluation.scoring import Scored
from qa.evaluation.slices import slices_of

_TEMPLATE = Path(__file__).with_name("report.html")
_PLACE = "/*EVALUATIONS*/[]"


def report_html(evaluations: Sequence[Evaluation]) -> str:
    """Return the page: headline figures, plots, slices, and a browser of the questions with their spans lit up."""
    content = json.dumps([_content(evaluation) for evaluation in evaluations])
    # Inside a script element nothing may look like its end, nor like the beginning of a comment.
    safe = content.replace("<", "\\u003c")
    return _TEMPLATE.read_text(encoding="utf-8").replace(_PLACE, safe)


def _content(evaluation: Evaluation) -> dict[str, Any]:
    report = {name: value for name, value in evaluation.report.items() if name != "questions"}
    asked = {place for row in evaluation.rows for place in (row.question.context, *row.question.relevant)}
    shown = sorted(asked | _candidate_contexts(evaluation.rows))
    return {
        **report,
        "contexts": {place: evaluation.dataset.contexts[place] for place in shown},
        "questions": [_question(evaluation, row) for row in evaluation.rows],
    }


def _candidate_contexts(rows: Sequence[Scored]) -> set[int]:
    return {c.context for row in rows for c in row.outcome.candidates[:1] if c.context is not None}


def _question(evaluation: Evaluation, row: Scored) -> dict[str, Any]:
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
        "slices": slices_of(evaluation.dataset, question, outcome),
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
