from __future__ import annotations

import json
import logging
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from qa.results import Status
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


def test_counts_requests_questions_and_documents(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    ask(service)
    ask(service)
    service.post("/v1/query", json={"question": "Who?", "min_confidence": 1})
    service.post("/v1/query", json={"question": "Who?", "filters": {"kind": "letter"}})
    service.post("/v1/query/batch", json={"questions": ["Who runs it?", "When?"], "min_confidence": 0})
    service.post("/v1/read", json={"question": "When?", "text": "It opens at noon."})
    service.post("/v1/search", json={"question": "Who?", "rerank": True})
    service.get("/v1/documents/nowhere")
    service.get("/v1/no/such/call")
    values = metrics(service)
    assert values["qa_requests_total", "POST", "/v1/query", "200"] == 4
    assert values["qa_requests_total", "GET", "/v1/documents/{id}", "404"] == 1
    assert values["qa_requests_total", "GET", "unknown", "404"] == 1
    assert values["qa_request_seconds_count", "/v1/query"] == 4
    statuses = {status: values.get(("qa_questions_total", status), 0) for status in get_args(Status)}
    assert statuses["nothing_to_search"] == 1
    # With a minimum confidence of 0 every question is answered, and with one of 1 none is.
    assert statuses["answered"] >= 4
    assert statuses["unsure"] + statuses["not_found"] >= 1
    assert sum(statuses.values()) == 7
    assert values["qa_confidence_count",] == 6
    # The questions of a batch are read together.
    assert values["qa_stage_seconds_count", "read"] == 7
    assert values["qa_stage_seconds_count", "search"] == 6
    assert (values["qa_inside", "questions"], values["qa_inside", "writes"]) == (0, 0)
    assert (values["qa_index_documents", "default"], values["qa_index_revision", "default"]) == (1, 1)
    assert values["qa_index_readable", "default"] == 1


def test_lag_is_the_number_of_writes_since_the_last_query(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    ask(service)
    assert metrics(service)["qa_index_lag", "default"] == 0
    for text in ("One.", "Two."):
        service.post("/v1/documents", json={"text": text})
    assert metrics(service)["qa_index_lag", "default"] == 2
    ask(service)
    assert metrics(service)["qa_index_lag", "default"] == 0


def test_reports_an_index_that_cannot_be_read(service: TestClient) -> None:
    service.put("/v1/indexes/broken")
    before = metrics(service)
    assert before["qa_index_readable", "broken"] == 1
    engine = service.app.state.services.engine  # type: ignore[attr-defined]
    folder = engine.indexes.get("broken").folder
    engine.indexes.close()
    for file in folder.glob("catalog.sqlite3*"):
        file.write_bytes(b"not a catalogue")
    after = metrics(service)
    assert (after["qa_index_readable", "broken"], after["qa_index_readable", "default"]) == (0, 1)


def test_logs_a_question_without_its_text(service: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    with caplog.at_level(logging.INFO, logger="qa"):
        body = ask(service, "Who runs the library?")
    (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("qa") and "question" in r.getMessage()]
    event = json.loads(line)
    assert (event["query_id"], event["index"], event["revision"]) == (body["query_id"], "default", 1)
    assert (event["status"], event["has_answer"]) == ("answered", True)
    for word in ("library", "Ortega", "runs"):
        assert word not in line
