from __future__ import annotations

import json
import logging

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.service.test_service import DOCUMENT, ask


def metrics(service: TestClient) -> dict[tuple[str, ...], float]:
    response = service.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_calls_questions_and_indexes_are_counted(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    ask(service)
    ask(service)
    service.post("/v1/query", json={"question": "Who?", "min_confidence": 1})
    service.post("/v1/query/batch", json={"questions": ["Who runs it?", "When?"], "min_confidence": 0})
    service.post("/v1/read", json={"question": "When?", "text": "It opens at noon."})
    service.post("/v1/search", json={"question": "Who?", "rerank": True})
    service.get("/v1/documents/nowhere")
    service.get("/v1/no/such/call")
    found = metrics(service)
    assert found["qa_requests_total", "POST", "/v1/query", "200"] == 3
    assert found["qa_requests_total", "GET", "/v1/documents/{id}", "404"] == 1
    assert found["qa_requests_total", "GET", "unknown", "404"] == 1
    assert found["qa_request_seconds_count", "/v1/query"] == 3
    assert found["qa_questions_total", "no_answer"] >= 1
    assert found["qa_questions_total", "answered"] + found["qa_questions_total", "no_answer"] == 6
    assert found["qa_confidence_count",] == 6
    # A batch is read together.
    assert found["qa_stage_seconds_count", "read"] == 6
    assert found["qa_stage_seconds_count", "search"] == 5
    assert (found["qa_inside", "questions"], found["qa_inside", "writes"]) == (0, 0)
    assert (found["qa_index_documents", "default"], found["qa_index_revision", "default"]) == (1, 1)
    assert found["qa_index_readable", "default"] == 1


def test_how_far_a_worker_is_behind(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    ask(service)
    assert metrics(service)["qa_index_lag", "default"] == 0
    for text in ("One.", "Two."):
        service.post("/v1/documents", json={"text": text})
    assert metrics(service)["qa_index_lag", "default"] == 2
    ask(service)
    assert metrics(service)["qa_index_lag", "default"] == 0


def test_an_index_that_cannot_be_read_shows(service: TestClient) -> None:
    service.put("/v1/indexes/broken")
    before = metrics(service)
    assert before["qa_index_readable", "broken"] == 1
    engine = service.app.state.engine  # type: ignore[attr-defined]
    folder = engine.indexes.get("broken").folder
    engine.indexes.close()
    for file in folder.glob("catalog.sqlite3*"):
        file.write_bytes(b"not a catalogue")
    after = metrics(service)
    assert (after["qa_index_readable", "broken"], after["qa_index_readable", "default"]) == (0, 1)


def test_the_log_tells_of_a_question_without_its_words(service: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    with caplog.at_level(logging.INFO, logger="qa"):
        body = ask(service, "Who runs the library?")
    (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("qa") and "question" in r.getMessage()]
    told = json.loads(line)
    assert (told["query_id"], told["index"], told["revision"]) == (body["query_id"], "default", 1)
    assert told["has_answer"] is True
    for word in ("library", "Ortega", "runs"):
        assert word not in line
