from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.errors import Unavailable
from qa.indexing.indexer import Indexer
from qa.service.keys import Keys
from qa.service.service_db import InProgress, Reply, ServiceDatabase
from tests.service.conftest import Opener

NOTE = {"text": "The kettle is blue."}
HEADERS = {"Idempotency-Key": "order-1"}


def add_note(service: TestClient, body: Any = NOTE, **headers: str) -> Any:
    return service.post("/v1/documents", json=body, headers={**HEADERS, **headers})


def revision(service: TestClient) -> int:
    return int(service.get("/v1/indexes/default").json()["revision"])


def test_replays_the_response_to_a_retry(service: TestClient) -> None:
    first = add_note(service)
    again = add_note(service)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert first.json()["documents"][0]["status"] == "created"
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert revision(service) == 1
    # With another key the request runs again, and finds the document unchanged.
    second = add_note(service, **{"Idempotency-Key": "order-2"})
    assert second.json()["documents"][0]["status"] == "unchanged"


def test_rejects_a_key_that_was_used_for_another_request(service: TestClient) -> None:
    add_note(service)
    rejected = add_note(service, {"text": "The kettle is red."})
    assert (rejected.status_code, rejected.json()["field"]) == (422, "Idempotency-Key")
    for key in ("", "x" * 256):
        assert add_note(service, **{"Idempotency-Key": key}).status_code == 422
    # The same key in another call does not match.
    assert service.post("/v1/documents?index=other", json=NOTE, headers=HEADERS).status_code == 404
    assert service.post("/v1/read", json={"question": "Why?", "text": "So."}, headers=HEADERS).status_code == 200


def test_does_not_store_failed_requests(service: TestClient) -> None:
    for _ in range(2):
        rejected = service.post("/v1/documents?index=books", json=NOTE, headers=HEADERS)
        assert (rejected.status_code, "Idempotency-Replayed" in rejected.headers) == (404, False)
    service.put("/v1/indexes/books")
    assert service.post("/v1/documents?index=books", json=NOTE, headers=HEADERS).status_code == 201


def test_rejects_a_retry_while_the_request_runs(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    started, proceed = threading.Event(), threading.Event()
    original = Indexer.add

    def slow(self: Indexer, *args: Any, **options: Any) -> Any:
        started.set()
        assert proceed.wait(30)
        return original(self, *args, **options)

    monkeypatch.setattr(Indexer, "add", slow)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(add_note, service)
        assert started.wait(30)
        rejected = add_note(service)
        proceed.set()
        assert running.result().status_code == 201
    assert (rejected.status_code, rejected.headers["Retry-After"]) == (409, "1")


def test_does_not_replay_to_another_caller(open_service: Opener, tmp_path: Path) -> None:
    service, keys = open_service(), Keys(tmp_path / "indexes")
    owner, stranger = ({"X-API-Key": keys.create(name, "write")} for name in ("one", "two"))
    first = add_note(service, **owner)
    assert (first.status_code, add_note(service, **owner).headers["Idempotency-Replayed"]) == (201, "true")
    reply = add_note(service, **stranger)
    assert reply.json()["documents"][0]["status"] == "unchanged"
    keys.revoke("one")
    assert add_note(service, **owner).status_code == 401


def test_replays_uploads_with_another_boundary(service: TestClient) -> None:
    for replayed in (None, "true"):
        # The client generates a new boundary each time.
        response = service.post("/v1/documents/upload", files=[("files", ("a.txt", b"So it is."))], headers=HEADERS)
        assert response.json()["files"][0]["documents"][0]["status"] == "created"
        assert response.headers.get("Idempotency-Replayed") == replayed


def test_rejects_a_key_that_was_used_for_another_file(service: TestClient) -> None:
    first = service.post("/v1/documents/upload", files=[("files", ("a.txt", b"So it is."))], headers=HEADERS)
    second = service.post("/v1/documents/upload", files=[("files", ("b.txt", b"So it is."))], headers=HEADERS)
    assert (first.status_code, second.status_code, second.json()["field"]) == (200, 422, "Idempotency-Key")


def test_replays_a_call_that_ignores_its_body(service: TestClient) -> None:
    first = service.post("/v1/indexes/default/rebuild", json={"unread": True}, headers=HEADERS)
    again = service.post("/v1/indexes/default/rebuild", json={"unread": True}, headers=HEADERS)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert "event: done" in service.get(f"{first.headers['location']}/events").text


def test_rejects_a_retry_with_a_body_over_the_limit(service: TestClient) -> None:
    add_note(service)
    parts = (b" " * 1_000_000 for _ in range(70))
    rejected = service.post("/v1/documents", content=parts, headers=HEADERS)
    assert (rejected.status_code, rejected.json()["field"]) == (413, "body")


def test_responds_even_if_the_reply_cannot_be_stored(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(ServiceDatabase, "store", fail)
    assert add_note(service).status_code == 201
    assert revision(service) == 1


def test_replays_count_towards_the_rate_limit(open_service: Opener) -> None:
    service = open_service(rate_limit="3/hour")
    codes = [add_note(service).status_code for _ in range(5)]
    assert codes == [201, 201, 201, 429, 429]


def test_never_replays_answers(service: TestClient) -> None:
    add_note(service)
    question = {"question": "What colour is the kettle?", "min_confidence": 0}
    for answers in (1, 0):
        reply = service.post("/v1/query", json=question, headers={"Idempotency-Key": "why"})
        assert len(reply.json()["answers"]) >= answers
        assert "Idempotency-Replayed" not in reply.headers
        for document in service.get("/v1/documents").json()["documents"]:
            service.delete(f"/v1/documents/{document['id']}")
    assert reply.json()["answers"] == []


def test_replies_expire_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("qa.service.service_db.time.time", lambda: now)
    reply = Reply("hash", 201, [("content-type", "application/json")], b"{}")
    first, second = ServiceDatabase(tmp_path), ServiceDatabase(tmp_path)
    assert first.claim("k") is None
    with pytest.raises(InProgress):
        second.claim("k")
    first.store("k", reply)
    assert second.claim("k") == reply
    now += 86_401
    assert first.claim("k") is None
    first.release("k")
    assert second.claim("k") is None
    first.close()
    second.close()


def test_a_key_claimed_by_a_dead_process_is_free(tmp_path: Path) -> None:
    claim = "import sys; from pathlib import Path; from qa.service.service_db import ServiceDatabase as S\n"
    claim += "assert S(Path(sys.argv[1])).claim('k') is None"
    subprocess.run([sys.executable, "-c", claim, str(tmp_path)], check=True)
    database = ServiceDatabase(tmp_path)
    assert database.claim("k") is None
    database.close()


def test_counts_every_call_and_claim_of_many_threads(tmp_path: Path) -> None:
    database = ServiceDatabase(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: database.count_call("desk", 300, 3600), range(400)))
        claims = [pool.submit(database.claim, str(n % 100)) for n in range(100)]
        assert all(claim.result() is None for claim in claims)
    assert sum(counted) == 300
    for number in range(100):
        with pytest.raises(InProgress):
            database.claim(str(number))
    database.close()


def test_replaces_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / ".service.sqlite3").write_bytes(b"not a database" * 100)
    database = ServiceDatabase(tmp_path)
    with pytest.raises(Unavailable, match="not a database"):
        database.claim("k")
    assert database.claim("k") is None
    database.close()
