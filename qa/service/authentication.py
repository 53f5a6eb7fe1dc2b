"""Authentication before anything else: a call without a valid key is rejected before a byte of its body is read."""

from __future__ import annotations

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import QAError, Unauthorized
from qa.service.callers import Callers
from qa.service.keys import Key
from qa.service.problems import problem_from
from qa.wire.base import PREFIX

# Item of the ASGI scope.
_KEY = "qa.key"


class Authentication:
    """ASGI middleware: stores the caller's key in the scope of each guarded request, and counts the call."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if its key is valid and its caller has not reached the rate limit."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            address = client_address(scope)
            try:
                key = authenticate_request(self._callers, scope)
                if self._callers.rate_limit.active:
                    await to_thread.run_sync(self._callers.count, key, address)
            except QAError as error:
                await problem_from(error)(scope, receive, send)
                return
            scope[_KEY] = key
        await self._app(scope, receive, send)


def authenticate_request(callers: Callers, scope: Scope) -> Key:
    """Return the key that a request carries in its headers; errors as in `Callers.authenticate`."""
    headers = Headers(scope=scope)
    return callers.authenticate(headers.get("authorization"), headers.get("x-api-key"), client_address(scope))


def authenticated_key(scope: Scope) -> Key:
    """Return the key of a request that has passed the middleware.

    Raises:
        Unauthorized: the request has not passed it.
    """
    key = scope.get(_KEY)
    if not isinstance(key, Key):
        raise Unauthorized("the call was not authenticated")
    return key


def client_address(scope: Scope) -> str:
    """Return the client's address; empty if it has none."""
    return scope["client"][0] if scope.get("client") else ""
