"""Idempotency keys: a retried request is not repeated, it gets the response of the first one.

Follows the IETF draft on the `Idempotency-Key` header. Failed requests are not stored, because they changed nothing.
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

from qa.errors import QAError, Unavailable
from qa.service.authentication import authenticated_key
from qa.service.problems import problem, problem_from
from qa.service.service_db import InProgress, Reply, ServiceDatabase
from qa.validation import MAX_IDEMPOTENCY_KEY
from qa.wire.base import IDEMPOTENCY_KEY, PREFIX

REPLAYED = "Idempotency-Replayed"
# Calls that change something. Replies to questions are not stored: they would quote documents that may be removed.
_CHANGING = tuple(f"{PREFIX}/{noun}" for noun in ("documents", "feedback", "indexes", "extract/jobs"))
# Per-response headers; uvicorn sets them again on replay.
_NOT_STORED = {b"date", b"server"}

_log = logging.getLogger(__name__)


class Idempotency:
    """ASGI middleware: stores the response to a `POST` with the header for a day, and replays it to retries."""

    def __init__(self, app: ASGIApp, database: ServiceDatabase) -> None:
        self._app = app
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or replay the response to the first request with its key."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        idempotency_key = headers.get(IDEMPOTENCY_KEY)
        if idempotency_key is None or scope["method"] != "POST" or not scope["path"].startswith(_CHANGING):
            await self._app(scope, receive, send)
            return
        if not 0 < len(idempotency_key) <= MAX_IDEMPOTENCY_KEY:
            detail = f"the key must have from 1 to {MAX_IDEMPOTENCY_KEY} characters, got {len(idempotency_key)}"
            await problem(422, detail, IDEMPOTENCY_KEY)(scope, receive, send)
            return
        key = _hash_key(scope, authenticated_key(scope).sha256, idempotency_key)
        try:
            stored = await to_thread.run_sync(self._database.claim, key)
        except InProgress:
            detail = "a request with this key is still running; retry later"
            await problem(409, detail, IDEMPOTENCY_KEY, {"Retry-After": "1"})(scope, receive, send)
        except Unavailable as error:
            await problem_from(error)(scope, receive, send)
        else:
            await (self._replay(stored, scope, receive, send) if stored else self._run(key, scope, receive, send))

    async def _run(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _BodyDigest(scope)
        start: Message = {}
        body: list[bytes] = []

        async def receive_and_hash() -> Message:
            message = await receive()
            digest.add(message)
            return message

        async def store_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    # Stored before the last part is sent: a client that has the whole response may rely on a replay.
                    while not digest.complete:
                        await receive_and_hash()
                    await self._store(key, digest.hexdigest(), start, b"".join(body))
            await send(message)

        try:
            await self._app(scope, receive_and_hash, store_and_send)
        except Exception:
            await self._store_or_release(key, None)
            raise

    async def _store(self, key: str, request: str, start: Message, body: bytes) -> None:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in start["headers"] if n not in _NOT_STORED]
        succeeded = 200 <= start["status"] < 300
        await self._store_or_release(key, Reply(request, start["status"], headers, body) if succeeded else None)

    async def _store_or_release(self, key: str, reply: Reply | None) -> None:
        """Store a reply, or release the key if there is none. A failure is only logged: the request itself is done."""
        try:
            if reply:
                await to_thread.run_sync(self._database.store, key, reply)
            else:
                await to_thread.run_sync(self._database.release, key)
        except QAError as error:
            _log.warning("cannot store a reply, so a retry will not get it: %s", error.message)

    async def _replay(self, stored: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        digest = _BodyDigest(scope)
        try:
            while not digest.complete:
                digest.add(await receive())
        except HTTPException as error:
            await problem(error.status_code, str(error.detail), "body", error.headers)(scope, receive, send)
            return
        if digest.hexdigest() != stored.request:
            detail = "this key was already used for a different request; send a new key"
            await problem(422, detail, IDEMPOTENCY_KEY)(scope, receive, send)
            return
        response = Response(stored.body, stored.status)
        response.raw_headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in stored.headers]
        response.headers[REPLAYED] = "true"
        await response(scope, receive, send)


class _BodyDigest:
    """Hash of a body as it arrives, without multipart boundaries, which differ every time a file is sent."""

    def __init__(self, scope: Scope) -> None:
        header = Header()
        header["Content-Type"] = Headers(scope=scope).get("content-type", "")
        self._boundary = str(header.get_param("boundary", "")).encode("utf-8", "replace")
        self._hash = hashlib.sha256()
        self._tail = b""
        self.complete = False

    def add(self, message: Message) -> None:
        """Add a part of the body."""
        self.complete = message["type"] != "http.request" or not message.get("more_body", False)
        part = self._tail + message.get("body", b"")
        if self._boundary:
            part = part.replace(self._boundary, b"")
        # A boundary may continue in the next part.
        end = max(0, len(part) - max(0, len(self._boundary) - 1))
        self._hash.update(part[:end])
        self._tail = part[end:]

    def hexdigest(self) -> str:
        """Return the hash of the parts added so far."""
        digest = self._hash.copy()
        digest.update(self._tail)
        return digest.hexdigest()


def _hash_key(scope: Scope, caller: str, idempotency_key: str) -> str:
    """Return a key for this caller and call: other callers, and other calls, may use the same idempotency key."""
    query = scope["query_string"].decode("latin-1")
    parts = (caller, scope["path"], query, idempotency_key)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
