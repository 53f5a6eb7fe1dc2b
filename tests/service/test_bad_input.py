"""Invalid requests get the right status and a problem document that names the field, and write nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.indexing.indexer import Indexer
from qa.validation import MAX_READ_TEXT

QUERY = {"question": "Who?"}


def read_problem(response: Any) -> tuple[int, str | None]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == response.status_code
    return response.status_code, body["field"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"question": ""}, (422, "question")),
        ({"question": " \t\n"}, (422, "question")),
        ({"question": "x" * 100_000}, (422, "question")),
        ({"question": 7}, (422, "question")),
        ({}, (422, "question")),
        ({**QUERY, "top_k": -1}, (422, "top_k")),
        ({**QUERY, "top_k": 0}, (422, "top_k")),
        ({**QUERY, "top_k": 10**30}, (422, "top_k")),
        ({**QUERY, "top_k": 2.5}, (422, "top_k")),
        ({**QUERY, "top_k": "3"}, (422, "top_k")),
        ({**QUERY, "index": "nowhere"}, (404, "index")),
        ({**QUERY, "index": "../../etc"}, (422, "index")),
        ({**QUERY, "colour": "red"}, (422, "colour")),
        ({**QUERY, "min_confidence": 1.5}, (422, "min_confidence")),
        ({**QUERY, "filters": {"year": {"near": 3}}}, (422, "filters.year")),
        ({**QUERY, "filters": [1]}, (422, "filters")),
        ([QUERY], (422, "body")),
    ],
)
def test_rejects_invalid_queries(service: TestClient, body: Any, expected: tuple[int, str]) -> None:
    assert read_problem(service.post("/v1/query", json=body)) == expected


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"not json", 400),
        (b'{"question": "\xff"}', 400),
        (b'{"question": "a\\u0000b"}', 422),
        (b'{"question": "a\\ud800b"}', 422),
        (b'{"question": "Who?", "min_confidence": NaN}', 422),
        (b"[" * 100_000, 400),
    ],
)
def test_rejects_invalid_json(service: TestClient, content: bytes, status: int) -> None:
    response = service.post("/v1/query", content=content, headers={"Content-Type": "application/json"})
    assert read_problem(response)[0] == status


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "text")),
        ({"text": ""}, (422, "text")),
        ({"text": " \r\n\t"}, (422, "text")),
        ({"text": "a\0b"}, (422, "text")),
        ({"text": "fine", "id": "a/b"}, (422, "id")),
        ({"text": "fine", "id": "a\\b"}, (422, "id")),
        ({"text": "fine", "id": "a\nb"}, (422, "id")),
        ({"text": "fine", "id": ""}, (422, "id")),
        ({"text": "fine", "id": "x" * 201}, (422, "id")),
        ({"text": "fine", "id": ".."}, (422, "id")),
        ({"text": "fine", "title": "a\0"}, (422, "title")),
        ({"text": "fine", "meta": {"a": {"b": 1}}}, (422, "meta.a")),
        ({"text": "fine", "colour": 1}, (422, "colour")),
        ({"text": 7}, (422, "text")),
        ([], (422, "body")),
        ([{"text": "good", "id": "good"}, {"text": ""}], (422, "1.text")),
        ([{"text": "good", "id": "same"}, {"text": "too", "id": "same"}], (422, "1.id")),
        ("text", (422, "body")),
    ],
)
def test_rejects_invalid_documents_and_writes_nothing(
    service: TestClient, body: Any, expected: tuple[int, str]
) -> None:
    assert read_problem(service.post("/v1/documents", json=body)) == expected
    assert service.get("/v1/documents").json()["documents"] == []
    assert service.get("/readyz").json()["documents"] == 0


def test_rejects_lone_surrogates_in_a_document(service: TestClient) -> None:
    body = json.dumps({"text": "a\ud800b"}).encode()
    response = service.post("/v1/documents", content=body, headers={"Content-Type": "application/json"})
    assert read_problem(response)[0] == 422
    assert service.get("/v1/documents").json()["documents"] == []


def test_rejects_lone_surrogates_in_a_filter(service: TestClient) -> None:
    for filters in ({"a": "\ud800"}, {"\ud800": "a"}):
        body = json.dumps({"question": "Who?", "filters": filters}).encode()
        response = service.post("/v1/query", content=body, headers={"Content-Type": "application/json"})
        assert read_problem(response)[0] == 422


def test_internal_errors_are_problem_documents_without_details(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Indexer, "__call__", fail)
    response = service.get("/v1/documents")
    assert read_problem(response) == (500, None)
    assert "secret" not in response.text


def test_rejects_invalid_arguments_of_other_calls(service: TestClient) -> None:
    assert read_problem(service.post("/v1/query/batch", json={"questions": []})) == (422, "questions")
    assert read_problem(service.post("/v1/query/batch", json={"questions": ["a"] * 65})) == (422, "questions")
    assert read_problem(service.post("/v1/query/batch", json={"questions": ["a", " "]}))[0] == 422
    assert read_problem(service.post("/v1/read", json={"question": "Who?", "text": ""})) == (422, "text")
    too_long = {"question": "Who?", "text": "x" * (MAX_READ_TEXT + 1)}
    assert read_problem(service.post("/v1/read", json=too_long)) == (413, "text")
    assert read_problem(service.post("/v1/search", json={**QUERY, "top_k": 0})) == (422, "top_k")
    assert read_problem(service.post("/v1/search", json={**QUERY, "rerank": "yes"})) == (422, "rerank")
    assert read_problem(service.get("/v1/documents", params={"limit": 0})) == (422, "limit")
    assert read_problem(service.get("/v1/documents", params={"cursor": "!"})) == (422, "cursor")
    assert read_problem(service.get("/v1/documents", params={"index": "nowhere"})) == (404, "index")
    assert read_problem(service.post("/v1/documents", json={"text": "x"}, params={"index": "nowhere"})) == (
        404,
        "index",
    )
    assert read_problem(service.get("/v1/documents/none")) == (404, "id")
    assert read_problem(service.get("/v1/nothing"))[0] == 404
    assert read_problem(service.put("/v1/query", json={}))[0] == 405


def test_rejects_a_body_over_the_limit(service: TestClient) -> None:
    def chunks() -> Any:
        for _ in range(70):
            yield b" " * 1_000_000

    assert read_problem(service.post("/v1/documents", content=b" " * 65_000_000)) == (413, "body")
    assert read_problem(service.post("/v1/documents", content=chunks())) == (413, "body")
