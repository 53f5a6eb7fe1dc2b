"""Clients that open connections and send little: the server stays available to all others."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request

from qa.config import Settings
from qa.service import problems
from qa.service.body_limit import BodyBudget, BodyLimit
from qa.service.connections import ConnectionLimits, LimitedConnection
from qa.service.server import _config

HALF = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n"


def small_app(budget: BodyBudget) -> FastAPI:
    app = FastAPI()
    app.add_middleware(BodyLimit, budget=budget, seconds=0.3)
    problems.install(app)

    @app.get("/healthz")
    async def healthz() -> str:
        return "alive"

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1.5)
        return "done"

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/unread")
    async def unread() -> str:
        return "not read"

    return app


@contextmanager
def serving(limits: ConnectionLimits) -> Iterator[tuple[int, uvicorn.Server]]:
    """Run a small application with limited connections; yield its port."""
    config = uvicorn.Config(
        small_app(BodyBudget(1_000_000)),
        http=partial(LimitedConnection, limits=limits),  # type: ignore[arg-type]
        ws="none",
        log_level="warning",
        timeout_graceful_shutdown=20,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(30)


def connect(port: int, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(data)
    return connection


def receive_all(connection: socket.socket) -> bytes:
    """Return everything until the server closes the connection; empty if it resets it."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return received


def send_slowly(connection: socket.socket, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.sendall(b"a")
        time.sleep(0.1)


def test_serves_others_while_one_client_holds_half_sent_headers() -> None:
    with serving(ConnectionLimits(total=40, per_address=40, header_seconds=60)) as (port, _), ExitStack() as stack:
        for _n in range(200):
            stack.enter_context(connect(port, HALF))
        started = time.monotonic()
        with connect(port, WHOLE) as client:
            assert receive_all(client).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("sent", [b"", HALF, b"GET"])
def test_closes_a_connection_whose_headers_do_not_arrive(sent: bytes) -> None:
    with serving(ConnectionLimits(10, 10, header_seconds=0.3)) as (port, _), connect(port, sent) as client:
        assert receive_all(client) == b""


def test_a_client_that_sends_a_header_now_and_then_does_not_extend_the_deadline() -> None:
    with (
        serving(ConnectionLimits(10, 10, header_seconds=0.5)) as (port, _),
        connect(port, HALF) as client,
        pytest.raises(OSError, match=r"reset|pipe"),
    ):
        send_slowly(client, seconds=20)


def test_a_second_request_has_a_deadline_too() -> None:
    with serving(ConnectionLimits(10, 10, header_seconds=0.3)) as (port, _), connect(port) as client:
        client.sendall(WHOLE.replace(b"Connection: close\r\n", b"") + HALF)
        received = receive_all(client)
        assert received.count(b"HTTP/1.1 200") <= 1


def test_a_request_that_takes_longer_than_its_headers_may_is_answered() -> None:
    slow = WHOLE.replace(b"/healthz", b"/slow")
    with serving(ConnectionLimits(10, 10, header_seconds=0.2)) as (port, _), connect(port, slow) as client:
        assert receive_all(client).endswith(b'"done"')


def test_a_body_that_does_not_arrive_is_408() -> None:
    with serving(ConnectionLimits(10, 10, header_seconds=0.3)) as (port, _), connect(port, POST + b"half") as client:
        received = receive_all(client)
        assert received.startswith(b"HTTP/1.1 408")
        assert b"application/problem+json" in received


def test_closes_a_connection_whose_body_is_not_read_and_does_not_end() -> None:
    unread = POST.replace(b"/echo", b"/unread") + b"half"
    with serving(ConnectionLimits(10, 10, header_seconds=0.3)) as (port, _), connect(port, unread) as client:
        assert receive_all(client).startswith(b"HTTP/1.1 200")


def test_refuses_a_connection_only_when_all_others_are_answered() -> None:
    with serving(ConnectionLimits(total=10, per_address=2, header_seconds=5)) as (port, _):
        slow = WHOLE.replace(b"/healthz", b"/slow")
        with connect(port, slow) as first, connect(port, slow) as second:
            time.sleep(0.3)
            with connect(port) as third:
                refused = receive_all(third)
            assert refused.startswith(b"HTTP/1.1 503")
            assert b"2 from one address" in refused
            assert b"retry-after: 2" in refused.lower()
            assert receive_all(first).endswith(b'"done"')
            assert receive_all(second).endswith(b'"done"')


def test_stops_soon_although_a_body_is_stalled() -> None:
    with serving(ConnectionLimits(10, 10, header_seconds=30)) as (port, server), connect(port, POST + b"half"):
        time.sleep(0.1)
        server.should_exit = True
        started = time.monotonic()
        while server.server_state.connections:
            assert time.monotonic() < started + 15
            time.sleep(0.05)


def test_the_server_uses_the_limits_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    def limits(descriptors: int, **settings: Any) -> ConnectionLimits:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
        protocol: Any = _config(Settings(**settings), "app").http
        made: ConnectionLimits = protocol.keywords["limits"]
        return made

    assert limits(4096, max_connections=80, header_seconds=3) == ConnectionLimits(80, 80, 3)
    # Half of the descriptors stay free for files.
    assert limits(256) == ConnectionLimits(128, 128, 10)
