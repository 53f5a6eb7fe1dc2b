"""What a client without a key can make the server do: nothing that costs memory or time."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.service.body_limit import MAX_BODY_BYTES, BodyBudget, BodyLimit, body_limit
from qa.service.json_tokens import JsonTokens
from tests.service.conftest import Opener
from tests.service.test_keys import calls, headers

JSON = {"Content-Type": "application/json"}


def http_scope(method: str = "POST", path: str = "/v1/documents", **headers: str) -> Scope:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *raw],
        "client": ("203.0.113.7", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "state": {},
    }


async def send_request(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, Any]:
    """Return the status and the JSON body of the response."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages[0]["status"], json.loads(b"".join(m.get("body", b"") for m in messages[1:]) or b"{}")


def test_reads_no_byte_of_a_body_without_a_valid_key(open_service: Opener) -> None:
    app = open_service(api_keys="secret", insecure=True).app
    assert isinstance(app, FastAPI)

    async def receive() -> Message:
        raise AssertionError("the server reads the body")

    async def reject_all() -> int:
        rejected = 0
        for method, path in calls(app):
            for key in ({}, {"authorization": "Bearer wrong"}):
                scope = http_scope(method, path, content_length="63000000", **key)
                status, problem = await send_request(app, scope, receive)
                # After some wrong keys, the address has to wait.
                assert status == problem["status"], (method, path)
                assert status == 401 or (key and status == 429), (method, path)
                rejected += 1
        return rejected

    assert asyncio.run(reject_all()) >= 50


def test_rejects_a_key_at_its_rate_limit_before_the_body(open_service: Opener) -> None:
    service = open_service(api_keys="secret", rate_limit="1/hour")
    key = headers("secret") | JSON
    assert service.get("/v1/documents", headers=key).status_code == 200
    assert service.post("/v1/documents", content=b"{", headers=key).status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "content_type", "limit"),
    [
        ("POST", "/v1/documents", "application/json", MAX_BODY_BYTES),
        ("POST", "/v1/documents/upload", "multipart/form-data; boundary=x", MAX_BODY_BYTES),
        ("POST", "/v1/documents/upload", "application/x-www-form-urlencoded", 2_000_000),
        ("PATCH", "/v1/documents/kettle", "application/json", 16_000_000),
        ("POST", "/v1/highlight", "application/json", 3_000_000),
        ("POST", "/v1/query", "application/json", 2_000_000),
        ("POST", "/v1/feedback", "application/json", 2_000_000),
        ("GET", "/", "", 2_000_000),
    ],
)
def test_each_route_has_a_limit(method: str, path: str, content_type: str, limit: int) -> None:
    assert body_limit(method, path, content_type) == limit


def test_rejects_a_long_body_of_a_question(service: TestClient) -> None:
    response = service.post("/v1/query", content=b" " * 2_000_001, headers=JSON)
    assert (response.status_code, response.json()["field"]) == (413, "body")
    assert "2,000,000 bytes" in response.json()["detail"]


def test_accepts_the_longest_texts_however_they_are_escaped(service: TestClient) -> None:
    escaped = "\\ud83d\\ude00"
    highlight = f'{{"question": "Who?", "texts": [{{"id": "a", "text": "{escaped * 200_000}"}}]}}'
    assert service.post("/v1/highlight", content=highlight, headers=JSON).status_code == 200
    read = f'{{"question": "Who?", "text": "{escaped * 100_000}"}}'
    assert service.post("/v1/read", content=read, headers=JSON).status_code == 200


@pytest.mark.parametrize("bomb", [b"[]," * 5_000_000, b'{"a":' * 3_000_000, b'"",' * 5_000_000, b'""' * 7_000_000])
def test_rejects_a_json_bomb_before_parsing_it(service: TestClient, bomb: bytes) -> None:
    started = time.process_time()
    response = service.post("/v1/documents", content=b"[" + bomb, headers=JSON)
    assert (response.status_code, response.json()["field"]) == (413, "body")
    assert "500,000 JSON" in response.json()["detail"]
    # A parser takes ten times as long.
    assert time.process_time() - started < 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_rejects_json_in_another_encoding_than_utf_8(service: TestClient, encoding: str) -> None:
    response = service.post("/v1/documents", content='{"text": "∀"}'.encode(encoding), headers=JSON)
    assert (response.status_code, response.json()["field"]) == (400, "body")
    assert "UTF-8" in response.json()["detail"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\,[{é', max_size=5),
    lambda values: st.lists(values) | st.dictionaries(st.text('a"\\', max_size=3), values),
)


@given(value=json_values, size=st.integers(1, 7), ascii_only=st.booleans())
def test_counts_the_tokens_of_any_json_in_parts_of_any_size(value: object, size: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    tokens = JsonTokens()
    data = text.encode()
    for start in range(0, len(data), size):
        tokens.add(data[start : start + size])
    strings = r'"(?:[^"\\]|\\.)*"'
    assert abs(tokens.count - len(re.findall(rf"{strings}|[,\[{{]", text))) <= len(re.findall(strings, text))
    structure = re.sub(strings, "", text)
    assert tokens.count >= sum(structure.count(token) for token in ",[{")


def limited(budget: BodyBudget, seconds: float = 10) -> ASGIApp:
    """An application that reads the body and returns its length."""

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    app = FastAPI()
    app.mount("/", read)
    from qa.service import problems

    problems.install(app)
    return BodyLimit(app, budget, seconds)


def test_bounds_the_bytes_of_all_bodies_together() -> None:
    budget = BodyBudget(100)
    app = limited(budget)

    async def scenario() -> None:
        arrived, more = asyncio.Event(), asyncio.Event()
        sent = 0

        async def receive() -> Message:
            nonlocal sent
            if sent:
                arrived.set()
                await more.wait()
                return {"type": "http.request", "body": b"", "more_body": False}
            sent = 60
            return {"type": "http.request", "body": b"x" * sent, "more_body": True}

        async def receive_another() -> Message:
            return {"type": "http.request", "body": b"y" * 41, "more_body": False}

        first = asyncio.create_task(send_request(app, http_scope(), receive))
        await arrived.wait()
        assert budget.held == 60
        for declared in ({}, {"content_length": "41"}):
            status, problem = await send_request(app, http_scope(**declared), receive_another)
            assert (status, problem["field"]) == (503, "body")
            assert "would exceed 100 bytes" in problem["detail"]
        more.set()
        assert await first == (200, 60)
        assert await send_request(app, http_scope(), receive_another) == (200, 41)
        assert budget.held == 0

    asyncio.run(scenario())


def test_rejects_a_body_that_stalls() -> None:
    budget = BodyBudget(100)

    async def scenario() -> tuple[int, dict[str, Any]]:
        parts = iter([b"half of the b"])

        async def receive() -> Message:
            for part in parts:
                return {"type": "http.request", "body": part, "more_body": True}
            await asyncio.sleep(60)
            raise AssertionError

        return await send_request(limited(budget, seconds=0.05), http_scope(), receive)

    status, problem = asyncio.run(scenario())
    assert (status, problem["field"], budget.held) == (408, "body", 0)
    assert "within 0.05 s" in problem["detail"]


def test_the_503_of_the_budget_has_retry_after() -> None:
    service = TestClient(limited(BodyBudget(10)))
    response = service.post("/v1/documents", content=b"x" * 11)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
