from __future__ import annotations

import asyncio
import inspect
import pydoc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from qa.client import AsyncClient, Client
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
from qa.quotations import Quote, QuoteResult
from qa.reports import IngestionReport
from qa.results import HighlightResult
from qa.service.keys import Keys
from qa.types import Document, Unread
from qa.wire.base import Offset
from tests.conftest import serving
from tests.service.test_file_downloads import MANUAL
from tests.service.test_service import TEXT

HOURS = Document("hours of Ä", TEXT, "Opening hours")
Start = Callable[..., str]


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Start real servers, with any settings."""
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(
            serving(engine, Settings(index_dir=engine.indexes.folder, **settings))
        )


def test_adds_asks_labels_and_removes_a_document(start: Start, tmp_path: Path) -> None:
    with Client(start()) as client:
        assert client.health().status == "ok"
        assert client.ready().documents == 0
        assert [document.change for document in client.add([HOURS])] == ["created"]
        answer = client.ask("Who runs the library?", min_confidence=0).answers[0]
        assert "Ortega" in answer.text
        assert client.text(answer.document_id)[answer.span.start :].startswith(answer.text)
        (batched,) = client.ask_batch(["Who runs the library?"], min_confidence=0)
        assert batched.answers[0] == answer
        guess = client.ask("Who runs the library?", min_confidence=1, top_k=1)
        assert (guess.status in ("unsure", "not_found"), guess.has_answer) == (True, False)
        assert (guess.best_guess, len(guess.alternatives), len(guess.passages)) == (answer, 1, 1)
        assert client.ask("Who?", filters={"kind": "letter"}).status == "nothing_to_search"
        assert client.search("library").hits[0].document_id == HOURS.id
        assert "read" in client.search("library", rerank=True).timings_ms
        result = client.read("Who opened the mill?", "Ann Miller opened the mill.", min_confidence=0)
        assert result.answers[0].text == "Ann Miller"
        offset = Offset(start=answer.span.start, end=answer.span.end)
        assert client.feedback("Who runs it?", answer.document_id, "right", offset).id
        assert len(client.export_feedback().data) == 1
        assert client.update(HOURS.id, {"title": None}).title is None
        assert client.document(HOURS.id).text == TEXT
        client.remove(HOURS.id)
        assert client.documents().documents == []


def test_reports_each_added_file(start: Start, tmp_path: Path) -> None:
    (tmp_path / "kettle.md").write_text("# Kettle\n\nIt is blue.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "kettle.md").write_text("# Kettle\n\nIt is green.")
    names = ("kettle.md", "broken.pdf", "again", "missing.txt")
    paths = [*(str(tmp_path / name) for name in names), "-"]
    finished: list[int] = []
    with Client(start()) as client:
        report = client.add_files(paths, progress=finished.append)
        assert [document.change for document in report.documents] == ["created"]
        assert [Path(file.file).name for file in report.files if file.error] == [
            "broken.pdf", "kettle.md", "missing.txt", "-",
        ]  # fmt: skip
        messages = [error.message for error in report.errors]
        assert "broken.pdf" in messages[0]
        assert "same name" in messages[1]
        assert "standard input" in messages[3]
        assert sum(finished) == 3
        assert [document.title for document in client.documents().documents] == ["Kettle"]


def test_adds_a_large_file_by_a_job(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.client.sequences.MAX_SYNCHRONOUS_BYTES", 10)
    (tmp_path / "kettle.md").write_text("# Kettle\n\nIt is blue.")
    url = start()

    async def add() -> IngestionReport:
        async with AsyncClient(url) as client:
            return await client.add_files(tmp_path / "kettle.md")

    with Client(url) as client:
        assert [document.change for document in client.add_files(tmp_path / "kettle.md").documents] == ["created"]
        assert [job.kind for job in client.jobs().jobs] == ["upload"]
        assert [document.change for document in asyncio.run(add()).documents] == ["unchanged"]


def test_manages_indexes_and_follows_jobs(start: Start, tmp_path: Path) -> None:
    (tmp_path / "kettle.md").write_text("# Kettle\n\nIt is blue.")
    with Client(start()) as client:
        assert client.upload([tmp_path / "kettle.md"]).files[0].error is None
        assert client.create_index("books").documents == 0
        assert [index.name for index in client.indexes().indexes] == ["books", "default"]
        for job in (client.rebuild("books"), client.upload_later([tmp_path / "kettle.md"])):
            while (state := client.job(job.id)).state == "running":
                time.sleep(0.05)
            assert state.state == "done"
        assert (state.files or [])[0].documents[0].status == "unchanged"
        assert client.index("books").generation == 2
        assert client.rollback("books").kind == "rollback"
        while client.jobs().jobs[0].state == "running":
            time.sleep(0.01)
        with pytest.raises(Conflict, match="ended"):
            client.cancel(job.id)
        client.delete_index("books")
        assert [index.name for index in client.indexes().indexes] == ["default"]


def test_the_client_returns_what_the_engine_returns(start: Start, engine: Engine) -> None:
    question = "Who runs the library?"
    with Client(start()) as client:
        client.add([Document(HOURS.id, TEXT, HOURS.title, meta={"kind": "hours", "year": 2020})])
        result = client.ask(question, min_confidence=0, include_passages=True)
        expected = engine.ask(question, min_confidence=0, include_passages=True)
        assert replace(result, query_id="", timings_ms={}, passages=()) == replace(
            expected, query_id="", timings_ms={}, passages=()
        )
        for rerank in (False, True):
            hits = client.search(question, rerank=rerank).hits
            for hit, local in zip(hits, engine.search(question, rerank=rerank).hits, strict=True):
                assert (hit.document_id, hit.span, hit.text, hit.score) == (
                    local.document_id,
                    local.span,
                    local.text,
                    local.score,
                )
                assert (hit.meta, hit.title, hit.margin, hit.lexical) == (
                    local.meta,
                    local.title,
                    local.margin,
                    local.lexical,
                )
        assert [hit.text for hit in result.passages] == [hit.text for hit in expected.passages]


def test_the_client_returns_files_and_places_as_the_engine_does(start: Start, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Bedienung – Pumpe.pdf").write_bytes(MANUAL)
    url, question = start(ocr="off"), "How often is the oil filter cleaned?"
    with Client(url) as client:
        report = client.add_files(tmp_path / "Bedienung – Pumpe.pdf")
        ((part,),) = [document.unread for document in report.documents]
        assert (report.files[0].unread, part.page, type(part)) == ([part], 3, Unread)
        (id,) = [document.id for document in report.documents]
        (info,) = engine.documents()
        assert info.unread == (part,)
        file = client.file(id)
        assert file == engine.documents.file(id)
        assert (file.name, file.media_type, file.data) == ("Bedienung – Pumpe.pdf", "application/pdf", MANUAL)
        document = client.document(id)
        assert document.file
        assert (document.file.name, document.file.size) == (file.name, file.size)
        answer, local = (asked.ask(question).answers[0] for asked in (client, engine))
        assert (answer.page, answer.cell, answer.ocr, answer.rectangles) == (2, None, False, local.rectangles)
        assert answer == local
        picture = client.page_image(id, 2, highlight=[answer.span])
        assert picture.startswith(b"\x89PNG")
        assert picture != client.page_image(id, 2)
        with pytest.raises(InvalidInput, match="page 9 is not one of the 3 pages") as raised:
            client.page_image(id, 9)
        assert raised.value.field == "page"
        client.add([HOURS])
        for file_of in (client.file, engine.documents.file):
            with pytest.raises(NotFound, match="has no original file"):
                file_of(HOURS.id)
        assert [d.id for d in client.documents(query="PUMPE").documents] == [id]
        assert [d.id for d in engine.documents(query="PUMPE")] == [id]

    async def get() -> tuple[Any, bytes]:
        async with AsyncClient(url) as client:
            return await client.file(id), await client.page_image(id, 2, highlight=[answer.span])

    assert asyncio.run(get()) == (file, picture)


def test_the_client_names_the_columns_of_tables(
    start: Start, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faq.csv").write_text("q,a,nr\nWho oils the belt?,The keeper oils the belt.,q7\n")
    columns: dict[str, Any] = {"text_column": "a", "title_column": "q", "id_column": "nr"}
    with Client(start()) as client:
        assert client.add_files(tmp_path / "faq.csv", **columns).errors == []
        assert client.text("q7") == "The keeper oils the belt."
        # A job gets them too.
        monkeypatch.setattr("qa.client.sequences.MAX_SYNCHRONOUS_BYTES", 10)
        report = client.add_files(tmp_path / "faq.csv", **columns)
        assert [document.change for document in report.documents] == ["unchanged"]
        assert engine.documents.get("q7")[0].title == "Who oils the belt?"


def test_both_clients_return_the_same(start: Start) -> None:
    url = start()

    async def ask() -> list[Any]:
        async with AsyncClient(url) as client:
            await client.add([HOURS])
            results = await asyncio.gather(*(client.ask("Who runs the library?", min_confidence=0) for _ in range(4)))
            return [result.answers for result in results]

    answers = asyncio.run(ask())
    with Client(url) as client:
        assert answers == [client.ask("Who runs the library?", min_confidence=0).answers] * 4


def test_methods_show_their_signatures_and_documentation() -> None:
    signature = inspect.signature(Client.ask)
    assert list(signature.parameters)[:3] == ["self", "question", "index"]
    assert signature.return_annotation == "QueryResult"
    assert "min_confidence" in inspect.signature(Client.query).parameters
    assert "Answer a question" in (Client.ask.__doc__ or "")
    assert inspect.iscoroutinefunction(AsyncClient.ask)
    for kind in (Client, AsyncClient):
        documentation = pydoc.plain(pydoc.render_doc(kind))
        assert "ask(self, question: 'str'" in documentation
        assert "add_files(self, paths" in documentation


def test_highlights_texts_and_documents(marking: Engine) -> None:
    marking.add([HOURS])
    texts = [("cat", "The cat sleeps."), ("library", TEXT)]
    question = "When does the library open?"

    async def highlight_later(url: str) -> list[HighlightResult]:
        async with AsyncClient(url) as client:
            return await client.highlight(question, texts, prune=True)

    with serving(marking, Settings(index_dir=marking.indexes.folder)) as url, Client(url) as client:
        results = client.highlight(question, texts, prune=True)
        assert results == marking.highlight(question, texts, prune=True) == asyncio.run(highlight_later(url))
        assert [result.status for result in results] == ["not_found", "found"]
        (highlight,) = results[1].highlights
        assert highlight.span.of(TEXT) == highlight.text == "The town library opens at 9:30 on weekdays."
        (stored,) = client.highlight(question, document_ids=[HOURS.id])
        assert (stored.id, stored.highlights, stored.pruned_text) == (HOURS.id, (highlight,), None)
        with pytest.raises(NotFound) as missing:
            client.highlight(question, document_ids=[HOURS.id, "nowhere"])
        assert missing.value.field == "document_ids.1"


def test_finds_quotations(engine: Engine) -> None:
    engine.add([HOURS])
    quotes: list[str | Quote] = ["the town  library opens at 9:30", Quote("On Mondays it opens at noon", HOURS.id)]

    async def verify_later(url: str) -> list[QuoteResult]:
        async with AsyncClient(url) as client:
            return await client.verify_quotes(quotes)

    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url, Client(url) as client:
        results = client.verify_quotes(quotes)
        assert results == engine.verify_quotes(quotes) == asyncio.run(verify_later(url))
        assert [result.found for result in results] == [True, False]
        (match,) = results[0].matches
        assert match.span.of(TEXT) == match.text == "The town library opens at 9:30"
        assert [part.quoted for part in results[1].matches[0].difference] == ["Mondays"]
        with pytest.raises(NotFound) as missing:
            client.verify_quotes([Quote("the library", "nowhere")])
        assert missing.value.field == "quotes.0.document_id"


def test_engine_and_client_methods_take_the_same_arguments() -> None:
    names = (
        "ask",
        "ask_batch",
        "search",
        "read",
        "highlight",
        "extract",
        "verify_quotes",
        "add",
        "add_files",
        "remove",
    )
    for name in names:
        engine_names = set(inspect.signature(getattr(Engine, name)).parameters)
        client_names = set(inspect.signature(getattr(Client, name)).parameters)
        shared = engine_names & client_names
        assert {"self"} < shared
        # The client lacks arguments that need local files or the engine's process.
        only_local = {"by_sentence", "marks", "boxes", "tables", "meta", "dry_run"}
        assert engine_names - client_names <= only_local
        assert client_names <= engine_names


def test_deprecated_names_of_version_0_1_warn_and_work(start: Start) -> None:
    with Client(start()) as client:
        client.add([HOURS])
        with pytest.warns(DeprecationWarning, match=r"Client\.query is deprecated; use Client\.ask"):
            response = client.query("Who runs the library?", min_confidence=0)
        with pytest.warns(DeprecationWarning, match=r"Client\.query_batch"):
            (batched,) = client.query_batch(["Who runs the library?"], min_confidence=0).results
        assert batched.answers == response.answers
        with pytest.warns(DeprecationWarning, match=r"Client\.describe"):
            client.describe(HOURS.id, {"title": None})
        answer = client.ask("Who runs the library?", min_confidence=0).answers[0]
        with pytest.warns(DeprecationWarning, match=r"Answer\.answer is deprecated; use Answer\.text"):
            assert answer.answer == response.answers[0].answer
        with pytest.warns(DeprecationWarning, match=r"Answer\.document_offset"):
            assert answer.document_offset.start == response.answers[0].document_offset.start


def test_every_call_of_the_reference_has_a_method(start: Start) -> None:
    """Fail on a path of the OpenAPI document that no method of the client calls."""
    from qa.client import calls, document_calls, extract_calls
    from qa.client.requests import Call

    page: Any = "{n}"
    built: list[Call[Any]] = [
        calls.ask("q"), calls.ask_batch(["q"]), calls.read("q", "t"), calls.search("q"),
        calls.highlight("q"), calls.verify_quotes(["the quotation"]), extract_calls.extract("q")(None),
        extract_calls.extract_later("q"), extract_calls.extracted_rows("{id}"), extract_calls.extracted_csv("{id}"),
        document_calls.add([]), document_calls.upload([]), document_calls.upload_later([]),
        document_calls.documents(), document_calls.document("{id}"), document_calls.text("{id}"),
        document_calls.file("{id}"), document_calls.page_image("{id}", page), document_calls.update("{id}", {}),
        document_calls.remove("{id}"), calls.indexes(), calls.index("{name}"),
        calls.create_index("{name}"), calls.delete_index("{name}"), calls.rebuild("{name}"), calls.rollback("{name}"),
        calls.jobs(), calls.job("{id}"), calls.cancel("{id}"), calls.feedback("q", "d", "unanswerable"),
        calls.export_feedback(), calls.health(), calls.ready(),
    ]  # fmt: skip
    called = {(call.method, call.path.replace("%7B", "{").replace("%7D", "}")) for call in built}
    with Client(start()) as client:
        paths = client._http.get("/openapi.json").json()["paths"]
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    # A stream of events, and the metrics for monitoring.
    assert documented - called == {("GET", "/v1/jobs/{id}/events"), ("GET", "/metrics")}
    assert called <= documented
    methods = {name for name in vars(Client) if not name.startswith("_")}
    assert methods == {name for name in vars(AsyncClient) if not name.startswith("_")}
    helpers = {"send", "run", "close", "add_files", "query", "query_batch", "describe"}
    assert len(built) == len(methods - helpers)


def test_raises_the_errors_of_the_engine(start: Start) -> None:
    url = start()
    with Client(url) as client:
        for call, error, field in (
            (lambda: client.document("nowhere"), NotFound, "id"),
            (lambda: client.ask("  "), InvalidInput, "question"),
            (lambda: client.ask("Who?", top_k=0), InvalidInput, "top_k"),
            (lambda: client.ask("Who is \ud800?"), InvalidInput, None),
            (lambda: client.ask("Who?", filters={"year": float("nan")}), InvalidInput, None),
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
        with pytest.raises(InvalidInput, match="cannot be encoded"):
            kind(url, key="schlüssel")
    with Client("http://127.0.0.1:1", retries=0) as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        client.health()


def test_raises_errors_for_keys_and_rate_limits(start: Start, engine: Engine) -> None:
    keys = Keys(engine.indexes.folder)
    url, key = start(rate_limit="2/hour"), keys.create("desk", "read")
    with Client(url) as client, pytest.raises(Unauthorized):
        client.indexes()
    with Client(url, key=key) as client:
        client.indexes()
        with pytest.raises(Forbidden):
            client.add([HOURS])
        # The client does not wait for an hour.
        with pytest.raises(RateLimited) as rejected:
            client.indexes()
        assert 1 <= rejected.value.retry_after_s <= 3600


class _FlakyServer(BaseHTTPRequestHandler):
    """Sends the next of `replies`: a status with headers; None closes the connection without a response."""

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
def flaky_server() -> Iterator[str]:
    _FlakyServer.replies, _FlakyServer.seen = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), _FlakyServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_retries_rejected_requests(flaky_server: str) -> None:
    _FlakyServer.replies = [(503, {"Retry-After": "0"}), None, (429, {"Retry-After": "0"})]
    with Client(flaky_server) as client:
        assert client.health().status == "ok"
    assert len(_FlakyServer.seen) == 4


def test_limits_retries(flaky_server: str) -> None:
    _FlakyServer.replies = [(503, {"Retry-After": "0"})] * 9
    with Client(flaky_server, retries=2) as client, pytest.raises(Overloaded, match="later"):
        client.health()
    assert len(_FlakyServer.seen) == 3


def test_does_not_repeat_requests_that_may_have_been_carried_out(flaky_server: str) -> None:
    _FlakyServer.replies = [None]
    with Client(flaky_server) as client, pytest.raises(Unavailable):
        client.remove("hours")
    assert len(_FlakyServer.seen) == 1
    _FlakyServer.replies = [(503, {"Retry-After": "0"})]
    with Client(flaky_server) as client:
        client.remove("hours")
    assert len(_FlakyServer.seen) == 3
    # A request that never reached the server is retried.
    started = time.monotonic()
    with Client("http://127.0.0.1:1", retries=2) as client, pytest.raises(Unavailable):
        client.remove("hours")
    assert time.monotonic() - started > 0.5


def test_rejects_a_server_that_is_not_spanlight(flaky_server: str) -> None:
    with Client(flaky_server) as client, pytest.raises(QAError, match="not that of a spanlight server"):
        client.ready()
