from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.engine import Engine
from qa.errors import Unavailable
from qa.service.keys import Keys
from qa.service.service_db import InProgress, Reply, ServiceDatabase
from tests.service.conftest import Opener

NOTE = {"text": "The kettle is blue."}
HEADERS = {"Idempotency-Key": "order-1"}


def added(service: TestClient, body: Any = NOTE, **headers: str) -> Any:
    return service.post("/v1/documents", json=body, headers={**HEADERS, **headers})


def revision(service: TestClient) -> int:
    return int(service.get("/v1/indexes/default").json()["revision"])


def test_a_request_that_is_sent_again_gets_the_same_reply(service: TestClient) -> None:
    first = added(service)
    again = added(service)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert first.json()["documents"][0]["status"] == "created"
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert revision(service) == 1
    # Otherwise it would be found unchanged.
    other = added(service, **{"Idempotency-Key": "order-2"})
    assert other.json()["documents"][0]["status"] == "unchanged"


def test_a_key_is_for_one_request(service: TestClient) -> None:
    added(service)
    refused = added(service, {"text": "The kettle is red."})
    assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")
    for key in ("", "x" * 256):
        assert added(service, **{"Idempotency-Key": key}).status_code == 422
    # The same words in another call are another key.
    assert service.post("/v1/documents?index=other", json=NOTE, headers=HEADERS).status_code == 404
    assert service.post("/v1/read", json={"question": "Why?", "text": "So."}, headers=HEADERS).status_code == 200


def test_what_was_refused_may_be_tried_again(service: TestClient) -> None:
    for _ in range(2):
        refused = service.post("/v1/documents?index=books", json=NOTE, headers=HEADERS)
        assert (refused.status_code, "Idempotency-Replayed" in refused.headers) == (404, False)
    service.put("/v1/indexes/books")
    assert service.post("/v1/documents?index=books", json=NOTE, headers=HEADERS).status_code == 201


def test_two_at_once_are_one(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()
    original = Engine.add

    def slow(self: Engine, *given: Any, **named: Any) -> Any:
        began.set()
        assert go_on.wait(30)
        return original(self, *given, **named)

    monkeypatch.setattr(Engine, "add", slow)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(added, service)
        assert began.wait(30)
        refused = added(service)
        go_on.set()
        assert running.result().status_code == 201
    assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")


def test_a_reply_is_for_its_caller_alone(open_service: Opener, tmp_path: Path) -> None:
    service, keys = open_service(), Keys(tmp_path / "indexes")
    one, two = ({"X-API-Key": keys.create(name, "write")} for name in ("one", "two"))
    first = added(service, **one)
    assert (first.status_code, added(service, **one).headers["Idempotency-Replayed"]) == (201, "true")
    theirs = added(service, **two)
    assert theirs.json()["documents"][0]["status"] == "unchanged"
    keys.revoke("one")
    assert added(service, **one).status_code == 401


def test_files_that_are_sent_again(service: TestClient) -> None:
    for replayed in (None, "true"):
        # Each time between other boundaries.
        sent = service.post("/v1/documents/upload", files=[("files", ("a.txt", b"So it is."))], headers=HEADERS)
        assert sent.json()["files"][0]["documents"][0]["status"] == "created"
        assert sent.headers.get("Idempotency-Replayed") == replayed


def test_other_files_are_another_request(service: TestClient) -> None:
    first = service.post("/v1/documents/upload", files=[("files", ("a.txt", b"So it is."))], headers=HEADERS)
    other = service.post("/v1/documents/upload", files=[("files", ("b.txt", b"So it is."))], headers=HEADERS)
    assert (first.status_code, other.status_code, other.json()["field"]) == (200, 422, "Idempotency-Key")


def test_a_body_that_nobody_reads(service: TestClient) -> None:
    first = service.post("/v1/indexes/default/rebuild", json={"unread": True}, headers=HEADERS)
    again = service.post("/v1/indexes/default/rebuild", json={"unread": True}, headers=HEADERS)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert "event: done" in service.get(f"{first.headers['location']}/events").text


def test_a_body_over_the_limit_with_a_key_that_is_known(service: TestClient) -> None:
    added(service)
    parts = (b" " * 1_000_000 for _ in range(70))
    refused = service.post("/v1/documents", content=parts, headers=HEADERS)
    assert (refused.status_code, refused.json()["field"]) == (413, "body")


def test_what_was_done_is_told_even_if_it_cannot_be_remembered(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(ServiceDatabase, "keep", full)
    assert added(service).status_code == 201
    assert revision(service) == 1


def test_replies_that_are_given_again_count_as_calls(open_service: Opener) -> None:
    service = open_service(rate_limit="3/hour")
    codes = [added(service).status_code for _ in range(5)]
    assert codes == [201, 201, 201, 429, 429]


def test_questions_are_asked_anew(service: TestClient) -> None:
    added(service)
    question = {"question": "What colour is the kettle?", "min_confidence": 0}
    for answers in (1, 0):
        reply = service.post("/v1/query", json=question, headers={"Idempotency-Key": "why"})
        assert len(reply.json()["answers"]) >= answers
        assert "Idempotency-Replayed" not in reply.headers
        for document in service.get("/v1/documents").json()["documents"]:
            service.delete(f"/v1/documents/{document['id']}")
    assert reply.json()["answers"] == []


def test_replies_are_forgotten_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("qa.service.service_db.time.time", lambda: now)
    reply = Reply("hash", 201, [("content-type", "application/json")], b"{}")
    one, other = ServiceDatabase(tmp_path), ServiceDatabase(tmp_path)
    assert one.claim("k") is None
    with pytest.raises(InProgress):
        other.claim("k")
    one.keep("k", reply)
    assert other.claim("k") == reply
    now += 86_401
    assert one.claim("k") is None
    one.release("k")
    assert other.claim("k") is None
    one.close()
    other.close()


def test_what_a_dead_process_was_doing_is_done_again(tmp_path: Path) -> None:
    claim = "import sys; from pathlib import Path; from qa.service.service_db import ServiceDatabase as S\n"
    claim += "assert S(Path(sys.argv[1])).claim('k') is None"
    subprocess.run([sys.executable, "-c", claim, str(tmp_path)], check=True)
    state = ServiceDatabase(tmp_path)
    assert state.claim("k") is None
    state.close()


def test_calls_and_claims_of_many_threads_are_all_counted(tmp_path: Path) -> None:
    state = ServiceDatabase(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: state.count_call("desk", 300, 3600), range(400)))
        kept = [pool.submit(state.claim, str(n % 100)) for n in range(100)]
        assert all(one.result() is None for one in kept)
    assert sum(counted) == 300
    for number in range(100):
        with pytest.raises(InProgress):
            state.claim(str(number))
    state.close()


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".service.sqlite3").write_bytes(b"this is no database" * 100)
    state = ServiceDatabase(tmp_path)
    with pytest.raises(Unavailable):
        state.claim("k")
    assert state.claim("k") is None
    state.close()
