"""A request that is sent again because its reply was lost is not done again: it gets that reply.

As the IETF's draft on the header `Idempotency-Key` has it. What failed is not remembered: it changed nothing.
"""

from __future__ import annotations

import hashlib
import logging
from email.message import Message as Header

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import QAError, RateLimited, Unavailable
from qa.service.callers import Callers
from qa.service.problems import problem
from qa.service.service_db import InProgress, Reply, ServiceDatabase
from qa.validation import MAX_IDEMPOTENCY_KEY
from qa.wire.base import IDEMPOTENCY_KEY, PREFIX

REPLAYED = "Idempotency-Replayed"
# Calls that change something. Of questions no reply is kept: it would quote documents that may be removed meanwhile.
_CHANGING = tuple(f"{PREFIX}/{noun}" for noun in ("documents", "feedback", "indexes"))
# Theirs are headers of that one response.
_NOT_KEPT = {b"date", b"server"}

_log = logging.getLogger(__name__)


class Idempotency:
    """ASGI middleware: keeps for a day what a `POST` with the header was answered with, and answers so again."""

    def __init__(self, app: ASGIApp, state: ServiceDatabase, callers: Callers) -> None:
        self._app = app
        self._state = state
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as the one before."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        given = headers.get(IDEMPOTENCY_KEY)
        if given is None or scope["method"] != "POST" or not scope["path"].startswith(_CHANGING):
            await self._app(scope, receive, send)
            return
        if not 0 < len(given) <= MAX_IDEMPOTENCY_KEY:
            refused = problem(422, f"from 1 to {MAX_IDEMPOTENCY_KEY} characters", IDEMPOTENCY_KEY)
            await refused(scope, receive, send)
            return
        try:
            caller = self._callers.known(headers.get("authorization"), headers.get("x-api-key"))
        except QAError:
            # It is refused there, and nothing is given again to a key that was revoked.
            await self._app(scope, receive, send)
            return
        key = _scoped(scope, caller.sha256, given)
        try:
            known = await to_thread.run_sync(self._state.claim, key)
            if known:
                address = scope["client"][0] if scope.get("client") else ""
                await to_thread.run_sync(self._callers.count, caller, address)
        except InProgress:
            told = "the request with this key is being worked on"
            await problem(409, told, IDEMPOTENCY_KEY, {"Retry-After": "1"})(scope, receive, send)
        except RateLimited as error:
            await problem(429, error.message, None, {"Retry-After": str(error.retry_after_s)})(scope, receive, send)
        except Unavailable as error:
            await problem(503, error.message)(scope, receive, send)
        else:
            await (self._repeat(known, scope, receive, send) if known else self._do(key, scope, receive, send))

    async def _do(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _Digest(scope)
        started: Message = {}
        body: list[bytes] = []

        async def read() -> Message:
            message = await receive()
            digest.add(message)
            return message

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    # Before the last of it is sent: whoever has it whole may rely on it.
                    while not digest.whole:
                        await read()
                    await self._keep(key, digest.told(), started, b"".join(body))
            await send(message)

        try:
            await self._app(scope, read, noted)
        except Exception:
            await self._settle(key, None)
            raise

    async def _keep(self, key: str, request: str, started: Message, body: bytes) -> None:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in started["headers"] if n not in _NOT_KEPT]
        done = 200 <= started["status"] < 300
        await self._settle(key, Reply(request, started["status"], headers, body) if done else None)

    async def _settle(self, key: str, reply: Reply | None) -> None:
        """Remember a reply, or that there is none; if that fails, what was done is told all the same."""
        try:
            if reply:
                await to_thread.run_sync(self._state.keep, key, reply)
            else:
                await to_thread.run_sync(self._state.release, key)
        except QAError as error:
            _log.warning("a reply cannot be given again: %s", error.message)

    async def _repeat(self, known: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _Digest(scope)
        try:
            while not digest.whole:
                digest.add(await receive())
        except HTTPException as error:
            await problem(error.status_code, str(error.detail), "body")(scope, receive, send)
            return
        if digest.told() != known.request:
            refused = problem(422, "this key was used for another request", IDEMPOTENCY_KEY)
            await refused(scope, receive, send)
            return
        response = Response(known.body, known.status)
        response.raw_headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in known.headers]
        response.headers[REPLAYED] = "true"
        await response(scope, receive, send)


class _Digest:
    """Of a body as it comes; without the boundaries between files, which are others each time they are sent."""

    def __init__(self, scope: Scope) -> None:
        header = Header()
        header["Content-Type"] = Headers(scope=scope).get("content-type", "")
        self._boundary = str(header.get_param("boundary", "")).encode("utf-8", "replace")
        self._hash = hashlib.sha256()
        self._tail = b""
        self.whole = False

    def add(self, message: Message) -> None:
        """Take in a part of the body."""
        self.whole = message["type"] != "http.request" or not message.get("more_body", False)
        part = self._tail + message.get("body", b"")
        if self._boundary:
            part = part.replace(self._boundary, b"")
        # A boundary may go on in the next part.
        held = max(0, len(part) - max(0, len(self._boundary) - 1))
        self._hash.update(part[:held])
        self._tail = part[held:]

    def told(self) -> str:
        """Return the hash of what was taken in."""
        whole = self._hash.copy()
        whole.update(self._tail)
        return whole.hexdigest()


def _scoped(scope: Scope, who: str, given: str) -> str:
    """Return a key for this call by this caller: others may use the same words."""
    query = scope["query_string"].decode("latin-1")
    return hashlib.sha256("\0".join((who, scope["path"], query, given)).encode("utf-8", "replace")).hexdigest()
