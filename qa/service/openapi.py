"""Examples for the OpenAPI document: one for each call and each error.

The examples follow one document, the opening hours of a library: a client adds it, asks about it and changes it.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from qa.service import extraction_examples

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
    "cell": None,
    "ocr": False,
    "rectangles": [],
    "document_offset": {"start": 21, "end": 25},
    "context": _TEXT,
    "context_offset": {"start": 21, "end": 25},
    "passage_id": 1,
    "components": {"lexical": 3.1, "dense": 0.82, "reader": 9.3, "null": -2.2},
    "support": [{"document_id": "opening-hours", "document_offset": {"start": 21, "end": 25}}],
    "kind": "span",
    "items": [],
}
_EVIDENCE = {
    "document_id": "opening-hours",
    "start": 0,
    "end": 37,
    "text": _TEXT,
    "score": 0.95,
    "page": None,
    "section": None,
    "rectangles": [],
    "url": None,
}
_ANSWERED = {
    "query_id": "9b2f7c1e5a5d4a6f8e0d3c2b1a090807",
    "question": _QUESTION,
    "corrected": None,
    "status": "answered",
    "has_answer": True,
    "no_answer_score": 0.04,
    "answers": [_ANSWER],
    "best_guess": None,
    "alternatives": [],
    "evidence": [_EVIDENCE],
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
_NOT_FOUND = {
    **_ANSWERED,
    "question": "Who runs it?",
    "status": "not_found",
    "has_answer": False,
    "no_answer_score": 0.97,
    "answers": [],
    "best_guess": {**_ANSWER, "confidence": 0.02},
    "evidence": [],
    "passages": [_PASSAGE],
}
_HIGHLIGHTED = {
    "id": "hours",
    "status": "found",
    "highlights": [{"start": 0, "end": 37, "text": _TEXT, "score": 0.95, "kind": "evidence"}],
    "pruned_text": _TEXT,
    "kept": 1.0,
}
_QUOTED = {
    **{name: _ANSWER[name] for name in ("document_id", "page", "section", "rectangles")},
    "document_offset": {"start": 0, "end": 25},
    "text": "The library opens at noon",
    "exact": True,
    "similarity": 1.0,
    "difference": [],
}
_DOCUMENT: dict[str, Any] = {
    "id": "opening-hours",
    "title": "Opening hours",
    "uri": None,
    "meta": {"city": "Turku"},
    "characters": 37,
    "passages": 1,
    "sha256": _SHA256,
    "added_at": "2026-01-05T09:00:00.000+00:00",
    "revision": 1,
    "unread": [],
    "file": {"name": "opening-hours.txt", "media_type": "text/plain", "size": 37},
}
_ADDED = {"id": "opening-hours", "status": "created", "passages": 1, "characters": 37, "unread": [], "ocr_pages": []}
_UNREAD = [{"page": 2, "reason": "a picture of text; install the extra: pip install 'spanlight[ocr]'"}]
_ADDED_FROM_FILE = {**_ADDED, "unread": _UNREAD}
_UPLOADED = {"file": "opening-hours.pdf", "documents": [_ADDED_FROM_FILE], "error": None, "unread": _UNREAD}
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
    "page": None,
    "pages": None,
    "questions": None,
    "revision": None,
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
    ("post", "/v1/highlight"): {"question": _QUESTION, "texts": [{"id": "hours", "text": _TEXT}], "prune": True},
    ("post", "/v1/verify"): {"quotes": [{"text": "the Library opens at  noon"}]},
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
"""Request bodies of the calls that take JSON, by method and path."""
REQUESTS |= extraction_examples.REQUESTS

RESPONSES: dict[tuple[str, ...], Any] = {
    ("post", "/v1/query"): _ANSWERED,
    ("post", "/v1/query/batch"): {"results": [_ANSWERED, _NOT_FOUND]},
    ("post", "/v1/read"): {**_ANSWERED, "index": None, "generation": None, "revision": None},
    ("post", "/v1/search"): {
        "question": _QUESTION,
        "passages": [_PASSAGE],
        "index": "default",
        "generation": 1,
        "revision": 1,
        "timings_ms": {"embed": 1.9, "search": 0.8, "total": 2.8},
    },
    ("post", "/v1/highlight"): {"results": [_HIGHLIGHTED]},
    ("post", "/v1/verify"): {"results": [{"found": True, "matches": [_QUOTED]}]},
    ("post", "/v1/documents"): {"documents": [_ADDED]},
    ("post", "/v1/documents/upload"): {"files": [_UPLOADED]},
    ("post", "/v1/documents/upload", "202"): {
        **_JOB,
        "kind": "upload",
        "files": [{**_UPLOADED, "documents": [], "unread": []}],
    },
    ("get", "/v1/documents"): {"documents": [_DOCUMENT], "next": None},
    ("get", "/v1/documents/{id}"): {**_DOCUMENT, "text": _TEXT},
    ("get", "/v1/documents/{id}/text"): _TEXT,
    ("get", "/v1/documents/{id}/file"): _TEXT,
    ("get", "/v1/documents/{id}/pages/{n}.png"): "\x89PNG",
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
"""Bodies of successful responses, by method and path, and by status or media type where a call has two."""
RESPONSES |= extraction_examples.responses(_ANSWER, _JOB)

_PROBLEM = "application/problem+json"
# By status: the detail and the field. `tests/service/test_openapi_examples.py` compares them with real responses.
_PROBLEMS: dict[str, tuple[str, str | None]] = {
    "400": ("the body is not valid JSON: Expecting value", "body"),
    "401": (
        "missing or unknown API key; send one as 'Authorization: Bearer KEY' or 'X-API-Key: KEY' (create a key with"
        " `qa key create`)",
        None,
    ),
    "403": (
        "this call needs a key with scope 'write', and this key has scope 'read'; create one with"
        " `qa key create NAME --scope write`",
        None,
    ),
    "404": ("document 'closing-hours' not found in index 'default'", "id"),
    "408": ("the body did not arrive within 20 s and at 20,000 bytes per second", "body"),
    "409": ("a request with this key is still running; retry later", "Idempotency-Key"),
    "412": (f"document 'opening-hours' has changed; its content hash is now {_SHA256}", "If-Match"),
    "413": ("the body is larger than 64,000,000 bytes; send it in several requests", "body"),
    "415": ("the body must be JSON; send `Content-Type: application/json`", "body"),
    "416": ("the range is outside the file, which has 37 bytes; ask for a part of it", None),
    "422": ("question must not be blank", "question"),
    "429": ("rate limit exceeded: at most 100 calls in 1 minute; retry in 12 s", None),
    "503": ("too many requests: 16 are running or waiting, the maximum is 16; retry in 3 s", None),
}


def add_examples(app: FastAPI) -> None:
    """Add the examples to an application's OpenAPI document, and list errors under their own media type."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        document = generate()
        if is_new:
            for path, calls in document["paths"].items():
                for method, call in calls.items():
                    _add_call_examples(call, method, path)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_call_examples(call: dict[str, Any], method: str, path: str) -> None:
    if (method, path) in REQUESTS:
        call["requestBody"]["content"]["application/json"]["example"] = REQUESTS[method, path]
    for status, response in call["responses"].items():
        content = response.get("content", {})
        if _PROBLEM in content:
            # FastAPI puts the schema of an error under the media type of the successful response.
            (schema,) = (media["schema"] for media_type, media in content.items() if media_type != _PROBLEM)
            response["content"] = {_PROBLEM: {"schema": schema, "example": _example_problem(status)}}
            continue
        for media_type, media in content.items():
            keys = [(method, path, status), (method, path, media_type), (method, path)]
            media["example"] = next(RESPONSES[key] for key in keys if key in RESPONSES)


def _example_problem(status: str) -> dict[str, Any]:
    detail, field = _PROBLEMS[status]
    title = HTTPStatus(int(status)).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail, "field": field}
