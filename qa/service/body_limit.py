"""Refuse a request's body as soon as it is over the limit, however it is sent."""

from __future__ import annotations

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
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        body, size = [], 0
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        while True:
            message = await receive()
            body.append(message)
            size += len(message.get("body", b""))
            if size > self._limit:
                await self._refuse(scope, receive, send)
                return
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        kept = iter(body)

        async def replay() -> Message:
            return next(kept, None) or await receive()

        await self._app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(413, f"the body is over {self._limit:,} bytes", "body")
        await response(scope, receive, send)
