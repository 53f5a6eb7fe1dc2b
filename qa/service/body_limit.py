"""Limits on request bodies: bytes of each, bytes of all together, JSON tokens, and time to arrive.

A request is rejected as soon as it exceeds a limit, whether or not its length is declared.
"""

from __future__ import annotations

import time

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.service.json_tokens import JsonTokens
from qa.service.problems import problem
from qa.wire.base import PREFIX

# Ten million characters take at most 40 MB in UTF-8; the rest is for JSON escapes.
MAX_BODY_BYTES = 64_000_000
# A character takes up to 12 bytes as JSON escapes. Each limit has room for the longest valid body of its calls.
_MAX_PATCH_BYTES = 16_000_000
_MAX_HIGHLIGHT_BYTES = 3_000_000
_MAX_SMALL_BYTES = 2_000_000
# The most that a valid list of documents can have is 320,000. This many take a parser about 0.1 s.
_MAX_TOKENS = 500_000
# Bytes per second. A body that arrives more slowly than this is stalled on purpose, or its client is gone.
_MIN_RATE = 20_000
_RETRY_AFTER_S = 2


class BodyBudget:
    """The bytes of request bodies that the process holds; used by the thread of the event loop only.

    Attributes:
        limit: maximum number of bytes.
        held: number of bytes now.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def has_room(self, size: int) -> bool:
        """Return whether that many more bytes may be held."""
        return self.held + size <= self.limit


class BodyLimit:
    """ASGI middleware: enforces the limits on the body of every request."""

    def __init__(self, app: ASGIApp, budget: BodyBudget, seconds: float) -> None:
        """Set the limits.

        Args:
            app: called with requests within the limits.
            budget: shared by all requests.
            seconds: time for a body to arrive, besides the time that its bytes take at the minimum rate.
        """
        self._app = app
        self._budget = budget
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body is within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        body = _Body(body_limit(scope["method"], scope["path"], headers.get("content-type", "")), self._budget)
        is_json = not _is_multipart(headers.get("content-type", ""))
        tokens = JsonTokens()
        started: float | None = None

        async def receive_within_limits() -> Message:
            nonlocal started
            if body.complete:
                # The next message says that the client disconnected.
                return await receive()
            started = started or time.monotonic()
            remaining = started + self._seconds + body.size / _MIN_RATE - time.monotonic()
            try:
                with fail_after(max(0.0, remaining)):
                    message = await receive()
            except TimeoutError:
                detail = f"the body did not arrive within {self._seconds:g} s and at {_MIN_RATE:,} bytes per second"
                raise HTTPException(408, detail) from None
            part = message.get("body", b"")
            body.add(len(part), complete=not message.get("more_body", False))
            if is_json:
                _check_json(tokens, part)
            return message

        try:
            body.check(int(declared) if declared.isdecimal() else 0)
        except HTTPException as error:
            await problem(error.status_code, str(error.detail), "body", error.headers)(scope, receive, send)
            return
        try:
            # Errors that are raised while the application reads the body reach its exception handlers.
            await self._app(scope, receive_within_limits, send)
        finally:
            body.release()


class _Body:
    """The body of one request, as it arrives."""

    def __init__(self, limit: int, budget: BodyBudget) -> None:
        self._limit = limit
        self._budget = budget
        self.size = 0
        self.complete = False

    def add(self, size: int, *, complete: bool) -> None:
        """Count the next bytes of the body."""
        self.check(size)
        self.size += size
        self._budget.held += size
        self.complete = complete

    def check(self, size: int) -> None:
        """Check that the body may have that many more bytes."""
        if self.size + size > self._limit:
            raise HTTPException(413, f"the body is larger than {self._limit:,} bytes; send it in several requests")
        if not self._budget.has_room(size):
            detail = (
                f"too many requests: their bodies would exceed {self._budget.limit:,} bytes; retry in"
                f" {_RETRY_AFTER_S} s"
            )
            raise HTTPException(503, detail, {"Retry-After": str(_RETRY_AFTER_S)})

    def release(self) -> None:
        """Take the bytes out of the budget."""
        self._budget.held -= self.size


def body_limit(method: str, path: str, content_type: str) -> int:
    """Return the maximum number of bytes of a body."""
    documents = f"{PREFIX}/documents"
    if path == documents or (path == f"{documents}/upload" and _is_multipart(content_type)):
        return MAX_BODY_BYTES
    if method == "PATCH" and path.startswith(f"{documents}/"):
        return _MAX_PATCH_BYTES
    return _MAX_HIGHLIGHT_BYTES if path == f"{PREFIX}/highlight" else _MAX_SMALL_BYTES


def _is_multipart(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/form-data")


def _check_json(tokens: JsonTokens, part: bytes) -> None:
    if b"\0" in part:
        # JSON has no such byte. In UTF-16, which the parser would accept, the tokens could not be counted.
        raise HTTPException(400, "the body is not valid JSON in UTF-8: it contains a zero byte")
    tokens.add(part)
    if tokens.count > _MAX_TOKENS:
        raise HTTPException(
            413,
            f"the body has more than {_MAX_TOKENS:,} JSON strings, commas and brackets; send it in several requests",
        )
