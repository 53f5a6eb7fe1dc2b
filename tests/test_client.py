from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from qa.client import AsyncClient, Calls, Client
from qa.config import Settings
from qa.engine import Engine
from qa.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
    QAError,
    RateLimited,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from qa.service.keys import Keys
from qa.wire.base import Offset
from qa.wire.documents import DocumentIn
from tests.conftest import serving
from tests.service.test_service import TEXT

HOURS = DocumentIn(id="hours of Ä", text=TEXT, title="Opening hours")
Start = Callable[..., str]


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Start real servers, with any settings."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(
            serving(engine, Settings(index_dir=engine.indexes.folder, **settings))
        )


def test_from_a_document_to_feedback(start: Start, tmp_path: Path) -> None:
    with Client(start()) as client:
        assert client.health().status == "ok"
        assert client.ready().documents == 0
        assert client.add([HOURS]).documents[0].status == "created"
        answer = client.query("Who runs the library?", min_confidence=0).answers[0]
        assert "Ortega" in answer.answer
        assert client.text(answer.document_id or "")[answer.document_offset.start :].startswith(answer.answer)
        (batched,) = client.query_batch(["Who runs the library?"], min_confidence=0).results
        assert batched.answers[0] == answer
        assert client.search("library").passages[0].document_id == HOURS.id
        assert "read" in client.search("library", rerank=True).timings_ms
        read = client.read("Who opened the mill?", "Ann Miller opened the mill.", min_confidence=0)
        assert read.answers[0].answer == "Ann Miller"
        offset = Offset(start=answer.document_offset.start, end=answer.document_offset.end)
        assert client.feedback("Who runs it?", answer.document_id or "", "right", offset).id
        assert len(client.export_feedback().data) == 1
        assert client.describe(HOURS.id or "", {"title": None}).title is None
        assert client.document(HOURS.id or "").text == TEXT
        (tmp_path / "kettle.md").write_text("# Kettle\n\nIt is blue.")
        (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
        good, bad = client.upload([tmp_path / "kettle.md", tmp_path / "broken.pdf"]).files
        assert (good.error, len(good.documents)) == (None, 1)
        assert "broken.pdf" in (bad.error or "")
        assert [d.id for d in client.documents(limit=1).documents] == [HOURS.id]
        assert client.create_index("books").documents == 0
        assert [i.name for i in client.indexes().indexes] == ["books", "default"]
        for job in (client.rebuild("books"), client.upload_later([tmp_path / "kettle.md"])):
            while (now := client.job(job.id)).state == "running":
                time.sleep(0.05)
            assert now.state == "done"
        assert (now.files or [])[0].documents[0].status == "unchanged"
        assert client.index("books").generation == 2
        assert client.rollback("books").kind == "rollback"
        while client.jobs().jobs[0].state == "running":
            time.sleep(0.01)
        with pytest.raises(Conflict, match="has ended"):
            client.cancel(job.id)
        client.delete_index("books")
        client.remove(HOURS.id or "")
        assert [i.name for i in client.indexes().indexes] == ["default"]
        assert [d.title for d in client.documents().documents] == ["Kettle"]


def test_the_twin_gives_the_same(start: Start) -> None:
    url = start()

    async def asked() -> list[Any]:
        async with AsyncClient(url) as client:
            await client.add([HOURS])
            results = await asyncio.gather(*(client.query("Who runs the library?", min_confidence=0) for _ in range(4)))
            return [result.answers for result in results]

    made = asyncio.run(asked())
    with Client(url) as client:
        assert made == [client.query("Who runs the library?", min_confidence=0).answers] * 4


def test_every_call_of_the_reference_has_a_method(start: Start) -> None:
    """What is in the OpenAPI document and in no call of the client would be missed here."""
    from qa.client import calls

    made: list[calls.Call[Any]] = [
        calls.query("q"), calls.query_batch(["q"]), calls.read("q", "t"), calls.search("q"), calls.add([]),
        calls.upload([]), calls.upload_later([]), calls.documents(), calls.document("{id}"), calls.text("{id}"),
        calls.describe("{id}", {}), calls.remove("{id}"), calls.indexes(), calls.index("{name}"),
        calls.create_index("{name}"), calls.delete_index("{name}"), calls.rebuild("{name}"), calls.rollback("{name}"),
        calls.jobs(), calls.job("{id}"), calls.cancel("{id}"), calls.feedback("q", "d", "unanswerable"),
        calls.export_feedback(), calls.health(), calls.ready(),
    ]  # fmt: skip
    have = {(call.method, call.path.replace("%7B", "{").replace("%7D", "}")) for call in made}
    with Client(start()) as client:
        described = client._http.get("/openapi.json").json()["paths"]
    wanted = {(method.upper(), path) for path, methods in described.items() for method in methods}
    # Streams, and what is for other programs than clients.
    assert wanted - have == {("GET", "/v1/jobs/{id}/events"), ("GET", "/metrics")}
    assert have <= wanted
    assert len(made) == len([name for name in vars(Calls) if not name.startswith("_")])


def test_errors_are_what_the_engine_would_have_raised(start: Start) -> None:
    url = start()
    with Client(url) as client:
        for call, error, field in (
            (lambda: client.document("nowhere"), NotFound, "id"),
            (lambda: client.query("  "), InvalidInput, "question"),
            (lambda: client.query("Who?", top_k=0), InvalidInput, "top_k"),
            (lambda: client.query("Who is \ud800?"), InvalidInput, None),
            (lambda: client.query("Who?", filters={"year": float("nan")}), InvalidInput, None),
            (lambda: client.document("\ud800"), InvalidInput, None),
            (lambda: client.delete_index("default"), Conflict, "index"),
            (lambda: client.read("Who?", "x" * 200_000), TooLarge, "text"),
        ):
            with pytest.raises(error) as raised:
                call()
            assert (type(raised.value), raised.value.field) == (error, field)
    with pytest.raises(InvalidInput, match="http://a:b"):
        Client("http://a:b")
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidInput, match="cannot be sent"):
            kind(url, key="schlüssel")
    with Client("http://127.0.0.1:1", retries=0) as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        client.health()


def test_keys_and_limits(start: Start, engine: Engine) -> None:
    keys = Keys(engine.indexes.folder)
    url, key = start(rate_limit="2/hour"), keys.create("desk", "read")
    with Client(url) as client, pytest.raises(Unauthorized):
        client.indexes()
    with Client(url, key=key) as client:
        client.indexes()
        with pytest.raises(Forbidden):
            client.add([HOURS])
        # An hour is longer than anybody waits.
        with pytest.raises(RateLimited) as refused:
            client.indexes()
        assert 1 <= refused.value.retry_after_s <= 3600


class _Moody(BaseHTTPRequestHandler):
    """Answers with what the test put into `replies`: a status with headers, or nothing and a closed connection."""

    replies: ClassVar[list[tuple[int, dict[str, str]] | None]] = []
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        reply = self.replies.pop(0) if self.replies else (200, {})
        if reply is None:
            self.connection.close()
            return
        status, headers = reply
        body = b'{"status": "ok", "version": "1"}' if status == 200 else b'{"detail": "later", "status": 503}'
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def moody() -> Iterator[str]:
    _Moody.replies, _Moody.seen = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Moody) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_refused_for_now_is_sent_again(moody: str) -> None:
    _Moody.replies = [(503, {"Retry-After": "0"}), None, (429, {"Retry-After": "0"})]
    with Client(moody) as client:
        assert client.health().status == "ok"
    assert len(_Moody.seen) == 4


def test_but_not_for_ever(moody: str) -> None:
    _Moody.replies = [(503, {"Retry-After": "0"})] * 9
    with Client(moody, retries=2) as client, pytest.raises(Overloaded, match="later"):
        client.health()
    assert len(_Moody.seen) == 3


def test_what_may_have_been_done_is_not_done_again(moody: str) -> None:
    _Moody.replies = [None]
    with Client(moody) as client, pytest.raises(Unavailable):
        client.remove("hours")
    assert len(_Moody.seen) == 1
    _Moody.replies = [(503, {"Retry-After": "0"})]
    with Client(moody) as client:
        client.remove("hours")
    assert len(_Moody.seen) == 3
    # What never reached the server was not done.
    began = time.monotonic()
    with Client("http://127.0.0.1:1", retries=2) as client, pytest.raises(Unavailable):
        client.remove("hours")
    assert time.monotonic() - began > 0.5


def test_another_program_is_told_apart(moody: str) -> None:
    with Client(moody) as client, pytest.raises(QAError, match="not an answer of this service"):
        client.ready()
