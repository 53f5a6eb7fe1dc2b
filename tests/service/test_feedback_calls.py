from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.service.test_service import DOCUMENT, TEXT, ask


def test_exports_an_answer_marked_right_as_a_labelled_question(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    result = ask(service)
    answer = result["answers"][0]
    response = service.post(
        "/v1/feedback",
        json={
            "question": result["question"],
            "query_id": result["query_id"],
            "document_id": answer["document_id"],
            "document_offset": answer["document_offset"],
            "verdict": "right",
            "comment": "as it says on the door",
        },
    )
    assert response.status_code == 201
    exported = service.get("/v1/feedback/export").json()
    (article,) = exported["data"]
    assert (exported["version"], exported["left_out"], article["title"]) == ("v2.0", 0, "Opening hours")
    (paragraph,) = article["paragraphs"]
    assert paragraph["context"] == TEXT
    assert paragraph["qas"] == [
        {
            "id": response.json()["id"],
            "question": "Who runs the library?",
            "is_impossible": False,
            "answers": [{"text": answer["answer"], "answer_start": answer["document_offset"]["start"]}],
        }
    ]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"document_id": "nowhere"}, 404, "id"),
        ({"verdict": "perhaps"}, 422, "verdict"),
        ({"document_offset": None}, 422, "document_offset"),
        ({"document_offset": {"start": 5, "end": 2}}, 422, "document_offset"),
        ({"document_offset": {"start": -1, "end": 2}}, 422, "document_offset"),
        ({"document_offset": {"start": 0, "end": 10_000}}, 422, "document_offset"),
        ({"question": "  "}, 422, "question"),
        ({"comment": "x" * 20_000}, 422, "comment"),
        ({"query_id": "\0"}, 422, "query_id"),
        ({"rating": 5}, 422, "rating"),
    ],
)
def test_rejects_invalid_feedback(service: TestClient, change: dict[str, object], status: int, field: str) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    body = {"question": "When?", "document_id": "hours", "verdict": "right", "document_offset": {"start": 4, "end": 8}}
    response = service.post("/v1/feedback", json={**body, **change})
    assert (response.status_code, response.json()["field"]) == (status, field)
    assert service.get("/v1/feedback/export").json() == {"version": "v2.0", "data": [], "left_out": 0}


def test_rejects_an_unknown_index(service: TestClient) -> None:
    assert service.get("/v1/feedback/export?index=nowhere").status_code == 404
