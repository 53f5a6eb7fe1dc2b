"""Pages of rows over HTTP."""

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
from tests.answering.test_extraction import contract
from tests.service.test_bad_input import read_problem
from tests.service.test_prometheus import metrics

FEE = {"name": "fee", "question": "What is the yearly fee?"}
CAP = {"name": "cap", "question": "Is liability capped?"}


@pytest.fixture
def extractor(word_engine: Engine) -> Iterator[TestClient]:
    """The service on five contracts, with a reader that answers with the units that share a word with the question."""
    word_engine.add([contract(n) for n in range(5)])
    app = create_app(Settings(index_dir=word_engine.indexes.folder), word_engine)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def extract(service: TestClient, **body: Any) -> dict[str, Any]:
    response = service.post("/v1/extract", json={"questions": [FEE, CAP], **body})
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def test_returns_pages_of_rows(extractor: TestClient) -> None:
    whole = extract(extractor)
    assert (set(whole), whole["next_cursor"], whole["revision"]) == ({"rows", "next_cursor", "revision"}, None, 5)
    assert [row["document_id"] for row in whole["rows"]] == [f"c{n:02}" for n in range(5)]
    row = whole["rows"][2]
    assert set(row) == {"document_id", "title", "uri", "meta", "cells", "revision"}
    assert (row["title"], row["uri"], row["meta"]) == ("Contract 2", "file:///2.txt", {"even": True})
    assert list(row["cells"]) == ["fee", "cap"]
    rows, cursor = [], None
    for count in (2, 2, 1):
        page = extract(extractor, limit=2, cursor=cursor)
        assert len(page["rows"]) == count
        rows += page["rows"]
        cursor = page["next_cursor"]
    assert (rows, cursor) == (whole["rows"], None)


def test_a_cell_is_the_answer_to_a_query_with_a_filter(extractor: TestClient) -> None:
    rows = extract(extractor, document_ids=["c03"], min_confidence=0.2)["rows"]
    filtered = {"filters": {"document_id": "c03"}, "min_confidence": 0.2}
    for question in (FEE, CAP):
        asked = extractor.post("/v1/query", json={"question": question["question"], **filtered}).json()
        cell = rows[0]["cells"][question["name"]]
        assert cell == {
            "status": asked["status"],
            "answer": asked["answers"][0] if asked["answers"] else None,
            "best_guess": asked["best_guess"],
        }
    assert rows[0]["cells"]["fee"]["answer"]["answer"] == "The yearly fee is 300 euros."


def test_filters_documents(extractor: TestClient) -> None:
    assert [row["document_id"] for row in extract(extractor, filters={"even": False})["rows"]] == ["c01", "c03"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"questions": []}, (422, "questions")),
        ({"questions": [{"name": str(n), "question": "fee?"} for n in range(33)]}, (422, "questions")),
        ({"questions": [FEE, {**CAP, "name": "fee"}]}, (422, "questions.1.name")),
        ({"questions": [{"name": "", "question": "fee?"}]}, (422, "questions.0.name")),
        ({"questions": [FEE, {"name": "cap", "question": " "}]}, (422, "questions.1.question")),
        ({"questions": [{"name": "fee", "question": "x" * 2_001}]}, (422, "questions.0.question")),
        ({"questions": [{"name": "x" * 2_001, "question": "fee?"}]}, (422, "questions.0.name")),
        ({"questions": [{"question": "fee?"}]}, (422, "questions.0.name")),
        ({"questions": "fee?"}, (422, "questions")),
        ({"limit": 0}, (422, "limit")),
        ({"limit": 101}, (422, "limit")),
        ({"cursor": "!"}, (422, "cursor")),
        ({"document_ids": []}, (422, "document_ids")),
        ({"document_ids": ["c01", "c99"]}, (404, "document_ids.1")),
        ({"document_ids": ["a\0b"]}, (422, "document_ids.0")),
        ({"index": "nowhere"}, (404, "index")),
        ({"index": "../etc"}, (422, "index")),
        ({"min_confidence": 2}, (422, "min_confidence")),
        ({"filters": {"even": []}}, (422, "filters.even")),
        ({"colour": "red"}, (422, "colour")),
    ],
)
def test_rejects_invalid_requests(extractor: TestClient, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert read_problem(extractor.post("/v1/extract", json={"questions": [FEE], **body})) == expected
    if "limit" not in body and "cursor" not in body:
        response = extractor.post("/v1/extract/jobs", json={"questions": [FEE], **body})
        assert read_problem(response) == expected
    assert extractor.get("/v1/jobs").json()["jobs"] == []


def test_rejects_the_cursor_of_other_questions(extractor: TestClient) -> None:
    cursor = extract(extractor, limit=1)["next_cursor"]
    body = {"questions": [FEE], "limit": 1, "cursor": cursor}
    response = extractor.post("/v1/extract", json=body)
    assert read_problem(response) == (422, "cursor")
    assert "belongs to another extraction" in response.json()["detail"]


def test_a_key_extracts_from_its_index_only(word_engine: Engine) -> None:
    word_engine.indexes.get_or_create("letters")
    folder = word_engine.indexes.folder
    key = Keys(folder).create("reader", "read", "letters")
    with TestClient(create_app(Settings(index_dir=folder), word_engine), base_url="http://127.0.0.1") as client:
        for path in ("/v1/extract", "/v1/extract/jobs"):
            body = {"questions": [FEE], "index": "default"}
            assert client.post(path, json=body).status_code == 401
            assert client.post(path, json=body, headers={"X-API-Key": key}).status_code == 403
        body = {"questions": [FEE], "index": "letters"}
        assert client.post("/v1/extract", json=body, headers={"X-API-Key": key}).json()["rows"] == []


def test_counts_cells_and_logs_no_text(extractor: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        extract(extractor, limit=3)
    values = metrics(extractor)
    assert values["qa_cells_total", "answered"] == 3
    assert values["qa_cells_total", "not_found"] == 3
    events = [json.loads(record.message) for record in caplog.records if '"extract"' in record.message]
    assert [(event["rows"], event["cells"], event["answered"]) for event in events] == [(3, 6, 3)]
    assert "euros" not in caplog.text


def test_groups_answers_by_document(extractor: TestClient) -> None:
    body = {"question": FEE["question"], "group_by": "document", "top_k": 4}
    result = extractor.post("/v1/query", json=body).json()
    assert len({answer["document_id"] for answer in result["answers"]}) == len(result["answers"]) == 4
    assert read_problem(extractor.post("/v1/query", json={**body, "group_by": "page"})) == (422, "group_by")
    assert read_problem(extractor.post("/v1/query", json={**body, "top_k": 0})) == (422, "top_k")
