from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import Draft202012Validator

from qa.service.openapi import REQUESTS, RESPONSES


@pytest.fixture
def document(service: TestClient) -> dict[str, Any]:
    made: dict[str, Any] = service.get("/openapi.json").json()
    return made


def contents(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return everything that is sent or returned, by the name of its call."""
    found = []
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            parts = [("request", call.get("requestBody", {})), *call["responses"].items()]
            for part, one in parts:
                for kind, content in one.get("content", {}).items():
                    # Files are not shown.
                    if kind != "multipart/form-data":
                        found.append((f"{method} {path} {part}", content))
    return found


def test_each_call_and_each_error_has_an_example_that_it_admits(document: dict[str, Any]) -> None:
    found = contents(document)
    assert len(found) > 200
    for name, content in found:
        assert "example" in content, name
        schema = {**content.get("schema", {}), "components": document["components"]}
        wrong = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert wrong == [], name
    known = {(method, path) for path, calls in document["paths"].items() for method in calls}
    assert {(method, path) for method, path, *_ in [*REQUESTS, *RESPONSES]} <= known


def test_the_examples_are_what_the_service_says(service: TestClient) -> None:
    """The story is told: each request is sent, in its order, and its reply has the fields of the example."""
    order = ["/v1/documents", "/v1/query", "/v1/query/batch", "/v1/read", "/v1/search", "/v1/feedback"]
    for path in order:
        reply = service.post(path, json=REQUESTS["post", path])
        assert reply.status_code in (200, 201), reply.text
        shown = RESPONSES["post", path]
        assert reply.json().keys() == shown.keys()
    answer = service.post("/v1/query", json={**REQUESTS["post", "/v1/query"], "min_confidence": 0}).json()["answers"][0]
    shown = RESPONSES["post", "/v1/query"]["answers"][0]
    for field in ("answer", "document_id", "title", "meta", "document_offset", "context", "context_offset", "support"):
        assert answer[field] == shown[field]
    patched = service.patch("/v1/documents/opening-hours", json=REQUESTS["patch", "/v1/documents/{id}"])
    assert patched.json().keys() == RESPONSES["patch", "/v1/documents/{id}"].keys()
    for path in ("/v1/documents", "/v1/indexes", "/v1/jobs", "/v1/feedback/export", "/healthz", "/readyz"):
        assert service.get(path).json().keys() == RESPONSES["get", path].keys()
    assert service.get("/v1/documents/opening-hours/text").text == RESPONSES["get", "/v1/documents/{id}/text"]
