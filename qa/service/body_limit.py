"""Refuse a request's body as soon as it is over the limit, however it is sent; until then pass it on as it comes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.service.problems import problem

# Ten million characters of text take at most four bytes each, and JSON may escape some of them.
MAX_BODY_BYTES = 64_000_000


class BodyLimit:
    """ASGI middleware: a declared or actual length over the limit is answered with 413."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body is within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = f"the body is over {self._limit:,} bytes"
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await problem(413, told, "body")(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._limit:
                # Whoever reads the body passes this on to the handler of errors.
                raise HTTPException(413, told)
            return message

        await self._app(scope, counted, send)
