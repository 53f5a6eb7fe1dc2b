from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.config import Settings
from qa.engine import Engine
from qa.service.app import create_app
from qa.service.keys import Keys
from tests.service.conftest import Opener
from tests.service.test_bad_input import read_problem
from tests.service.test_prometheus import metrics
from tests.service.test_service import DOCUMENT, TEXT

QUESTION = "When does the library open?"
CAT = {"id": "cat", "text": "The cat sleeps."}
HOURS = {"id": "hours", "text": TEXT}


@pytest.fixture
def highlighter(marking: Engine) -> Iterator[TestClient]:
    """The service with a reader that marks units that share a word with the question."""
    app = create_app(Settings(index_dir=marking.indexes.folder), marking)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def highlight(service: TestClient, **body: Any) -> list[dict[str, Any]]:
    response = service.post("/v1/highlight", json={"question": QUESTION, **body})
    assert response.status_code == 200, response.text
    assert set(response.json()) == {"results"}
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_highlights_texts_in_order(highlighter: TestClient) -> None:
    cat, hours = highlight(highlighter, texts=[CAT, HOURS])
    assert cat == {"id": "cat", "status": "not_found", "highlights": [], "pruned_text": None, "kept": None}
    assert (hours["id"], hours["status"]) == ("hours", "found")
    (part,) = hours["highlights"]
    assert set(part) == {"start", "end", "text", "score", "kind"}
    assert TEXT[part["start"] : part["end"]] == part["text"] == "The town library opens at 9:30 on weekdays."
    assert (part["kind"], round(part["score"], 2)) == ("evidence", 0.95)


def test_highlights_documents_of_an_index(highlighter: TestClient) -> None:
    highlighter.post("/v1/documents", json=DOCUMENT)
    (stored,) = highlight(highlighter, document_ids=["hours"], prune=True)
    (given,) = highlight(highlighter, texts=[HOURS], prune=True)
    assert stored == given
    assert stored["pruned_text"] == "The town library opens at 9:30 on weekdays."
    assert stored["kept"] == len(stored["pruned_text"]) / len(TEXT)


def test_highlights_spans_with_the_shipped_reader(service: TestClient) -> None:
    body = {"question": "Who runs the library?", "texts": [HOURS], "granularity": "span", "threshold": 0}
    (result,) = service.post("/v1/highlight", json={**body, "max_highlights": 1}).json()["results"]
    (part,) = result["highlights"]
    assert "Ortega" in part["text"]
    assert (part["kind"], TEXT[part["start"] : part["end"]]) == ("answer", part["text"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"question": " ", "texts": [CAT]}, (422, "question")),
        ({}, (422, "texts")),
        ({"texts": []}, (422, "texts")),
        ({"texts": [CAT] * 65}, (422, "texts")),
        ({"texts": [CAT], "document_ids": ["hours"]}, (422, "document_ids")),
        ({"texts": [{"id": "a"}]}, (422, "texts.0.text")),
        ({"texts": [CAT, {"id": "a", "text": ""}]}, (422, "texts.1.text")),
        ({"texts": [{"id": "a", "text": "x" * 200_001}]}, (413, "texts.0.text")),
        ({"texts": [{"id": "a", "text": "x" * 100_001}] * 2}, (413, "texts")),
        ({"document_ids": ["nowhere"]}, (404, "document_ids.0")),
        ({"document_ids": ["hours"], "index": "nowhere"}, (404, "index")),
        ({"document_ids": ["hours"], "index": "../etc"}, (422, "index")),
        ({"texts": [CAT], "granularity": "word"}, (422, "granularity")),
        ({"texts": [CAT], "threshold": 2}, (422, "threshold")),
        ({"texts": [CAT], "max_highlights": 0}, (422, "max_highlights")),
        ({"texts": [CAT], "prune": "yes"}, (422, "prune")),
        ({"texts": [CAT], "colour": "red"}, (422, "colour")),
    ],
)
def test_rejects_invalid_requests(service: TestClient, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert read_problem(service.post("/v1/highlight", json={"question": QUESTION, **body})) == expected


def test_a_key_for_another_index_may_highlight_texts_only(open_service: Opener) -> None:
    service = open_service()
    service.put("/v1/indexes/other")
    key = Keys(service.app.state.services.engine.indexes.folder).create("desk", "read", "other")  # type: ignore[attr-defined]
    body = {"question": QUESTION, "granularity": "span"}
    headers = {"X-API-Key": key}
    stored = service.post("/v1/highlight", json={**body, "document_ids": ["hours"]}, headers=headers)
    assert stored.status_code == 403
    given = service.post("/v1/highlight", json={**body, "texts": [CAT]}, headers=headers)
    assert given.status_code == 200


def test_waits_for_a_slot_like_other_questions(open_service: Opener) -> None:
    service = open_service(max_questions=1)
    with service.app.state.services.questions.admit():  # type: ignore[attr-defined]
        response = service.post("/v1/highlight", json={"question": QUESTION, "texts": [CAT]})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1


def test_counts_texts_and_logs_no_text(highlighter: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        highlight(highlighter, texts=[CAT, HOURS])
    values = metrics(highlighter)
    assert (values["qa_highlighted_texts_total", "found"], values["qa_highlighted_texts_total", "not_found"]) == (1, 1)
    assert values["qa_requests_total", "POST", "/v1/highlight", "200"] == 1
    assert values["qa_stage_seconds_count", "read"] == 1
    events = [json.loads(record.message) for record in caplog.records if '"highlight"' in record.message]
    assert [(event["texts"], event["found"]) for event in events] == [(2, 1)]
    assert "library" not in json.dumps(events)
