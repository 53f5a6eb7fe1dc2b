"""The reference: the OpenAPI document with an example for each call and each error.

The examples are one story: a library's opening hours are put in, asked for, corrected and removed.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

_TEXT = "The library opens at noon on Sundays."
_QUESTION = "When does the library open on Sundays?"
_SHA256 = "3d1f8a53ef53f8ab5f0f3c1aef9c8b1f7a35a94d2f8dc1f0a4a1f5f1c7d1c1de"
_JOB_ID = "0f8fad5bd9cb469fa16570867728950e"

_TIMES = {"embed": 1.9, "search": 0.8, "read": 45.0, "total": 48.5}
_ANSWER = {
    "answer": "noon",
    "score": 17.9,
    "confidence": 0.93,
    "document_id": "opening-hours",
    "title": "Opening hours",
    "uri": None,
    "meta": {"city": "Turku"},
    "page": None,
    "section": None,
    "rectangles": [],
    "document_offset": {"start": 21, "end": 25},
    "context": _TEXT,
    "context_offset": {"start": 21, "end": 25},
    "passage_id": 1,
    "components": {"lexical": 3.1, "dense": 0.82, "reader": 9.3, "null": -2.2},
    "support": [{"document_id": "opening-hours", "document_offset": {"start": 21, "end": 25}}],
}
_ANSWERED = {
    "query_id": "9b2f7c1e5a5d4a6f8e0d3c2b1a090807",
    "question": _QUESTION,
    "has_answer": True,
    "no_answer_score": 0.04,
    "answers": [_ANSWER],
    "best_guess": None,
    "passages": None,
    "index": "default",
    "generation": 1,
    "revision": 1,
    "timings_ms": _TIMES,
}
_PASSAGE = {
    "passage_id": 1,
    "document_id": "opening-hours",
    "title": "Opening hours",
    "uri": None,
    "meta": {"city": "Turku"},
    "document_offset": {"start": 0, "end": 37},
    "text": _TEXT,
    "score": 0.91,
    "lexical": 3.1,
    "dense": 0.82,
    "retrieval": 0.91,
    "margin": None,
}
_DOCUMENT = {
    "id": "opening-hours",
    "title": "Opening hours",
    "uri": None,
    "meta": {"city": "Turku"},
    "characters": 37,
    "passages": 1,
    "sha256": _SHA256,
    "added_at": "2026-01-05T09:00:00.000+00:00",
    "revision": 1,
}
_ADDED = {"id": "opening-hours", "status": "created", "passages": 1, "characters": 37}
_UPLOADED = {"file": "opening-hours.txt", "documents": [_ADDED], "error": None}
_INDEX = {"name": "default", "documents": 1, "passages": 1, "generation": 1, "revision": 1}
_JOB = {
    "id": _JOB_ID,
    "kind": "rebuild",
    "index": "default",
    "state": "running",
    "done": 64,
    "total": 2067,
    "rate": 71.3,
    "seconds_left": 28.1,
    "error": None,
    "generation": None,
    "files": None,
    "started_at": "2026-01-05T09:00:00.000+00:00",
    "ended_at": None,
}
_ROLLBACK = {**_JOB, "kind": "rollback", "state": "running", "done": 0, "rate": 0.0, "seconds_left": None}
_LABELS = {
    "version": "2.0",
    "data": [
        {
            "title": "Opening hours",
            "paragraphs": [
                {
                    "context": _TEXT,
                    "qas": [
                        {
                            "id": "e2a1",
                            "question": _QUESTION,
                            "answers": [{"text": "noon", "answer_start": 21}],
                            "is_impossible": False,
                        }
                    ],
                }
            ],
        }
    ],
    "left_out": 0,
}

REQUESTS: dict[tuple[str, str], Any] = {
    ("post", "/v1/query"): {"question": _QUESTION, "top_k": 1, "filters": {"city": "Turku"}},
    ("post", "/v1/query/batch"): {"questions": [_QUESTION, "Who runs it?"]},
    ("post", "/v1/read"): {"question": _QUESTION, "text": _TEXT},
    ("post", "/v1/search"): {"question": _QUESTION, "top_k": 1},
    ("post", "/v1/documents"): {
        "id": "opening-hours",
        "title": "Opening hours",
        "text": _TEXT,
        "meta": {"city": "Turku"},
    },
    ("patch", "/v1/documents/{id}"): {"title": "Opening hours", "meta": {"city": "Turku"}},
    ("post", "/v1/feedback"): {
        "question": _QUESTION,
        "document_id": "opening-hours",
        "verdict": "right",
        "document_offset": {"start": 21, "end": 25},
    },
}
"""What is sent, for each call that takes JSON."""

RESPONSES: dict[tuple[str, ...], Any] = {
    ("post", "/v1/query"): _ANSWERED,
    ("post", "/v1/query/batch"): {"results": [_ANSWERED]},
    ("post", "/v1/read"): {**_ANSWERED, "index": None, "generation": None, "revision": None},
    ("post", "/v1/search"): {
        "question": _QUESTION,
        "passages": [_PASSAGE],
        "index": "default",
        "generation": 1,
        "revision": 1,
        "timings_ms": {"embed": 1.9, "search": 0.8, "total": 2.8},
    },
    ("post", "/v1/documents"): {"documents": [_ADDED]},
    ("post", "/v1/documents/upload"): {"files": [_UPLOADED]},
    ("post", "/v1/documents/upload", "202"): {**_JOB, "kind": "upload", "files": [{**_UPLOADED, "documents": []}]},
    ("get", "/v1/documents"): {"documents": [_DOCUMENT], "next": None},
    ("get", "/v1/documents/{id}"): {**_DOCUMENT, "text": _TEXT},
    ("get", "/v1/documents/{id}/text"): _TEXT,
    ("patch", "/v1/documents/{id}"): _DOCUMENT,
    ("get", "/v1/indexes"): {"indexes": [_INDEX]},
    ("get", "/v1/indexes/{name}"): _INDEX,
    ("put", "/v1/indexes/{name}"): _INDEX,
    ("post", "/v1/indexes/{name}/rebuild"): _JOB,
    ("post", "/v1/indexes/{name}/rollback"): _ROLLBACK,
    ("get", "/v1/jobs"): {"jobs": [_JOB]},
    ("get", "/v1/jobs/{id}"): _JOB,
    ("delete", "/v1/jobs/{id}"): _JOB,
    ("get", "/v1/jobs/{id}/events"): f"event: running\ndata: {json.dumps(_JOB)}\n\n",
    ("post", "/v1/feedback"): {"id": "e2a1"},
    ("get", "/v1/feedback/export"): _LABELS,
    ("get", "/healthz"): {"status": "ok", "version": "0.1.0"},
    ("get", "/readyz"): {
        "status": "ready",
        "embedder": "spanlight-embedder-int8@1a2b3c4d5e6f7a8b",
        "reader": "spanlight-reader-int8@8b7a6f5e4d3c2b1a",
        "calibration": "calibration@0a1b2c3d4e5f6a7b",
        "documents": 1,
        "passages": 1,
    },
    ("get", "/metrics"): 'qa_requests_total{method="POST",route="/v1/query",status="200"} 3.0\n',
}
"""What comes back when all is well, for each call that returns anything; where two things may, by status."""

_PROBLEM = "application/problem+json"
# By status: what went wrong, and the field that it names.
_PROBLEMS: dict[str, tuple[str, str | None]] = {
    "400": ("the body is not JSON: Expecting value", "body"),
    "401": ("a valid key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'", None),
    "403": ("this key is for read; it takes one for write", None),
    "404": ("no document 'closing-hours' in index 'default'", "id"),
    "409": ("the request with this key is being worked on", "Idempotency-Key"),
    "412": (f"document 'opening-hours' is not as it was: its content hash is {_SHA256}", "If-Match"),
    "413": ("the body is over 64,000,000 bytes", "body"),
    "415": ("the body is not said to be JSON: `Content-Type: application/json`", "body"),
    "422": ("the question is blank", "question"),
    "429": ("at most 100 calls in 1 minute", None),
    "503": ("16 requests are being worked on; at most 16 at once", None),
}


def with_examples(app: FastAPI) -> None:
    """Let an application's OpenAPI document carry the examples, and tell errors under their own media type."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        made = app.openapi_schema is None
        document = plain()
        if made:
            for path, calls in document["paths"].items():
                for method, call in calls.items():
                    _illustrate(call, method, path)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _illustrate(call: dict[str, Any], method: str, path: str) -> None:
    if (method, path) in REQUESTS:
        call["requestBody"]["content"]["application/json"]["example"] = REQUESTS[method, path]
    for status, response in call["responses"].items():
        content = response.get("content", {})
        if _PROBLEM in content:
            # FastAPI tells what a response holds under the type that its route returns when all is well.
            (schema,) = (other["schema"] for kind, other in content.items() if kind != _PROBLEM)
            response["content"] = {_PROBLEM: {"schema": schema, "example": _problem(status)}}
            continue
        for kind in content.values():
            kind["example"] = RESPONSES.get((method, path, status)) or RESPONSES[method, path]


def _problem(status: str) -> dict[str, Any]:
    detail, field = _PROBLEMS[status]
    title = HTTPStatus(int(status)).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail, "field": field}
