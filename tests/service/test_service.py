from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from qa.engine import Engine
from qa.service.routes import documents
from tests.service.conftest import Opener

TEXT = (
    "The town library opens at 9:30 on weekdays.\r\nOn Sundays it opens at noon 🙂. Ms. Ortega has run it since 2011."
)
DOCUMENT = {
    "id": "hours",
    "title": "Opening hours",
    "text": TEXT,
    "uri": "file:///hours.txt",
    "meta": {"kind": "notice"},
}


def ask(service: TestClient, question: str = "Who runs the library?", **options: Any) -> dict[str, Any]:
    response = service.post("/v1/query", json={"question": question, "min_confidence": 0, **options})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_an_answer_has_the_documented_fields(service: TestClient) -> None:
    assert service.post("/v1/documents", json=DOCUMENT).status_code == 201
    body = ask(service)
    assert set(body) == {
        "query_id", "question", "corrected", "status", "has_answer", "no_answer_score", "answers", "best_guess",
        "alternatives", "evidence", "passages", "index", "generation", "revision", "timings_ms",
    }  # fmt: skip
    answer = body["answers"][0]
    assert set(answer) == {
        "answer", "score", "confidence", "document_id", "title", "uri", "meta", "page", "section", "document_offset",
        "context", "context_offset", "passage_id", "rectangles", "components", "support", "cell", "ocr",
        "kind", "items",
    }  # fmt: skip
    assert set(answer["components"]) == {"lexical", "dense", "reader", "null"}
    assert set(body["timings_ms"]) == {"embed", "search", "read", "total"}
    assert "Ortega" in answer["answer"]
    start, end = answer["document_offset"]["start"], answer["document_offset"]["end"]
    assert TEXT[start:end] == answer["answer"]
    start, end = answer["context_offset"]["start"], answer["context_offset"]["end"]
    assert answer["context"][start:end] == answer["answer"]
    assert (answer["document_id"], answer["title"], answer["uri"]) == ("hours", "Opening hours", "file:///hours.txt")
    assert answer["meta"] == {"kind": "notice"}
    assert (answer["page"], answer["section"], body["passages"], body["best_guess"]) == (None, None, None, None)
    assert (body["index"], body["generation"], body["revision"]) == ("default", 1, 1)
    assert (body["status"], body["has_answer"], body["corrected"]) == ("answered", True, None)
    assert (body["alternatives"], answer["kind"], answer["items"]) == ([], "span", [])
    (unit,) = body["evidence"]
    assert unit["text"] == TEXT[unit["start"] : unit["end"]] == "Ms. Ortega has run it since 2011."
    assert (unit["document_id"], unit["url"], unit["page"], unit["section"]) == (
        "hours",
        "file:///hours.txt",
        None,
        None,
    )
    assert 0 < unit["score"] < 1


@pytest.mark.parametrize("include_passages", [True, False])
def test_without_an_answer_there_are_a_guess_alternatives_and_passages(
    service: TestClient, include_passages: bool
) -> None:
    tea = [{"id": f"tea-{n}", "text": f"Tea number {n} is named after Ms. Berg."} for n in range(4)]
    service.post("/v1/documents", json=[DOCUMENT, *tea])
    body = ask(service, "Who runs the library?", min_confidence=1, top_k=2, include_passages=include_passages)
    assert body["status"] in ("unsure", "not_found")
    assert (body["has_answer"], body["answers"]) == (False, [])
    confidences = [answer["confidence"] for answer in [body["best_guess"], *body["alternatives"]]]
    assert len(body["alternatives"]) == 2
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] < 1
    assert len(body["passages"]) == 3
    scores = [passage["score"] for passage in body["passages"]]
    assert scores == sorted(scores, reverse=True)
    given = ask(service, "Who runs the library?", min_confidence=0, top_k=3)["answers"]
    assert given == [body["best_guess"], *body["alternatives"]]


def test_status_is_the_same_alone_and_in_a_batch(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    questions = ["When does the library open on Sundays?", "What does a ticket to the opera cost?"]
    alone = [service.post("/v1/query", json={"question": question}).json() for question in questions]
    batch = service.post("/v1/query/batch", json={"questions": questions}).json()["results"]
    fields = ("status", "has_answer", "answers", "best_guess", "alternatives", "passages", "corrected", "evidence")
    assert [[result[field] for field in fields] for result in batch] == [[r[field] for field in fields] for r in alone]
    for result in alone:
        assert result["has_answer"] == (result["status"] == "answered") == bool(result["answers"])
    assert alone[1]["status"] == "not_found"


@pytest.mark.parametrize("filters", [{}, {"kind": "letter"}, {"document_id": "nowhere"}], ids=str)
def test_there_is_nothing_to_search_without_a_document(service: TestClient, filters: dict[str, str]) -> None:
    if filters:
        service.post("/v1/documents", json=DOCUMENT)
    body = ask(service, filters=filters)
    assert (body["status"], body["has_answer"], body["no_answer_score"]) == ("nothing_to_search", False, 1.0)
    assert (body["answers"], body["best_guess"], body["alternatives"], body["passages"]) == ([], None, [], [])


def test_returns_passages_on_request(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    (passage,) = ask(service, include_passages=True)["passages"]
    assert passage["text"] == TEXT
    assert passage["document_offset"] == {"start": 0, "end": len(TEXT)}


def test_a_batch_returns_the_results_of_its_single_questions(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    questions = ["Who runs the library?", "When does it open on Sundays?", "Who runs the library?"]
    response = service.post("/v1/query/batch", json={"questions": questions, "min_confidence": 0})
    results = response.json()["results"]
    assert [r["question"] for r in results] == questions
    assert [r["answers"] for r in results] == [ask(service, q)["answers"] for q in questions]


def test_reads_a_text_without_an_index(service: TestClient) -> None:
    body = service.post(
        "/v1/read", json={"question": "Who runs the library?", "text": TEXT, "min_confidence": 0}
    ).json()
    answer = body["answers"][0]
    assert TEXT[answer["document_offset"]["start"] : answer["document_offset"]["end"]] == answer["answer"]
    assert (answer["document_id"], answer["passage_id"], body["index"], body["revision"]) == (None, None, None, None)
    assert (body["status"], body["passages"]) == ("answered", None)


def test_reading_a_text_without_an_answer_returns_a_guess_and_alternatives(service: TestClient) -> None:
    asked = {"question": "Who runs the library?", "text": TEXT, "min_confidence": 1, "top_k": 2}
    body = service.post("/v1/read", json=asked).json()
    assert body["status"] in ("unsure", "not_found")
    assert (body["has_answer"], body["answers"], body["passages"]) == (False, [], [])
    for answer in [body["best_guess"], *body["alternatives"]]:
        assert TEXT[answer["document_offset"]["start"] : answer["document_offset"]["end"]] == answer["answer"]
    assert len(body["alternatives"]) == 2


def test_search_returns_passages_with_scores(service: TestClient) -> None:
    service.post("/v1/documents", json=[DOCUMENT, {"id": "tea", "text": "Green tea steeps for two minutes."}])
    body = service.post("/v1/search", json={"question": "when does the library open", "top_k": 2}).json()
    assert [p["document_id"] for p in body["passages"]] == ["hours", "tea"]
    assert body["passages"][0]["score"] > body["passages"][1]["score"]


def test_reranks_a_search_with_the_reader(service: TestClient) -> None:
    # Both texts contain all the words, but only one contains an answer.
    wish = {"id": "wish", "text": "That the library should open on Sundays was the wish of many."}
    service.post("/v1/documents", json=[DOCUMENT, wish])

    def search(**options: object) -> list[dict[str, Any]]:
        body = {"question": "When does the library open on Sundays?", **options}
        return cast(list[dict[str, Any]], service.post("/v1/search", json=body).json()["passages"])

    assert [p["document_id"] for p in search()] == ["wish", "hours"]
    best, second = search(rerank=True)
    assert (best["document_id"], second["document_id"]) == ("hours", "wish")
    assert best["score"] > second["score"]
    assert best["margin"] > second["margin"]
    assert all(0 < p["retrieval"] < 1 for p in (best, second))
    assert search(rerank=True, top_k=1) == [best]
    assert [(p["score"], p["margin"]) for p in search()] == [(p["retrieval"], None) for p in search()]


def test_filters_documents(service: TestClient) -> None:
    rumour = {**DOCUMENT, "id": "other", "meta": {"kind": "rumour"}}
    service.post("/v1/documents", json=[DOCUMENT, rumour])
    answers = ask(service, filters={"kind": "rumour"}, top_k=10)["answers"]
    assert {a["document_id"] for a in answers} == {"other"}
    response = service.post("/v1/query", json={"question": "Who?", "filters": {"kind": {"in": ["a"]}}})
    assert (response.status_code, response.json()["field"]) == (422, "filters.kind")


def test_adds_replaces_and_deletes_documents(service: TestClient) -> None:
    added = service.post("/v1/documents", json=[DOCUMENT, {"text": "No id here."}]).json()["documents"]
    assert [d["status"] for d in added] == ["created", "created"]
    id = added[1]["id"]
    assert service.post("/v1/documents", json={"text": "No id here."}).json()["documents"][0] == {
        **added[1],
        "status": "unchanged",
    }
    assert service.get("/v1/documents/hours").json()["text"] == TEXT
    text = service.get("/v1/documents/hours/text")
    assert text.content.decode() == TEXT
    assert text.headers["content-type"].startswith("text/plain")
    assert service.delete(f"/v1/documents/{id}").status_code == 204
    assert service.get(f"/v1/documents/{id}").status_code == 404
    assert service.delete(f"/v1/documents/{id}").status_code == 404
    replaced = service.post("/v1/documents", json={**DOCUMENT, "text": "Closed."}).json()["documents"][0]
    assert replaced["status"] == "replaced"


def test_adds_large_files_by_a_job(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_SYNCHRONOUS_BYTES", 20)
    files = [("files", ("kettle.txt", b"The kettle is blue.")), ("files", ("broken.pdf", b"%PDF-1.4 nothing"))]
    response = service.post("/v1/documents/upload", files=files)
    assert response.status_code == 202
    job = response.json()
    assert (job["kind"], job["total"], [file["file"] for file in job["files"]]) == (
        "upload",
        2,
        ["kettle.txt", "broken.pdf"],
    )
    events = service.get(f"{response.headers['location']}/events").text
    assert "event: done" in events
    done = service.get(response.headers["location"]).json()
    assert [len(file["documents"]) for file in done["files"]] == [1, 0]
    assert "broken.pdf" in done["files"][1]["error"]
    # The server finds the document at once, although another process added it.
    answer = service.post("/v1/query", json={"question": "What colour is the kettle?", "min_confidence": 0}).json()
    assert answer["answers"][0]["answer"] == "blue"
    # The uploaded copies are deleted.
    engine = service.app.state.services.engine  # type: ignore[attr-defined]
    assert not list((engine.indexes.folder / ".jobs").glob("*.files"))
    waited = service.post("/v1/documents/upload", files=files, headers={"Prefer": "wait"})
    assert (waited.status_code, waited.json()["files"][0]["documents"][0]["status"]) == (200, "unchanged")
    preferred = service.post("/v1/documents/upload", files=files[:1], headers={"Prefer": "respond-async"})
    assert preferred.status_code == 202
    assert service.post("/v1/documents/upload?index=none", files=files).status_code == 404


def test_uploads_files_with_a_result_for_each(service: TestClient) -> None:
    files = [
        ("files", ("house.md", b"# Kitchen\n\nThe kettle is blue.\n\n# Garden\n\nThe gate is green.")),
        ("files", ("bad.pdf", b"%PDF-1.4 nothing")),
        ("files", ("../rows.csv", b"id,text\nr1,One row.\nr2,Another row.\n")),
    ]
    response = service.post("/v1/documents/upload", files=files)
    assert response.status_code == 200
    house, bad, rows = response.json()["files"]
    assert (house["file"], house["error"], house["documents"][0]["status"]) == ("house.md", None, "created")
    assert bad["documents"] == []
    assert "bad.pdf: not a PDF" in bad["error"]
    assert [d["id"] for d in rows["documents"]] == ["r1", "r2"]
    best = ask(service, "What colour is the gate?")["answers"][0]
    assert (best["answer"], best["section"], best["title"]) == ("green", "Garden", "Kitchen")
    again = service.post("/v1/documents/upload", files=files[:1]).json()["files"][0]["documents"]
    assert again == [{**house["documents"][0], "status": "unchanged"}]
    assert service.post("/v1/documents/upload", files=files[:1], params={"index": "none"}).status_code == 404
    assert service.post("/v1/documents/upload", files=files[:1], params={"index": "No!"}).status_code == 422
    header_only = service.post("/v1/documents/upload", files=[("files", ("a.csv", b"id,text\n"))]).json()["files"][0]
    assert header_only["error"] == "a.csv: the table has no rows with text; add rows below the header"
    assert service.post("/v1/documents/upload").status_code == 422


def test_changes_title_and_metadata_but_not_the_text(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    before = ask(service)["answers"][0]
    changed = service.patch("/v1/documents/hours", json={"meta": {"kind": "poster"}})
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["meta"]) == ("Opening hours", {"kind": "poster"})
    after = ask(service, filters={"kind": "poster"})["answers"][0]
    assert after == {**before, "meta": {"kind": "poster"}}
    service.patch("/v1/documents/hours", json={"title": None})
    after = ask(service, filters={"kind": "poster"})["answers"][0]
    assert (after["title"], after["meta"]) == (None, {"kind": "poster"})
    assert (after["answer"], after["document_offset"]) == (before["answer"], before["document_offset"])
    revision = ask(service)["revision"]
    assert service.patch("/v1/documents/hours", json={}).status_code == 200
    assert ask(service)["revision"] == revision
    again = {**DOCUMENT, "title": None, "meta": {"kind": "poster"}}
    assert service.post("/v1/documents", json=again).json()["documents"][0]["status"] == "unchanged"
    assert service.patch("/v1/documents/none", json={"title": "x"}).status_code == 404
    service.patch("/v1/documents/hours", json={"meta": {"kind": 1}})
    assert service.patch("/v1/documents/hours", json={"meta": {"kind": True}}).json()["meta"] == {"kind": True}
    for wrong in ({"text": "x"}, {"meta": {"a": [1]}}, {"title": "x" * 2000}, {"title": 3}):
        assert service.patch("/v1/documents/hours", json=wrong).status_code == 422


def test_creates_and_deletes_indexes(service: TestClient) -> None:
    assert [i["name"] for i in service.get("/v1/indexes").json()["indexes"]] == ["default"]
    assert service.put("/v1/indexes/notes").status_code == 201
    assert service.put("/v1/indexes/notes").status_code == 200
    service.post("/v1/documents", json=DOCUMENT, params={"index": "notes"})
    assert service.get("/v1/indexes/notes").json() == {
        "name": "notes",
        "documents": 1,
        "passages": 1,
        "generation": 1,
        "revision": 1,
    }
    assert "Ortega" in ask(service, index="notes")["answers"][0]["answer"]
    assert service.delete("/v1/indexes/notes").status_code == 204
    for call in (service.get, service.delete):
        assert call("/v1/indexes/notes").status_code == 404
    assert service.post("/v1/query", json={"question": "Who?", "index": "notes"}).status_code == 404
    assert service.put("/v1/indexes/No.Name").status_code == 422
    assert service.delete("/v1/indexes/default").status_code == 409
    assert service.get("/readyz").status_code == 200
    assert service.put("/v1/indexes/notes").json()["documents"] == 0


def test_lists_documents_by_cursor(service: TestClient) -> None:
    ids = [f"d{i}" for i in range(7)]
    service.post("/v1/documents", json=[{"id": id, "text": f"Text {id}"} for id in ids])
    ids_listed, cursor = [], None
    while True:
        page = service.get("/v1/documents", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        ids_listed += [d["id"] for d in page["documents"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert ids_listed == ids


def test_serves_health_readiness_page_and_reference(service: TestClient) -> None:
    assert service.get("/healthz").json()["status"] == "ok"
    assert service.get("/readyz").json()["documents"] == 0
    assert "spanlight" in service.get("/").text
    assert "default-src 'none'" in service.get("/").headers["content-security-policy"]
    reference = service.get("/docs").text
    assert "http://" not in reference.replace("http://testserver", "")
    assert "https://" not in reference
    for asset in re.findall(r'(?:src|href)="(/[^"]+)"', reference):
        assert service.get(asset).status_code == 200
    paths = service.get("/openapi.json").json()["paths"]
    assert {
        "/v1/query",
        "/v1/query/batch",
        "/v1/read",
        "/v1/search",
        "/v1/documents",
        "/v1/documents/upload",
        "/healthz",
    } <= set(paths)


def test_requires_a_key(open_service: Opener) -> None:
    service = open_service(api_keys=("one", "two"))
    for headers in ({}, {"Authorization": "Bearer no"}, {"X-API-Key": "on"}, {"Authorization": "Basic one"}):
        response = service.get("/v1/documents", headers=headers)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
    for headers in ({"Authorization": "Bearer one"}, {"X-API-Key": "two"}):
        assert service.get("/v1/documents", headers=headers).status_code == 200
    assert service.get("/healthz").status_code == 200


def test_rejects_questions_over_the_limit(open_service: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    service = open_service(max_questions=2)
    service.post("/v1/documents", json=DOCUMENT)
    started, proceed = threading.Semaphore(0), threading.Event()
    original = Engine.ask

    def slow(self: Engine, question: str, **options: Any) -> Any:
        started.release()
        assert proceed.wait(30)
        return original(self, question, **options)

    monkeypatch.setattr(Engine, "ask", slow)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(service.post, "/v1/query", json={"question": "Who runs it?"}) for _ in range(2)]
        for _ in running:
            assert started.acquire(timeout=30)
        rejected = service.post("/v1/query", json={"question": "Who runs it?"})
        proceed.set()
        assert [future.result().status_code for future in running] == [200, 200]
    assert rejected.status_code == 503
    assert int(rejected.headers["retry-after"]) >= 1
    assert service.post("/v1/query", json={"question": "Who runs it?"}).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "detail"),
    [
        (b'{"question": "Who runs it?"}', {}, 415, "`Content-Type: application/json`"),
        (b'{"question": "Who runs it?"}', {"Content-Type": "text/plain"}, 415, "`Content-Type: application/json`"),
        (b'{"question": "caf\xe9"}', {"Content-Type": "application/json"}, 400, "not valid UTF-8 (byte 17)"),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400, "not valid JSON: maximum recursion"),
        (
            b'{"question": ' + b"1" * 5_000 + b"}",
            {"Content-Type": "application/json"},
            400,
            "not valid JSON: ",
        ),
        (b'{"question"', {"Content-Type": "application/json"}, 400, "not valid JSON: "),
    ],
)
def test_rejects_a_body_that_is_not_json(
    service: TestClient, content: bytes, headers: dict[str, str], status: int, detail: str
) -> None:
    rejected = service.post("/v1/query", content=content, headers=headers)
    assert (rejected.status_code, rejected.json()["field"]) == (status, "body")
    assert detail in rejected.json()["detail"]


def test_names_the_invalid_question_of_a_batch(service: TestClient) -> None:
    for wrong in (" ", "Who\0?"):
        rejected = service.post("/v1/query/batch", json={"questions": ["Who runs it?", wrong]})
        assert (rejected.status_code, rejected.json()["field"]) == (422, "questions.1")


def test_does_not_overwrite_a_document_that_has_changed(service: TestClient) -> None:
    service.post("/v1/documents", json=DOCUMENT)
    etag = service.get("/v1/documents/hours").headers["ETag"]
    unchanged = service.get("/v1/documents/hours", headers={"If-None-Match": f'"other", {etag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    changed = service.patch("/v1/documents/hours", json={"title": "Hours"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["title"]) == (200, "Hours")
    for rejected in (
        service.patch("/v1/documents/hours", json={"title": "Other"}, headers={"If-Match": etag}),
        service.delete("/v1/documents/hours", headers={"If-Match": etag}),
        service.post("/v1/documents", json=DOCUMENT | {"text": "Other."}, headers={"If-Match": etag}),
        service.post("/v1/documents", json=DOCUMENT | {"id": "gone"}, headers={"If-Match": etag}),
    ):
        assert (rejected.status_code, rejected.json()["field"]) == (412, "If-Match")
    now = service.get("/v1/documents/hours", headers={"If-None-Match": etag})
    assert (now.json()["title"], now.json()["text"]) == ("Hours", DOCUMENT["text"])
    assert service.get("/v1/documents/hours", headers={"If-None-Match": "*"}).status_code == 304
    new = service.post("/v1/documents", json=DOCUMENT | {"text": "Other."}, headers={"If-Match": now.headers["ETag"]})
    assert (new.status_code, new.json()["documents"][0]["status"]) == (201, "replaced")
    for body, tag in (([DOCUMENT], etag), (DOCUMENT, "*")):
        rejected = service.post("/v1/documents", json=body, headers={"If-Match": tag})
        assert (rejected.status_code, rejected.json()["field"]) == (422, "If-Match")
    assert service.delete("/v1/documents/gone", headers={"If-Match": etag}).status_code == 404
    assert service.delete("/v1/documents/hours", headers={"If-Match": "*"}).status_code == 204
