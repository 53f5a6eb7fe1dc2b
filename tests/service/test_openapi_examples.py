from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import Draft202012Validator

from qa.indexing.indexer import Indexer
from qa.service.keys import Keys
from qa.service.openapi import REQUESTS, RESPONSES
from tests.service.conftest import Opener


@pytest.fixture
def document(service: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = service.get("/openapi.json").json()
    return document


def contents(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the content of every request and response, with the name of its call."""
    named = []
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            parts = [("request", call.get("requestBody", {})), *call["responses"].items()]
            for part, body in parts:
                for media_type, content in body.get("content", {}).items():
                    # Files have no example.
                    if media_type != "multipart/form-data":
                        named.append((f"{method} {path} {part}", content))
    return named


def test_each_call_and_each_error_has_a_valid_example(document: dict[str, Any]) -> None:
    named = contents(document)
    assert len(named) > 200
    for name, content in named:
        assert "example" in content, name
        schema = {**content.get("schema", {}), "components": document["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert errors == [], name
    calls = {(method, path) for path, calls in document["paths"].items() for method in calls}
    assert {(method, path) for method, path, *_ in [*REQUESTS, *RESPONSES]} <= calls


def test_the_examples_are_real_requests_and_responses(service: TestClient) -> None:
    order = ["/v1/documents", "/v1/query", "/v1/query/batch", "/v1/read", "/v1/search", "/v1/feedback"]
    for path in order:
        response = service.post(path, json=REQUESTS["post", path])
        assert response.status_code in (200, 201), response.text
        example = RESPONSES["post", path]
        assert response.json().keys() == example.keys()
    # Spans, because a reader may have no evidence output.
    spans = {**REQUESTS["post", "/v1/highlight"], "granularity": "span", "threshold": 0}
    (highlighted,) = service.post("/v1/highlight", json=spans).json()["results"]
    (example_result,) = RESPONSES["post", "/v1/highlight"]["results"]
    assert highlighted.keys() == example_result.keys()
    assert highlighted["highlights"][0].keys() == example_result["highlights"][0].keys()
    assert service.post("/v1/verify", json=REQUESTS["post", "/v1/verify"]).json() == RESPONSES["post", "/v1/verify"]
    answer = service.post("/v1/query", json={**REQUESTS["post", "/v1/query"], "min_confidence": 0}).json()["answers"][0]
    example = RESPONSES["post", "/v1/query"]["answers"][0]
    for field in ("answer", "document_id", "title", "meta", "document_offset", "context", "context_offset", "support"):
        assert answer[field] == example[field]
    patched = service.patch("/v1/documents/opening-hours", json=REQUESTS["patch", "/v1/documents/{id}"])
    assert patched.json().keys() == RESPONSES["patch", "/v1/documents/{id}"].keys()
    for path in ("/v1/documents", "/v1/indexes", "/v1/jobs", "/v1/feedback/export", "/healthz", "/readyz"):
        assert service.get(path).json().keys() == RESPONSES["get", path].keys()
    assert service.get("/v1/documents/opening-hours/text").text == RESPONSES["get", "/v1/documents/{id}/text"]


def _reject_without_key(open_service: Opener, _: Path) -> Any:
    return open_service(api_keys="secret").get("/v1/documents")


def _reject_scope(open_service: Opener, folder: Path) -> Any:
    service = open_service()
    key = Keys(folder).create("reader", "read")
    return service.post("/v1/documents", json=REQUESTS["post", "/v1/documents"], headers={"X-API-Key": key})


def _reject_unknown_document(open_service: Opener, _: Path) -> Any:
    return open_service().get("/v1/documents/closing-hours")


def _reject_retry_while_running(open_service: Opener, _: Path) -> Any:
    service, responses = open_service(), []
    original = Indexer.add

    def send() -> Any:
        headers = {"Idempotency-Key": "order-1"}
        return service.post("/v1/documents", json=REQUESTS["post", "/v1/documents"], headers=headers)

    def add_after_retry(self: Indexer, *args: Any, **options: Any) -> Any:
        responses.append(send())
        return original(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Indexer, "add", add_after_retry)
        send()
    return responses[0]


def _reject_changed_document(open_service: Opener, _: Path) -> Any:
    service = open_service()
    service.post("/v1/documents", json=REQUESTS["post", "/v1/documents"])
    return service.delete("/v1/documents/opening-hours", headers={"If-Match": '"another"'})


def _reject_rate(open_service: Opener, _: Path) -> Any:
    service = open_service(rate_limit="1/minute")
    service.get("/v1/documents")
    return service.get("/v1/documents")


def _reject_overload(open_service: Opener, _: Path) -> Any:
    service = open_service(max_questions=1)
    with service.app.state.services.questions.admit():  # type: ignore[attr-defined]
        return service.post("/v1/query", json=REQUESTS["post", "/v1/query"])


def _post(content: bytes, **headers: str) -> Callable[[Opener, Path], Any]:
    return lambda open_service, _: open_service().post("/v1/query", content=content, headers=headers)


@pytest.mark.parametrize(
    ("status", "send"),
    [
        (400, _post(b'{"question": }', **{"Content-Type": "application/json"})),
        (401, _reject_without_key),
        (403, _reject_scope),
        (404, _reject_unknown_document),
        (409, _reject_retry_while_running),
        (412, _reject_changed_document),
        (413, _post(b" " * 64_000_001)),
        (415, _post(b"{}")),
        (422, _post(b'{"question": " "}', **{"Content-Type": "application/json"})),
        (429, _reject_rate),
        (503, _reject_overload),
    ],
)
def test_the_example_errors_are_real_messages(
    open_service: Opener, tmp_path: Path, status: int, send: Callable[[Opener, Path], Any]
) -> None:
    response = send(open_service, tmp_path / "indexes")
    document = open_service().get("/openapi.json").json()
    response_example = document["paths"]["/v1/documents/{id}"]["delete"]["responses"][str(status)]
    example = response_example["content"]["application/problem+json"]["example"]
    # Counts, waits and hashes differ.
    details = [re.sub(r"\b[0-9a-f]{64}\b|\d+", "*", problem["detail"]) for problem in (response.json(), example)]
    assert details[0] == details[1]
    assert {**response.json(), "detail": None} == {**example, "detail": None}
