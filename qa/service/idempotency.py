"""A request that is sent again because its reply was lost is not done again: it gets that reply.

As the IETF's draft on the header `Idempotency-Key` has it. What failed is not remembered: it changed nothing.
"""

from __future__ import annotations

import hashlib

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import QAError, Unavailable
from qa.limits import MAX_IDEMPOTENCY_KEY
from qa.service.keys import Keys
from qa.service.problems import problem
from qa.service.shared import InProgress, Reply, ServiceState
from qa.wire.base import IDEMPOTENCY_KEY, PREFIX

REPLAYED = "Idempotency-Replayed"
# Theirs are headers of that one response.
_NOT_KEPT = {b"date", b"server"}


class Idempotency:
    """ASGI middleware: keeps for a day what `POST` with the header was answered with, and answers so again."""

    def __init__(self, app: ASGIApp, state: ServiceState, keys: Keys) -> None:
        self._app = app
        self._state = state
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as the one before."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        given = headers.get(IDEMPOTENCY_KEY)
        if given is None or scope["method"] != "POST" or not scope["path"].startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        if not 0 < len(given) <= MAX_IDEMPOTENCY_KEY:
            refused = problem(422, f"from 1 to {MAX_IDEMPOTENCY_KEY} characters", IDEMPOTENCY_KEY)
            await refused(scope, receive, send)
            return
        who = headers.get("authorization"), headers.get("x-api-key")
        try:
            self._keys.bearer(*who)
        except QAError:
            # It is refused there, and nothing is given again to a key that was revoked.
            await self._app(scope, receive, send)
            return
        key = _scoped(scope, who, given)
        try:
            known = await to_thread.run_sync(self._state.claim, key)
        except InProgress:
            told = "the request with this key is being worked on"
            refused = problem(409, told, IDEMPOTENCY_KEY, {"Retry-After": "1"})
            await refused(scope, receive, send)
        except Unavailable as error:
            await problem(503, error.message)(scope, receive, send)
        else:
            await (self._repeat(known, scope, receive, send) if known else self._do(key, scope, receive, send))

    async def _do(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _Digest(scope)
        started: Message = {}
        body: list[bytes] = []

        async def hashed() -> Message:
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
                    await self._keep(key, digest.told(), started, b"".join(body))
            await send(message)

        try:
            await self._app(scope, hashed, noted)
        except Exception:
            await to_thread.run_sync(self._state.release, key)
            raise

    async def _keep(self, key: str, request: str, started: Message, body: bytes) -> None:
        if not 200 <= started["status"] < 300:
            await to_thread.run_sync(self._state.release, key)
            return
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in started["headers"] if n not in _NOT_KEPT]
        await to_thread.run_sync(self._state.keep, key, Reply(request, started["status"], headers, body))

    async def _repeat(self, known: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        digest, more = _Digest(scope), True
        while more:
            message = await receive()
            digest.add(message)
            more = message["type"] == "http.request" and message.get("more_body", False)
        if digest.told() != known.request:
            refused = problem(422, "this key was used for another request", IDEMPOTENCY_KEY)
            await refused(scope, receive, send)
            return
        response = Response(known.body, known.status)
        response.raw_headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in known.headers]
        response.headers[REPLAYED] = "true"
        await response(scope, receive, send)


class _Digest:
    """Of a body as it comes; files are not told apart: each time they are sent they stand between other boundaries."""

    def __init__(self, scope: Scope) -> None:
        self._whole = not Headers(scope=scope).get("content-type", "").startswith("multipart/")
        self._hash = hashlib.sha256()

    def add(self, message: Message) -> None:
        """Take in a part of the body."""
        if self._whole:
            self._hash.update(message.get("body", b""))

    def told(self) -> str:
        """Return the hash of what was taken in."""
        return self._hash.hexdigest()


def _scoped(scope: Scope, who: tuple[str | None, str | None], given: str) -> str:
    """Return a key for this call by this caller: others may use the same words."""
    query = scope["query_string"].decode("latin-1")
    parts = (*(one or "" for one in who), scope["path"], query, given)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
