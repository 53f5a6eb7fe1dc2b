"""Examples of extractions for the OpenAPI document; see `qa.service.openapi`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_QUESTIONS = [{"name": "opening", "question": "When does it open on Sundays?"}]

REQUESTS: dict[tuple[str, str], Any] = {
    ("post", "/v1/extract"): {"questions": _QUESTIONS, "filters": {"city": "Turku"}, "limit": 10},
    ("post", "/v1/extract/jobs"): {"questions": _QUESTIONS, "filters": {"city": "Turku"}},
}
"""Request bodies, by method and path."""


def responses(answer: Mapping[str, Any], job: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return the bodies of responses, by method and path, and by media type where a call has two.

    Args:
        answer: an example of an answer.
        job: an example of a job.
    """
    cell = {"status": "answered", "answer": answer, "best_guess": None}
    place = {name: answer[name] for name in ("document_id", "title", "uri", "meta")}
    row = {**place, "cells": {"opening": cell}, "revision": 1}
    table = (
        "document_id,title,uri,meta,opening,opening status,opening confidence,opening place\r\n"
        'opening-hours,Opening hours,,"{""city"": ""Turku""}",noon,answered,0.930,21-25\r\n'
    )
    extraction = {"kind": "extract", "done": 0, "total": 1, "rate": 0.0, "seconds_left": None, "questions": _QUESTIONS}
    return {
        ("post", "/v1/extract"): {"rows": [row], "next_cursor": None, "revision": 1},
        ("post", "/v1/extract/jobs"): {**job, **extraction, "revision": 1},
        ("get", "/v1/jobs/{id}/result", "application/x-ndjson"): f"{json.dumps(row)}\n",
        ("get", "/v1/jobs/{id}/result", "text/csv"): table,
    }
