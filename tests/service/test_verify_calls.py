from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.service.keys import Keys
from tests.service.conftest import Opener
from tests.service.test_bad_input import read_problem
from tests.service.test_prometheus import metrics
from tests.service.test_service import DOCUMENT, TEXT

HOURS = {"text": "the town library"}


def verify(service: TestClient, *quotes: dict[str, Any], **body: Any) -> list[dict[str, Any]]:
    response = service.post("/v1/verify", json={"quotes": quotes, **body})
    assert response.status_code == 200, response.text
    assert set(response.json()) == {"results"}
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_finds_quotations_in_order(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    changed = {"text": "The town museum opens at 9:30 on weekdays."}
    found, near, unknown = verify(service, HOURS, changed, {"text": "zebras"}, filters={"kind": "notice"})
    assert found == {
        "found": True,
        "matches": [
            {
                "document_id": "hours",
                "document_offset": {"start": 0, "end": 16},
                "page": None,
                "section": None,
                "rectangles": [],
                "text": "The town library",
                "exact": True,
                "similarity": 1.0,
                "difference": [],
            }
        ],
    }
    (match,) = near["matches"]
    assert (near["found"], match["exact"], 0.8 < match["similarity"] < 1) == (False, False, True)
    assert TEXT[match["document_offset"]["start"] : match["document_offset"]["end"]] == match["text"]
    (part,) = match["difference"]
    assert part == {"quoted": "museum", "actual": "library", "document_offset": {"start": 9, "end": 16}}
    assert unknown == {"found": False, "matches": []}
    assert verify(service, HOURS, filters={"kind": "letter"}) == [{"found": False, "matches": []}]
    assert verify(service, {**HOURS, "document_id": "hours"}) == [found]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "quotes")),
        ({"quotes": []}, (422, "quotes")),
        ({"quotes": [HOURS] * 65}, (422, "quotes")),
        ({"quotes": [{"text": ""}]}, (422, "quotes.0.text")),
        ({"quotes": [HOURS, {"text": "ab"}]}, (422, "quotes.1.text")),
        ({"quotes": [{"text": "x" * 2_001}]}, (422, "quotes.0.text")),
        ({"quotes": [{"text": 7}]}, (422, "quotes.0.text")),
        ({"quotes": [{"document_id": "hours"}]}, (422, "quotes.0.text")),
        ({"quotes": [{**HOURS, "page": 1}]}, (422, "quotes.0.page")),
        ({"quotes": [{**HOURS, "document_id": "nowhere"}]}, (404, "quotes.0.document_id")),
        ({"quotes": [HOURS], "filters": {"year": {"near": 3}}}, (422, "filters.year")),
        ({"quotes": [HOURS], "index": "nowhere"}, (404, "index")),
        ({"quotes": [HOURS], "index": "../etc"}, (422, "index")),
        ({"quotes": [HOURS], "colour": "red"}, (422, "colour")),
    ],
)
def test_rejects_invalid_requests(service: TestClient, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert read_problem(service.post("/v1/verify", json=body)) == expected


def test_a_key_may_verify_in_its_index_only(open_service: Opener) -> None:
    service = open_service()
    service.put("/v1/indexes/other")
    key = Keys(service.app.state.services.engine.indexes.folder).create("desk", "read", "other")  # type: ignore[attr-defined]
    headers = {"X-API-Key": key}
    body = {"quotes": [HOURS]}
    assert service.post("/v1/verify", json=body, headers=headers).status_code == 403
    assert service.post("/v1/verify", json={**body, "index": "other"}, headers=headers).status_code == 200
    assert service.post("/v1/verify", json=body).status_code == 401


def test_waits_for_a_slot_and_is_timed(open_service: Opener) -> None:
    service = open_service(max_questions=1)
    verify(service, HOURS)
    assert metrics(service)["qa_stage_seconds_count", "search"] == 1
    with service.app.state.services.questions.admit():  # type: ignore[attr-defined]
        response = service.post("/v1/verify", json={"quotes": [HOURS]})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
