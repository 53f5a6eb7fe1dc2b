"""Reject a request as soon as its body exceeds the limit, whether or not its length is declared."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.service.problems import problem

# Ten million characters take at most 40 MB in UTF-8; the rest is for JSON escapes.
MAX_BODY_BYTES = 64_000_000


class BodyLimit:
    """ASGI middleware: responds with 413 when the declared or actual length of a body exceeds the limit."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body is within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"the body is larger than {self._limit:,} bytes; send it in several requests"
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await problem(413, detail, "body")(scope, receive, send)
            return
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                # Raised where the body is read, from where it reaches the exception handlers.
                raise HTTPException(413, detail)
            return message

        await self._app(scope, receive_within_limit, send)
