"""Protection against cross-site requests (CSRF) and DNS rebinding, and against open servers on a network."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import InvalidInput
from qa.service.keys import Keys
from qa.service.problems import problem
from qa.wire.base import PREFIX

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class CrossSiteProtection:
    """ASGI middleware: rejects requests that a page of another site sends through a user's browser.

    Browsers say where a request comes from. A request that changes something must come from the server's own page.
    Where no key is required, the `Host` header must also name the loopback interface. Otherwise a page of another site
    could point its own host name at this server and read everything (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, keys: Keys, *, insecure: bool) -> None:
        self._app = app
        self._keys = keys
        self._insecure = insecure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless a page of another site sent it."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            response = None
            if scope["method"] not in _SAFE_METHODS and not _is_same_origin(headers, host):
                response = problem(403, "cross-site requests are not allowed", "Origin")
            elif not self._insecure and not self._keys.required() and not is_loopback(_parse_hostname(host)):
                detail = (
                    f"host {host!r} is not allowed without API keys; use localhost, create a key with `qa key create`,"
                    " or start the server with --insecure"
                )
                response = problem(403, detail, "Host")
            if response:
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def check_exposure(host: str, keys: Keys, *, insecure: bool) -> None:
    """Refuse to listen on a network without API keys.

    Raises:
        InvalidInput: the host is not a loopback address, no key is required, and `insecure` is not set.
    """
    if not (insecure or keys.required() or is_loopback(host)):
        raise InvalidInput(
            f"refusing to listen on {host} without API keys, because other machines can reach it; create a key with"
            " `qa key create`, set QA_API_KEYS, or pass --insecure",
            field="host",
        )


def is_loopback(host: str) -> bool:
    """Return whether a host name or an address can only mean the machine that it is used on."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_hostname(host: str) -> str:
    """Return the name in a `Host` header without its port; empty if the header is not valid."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_same_origin(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # Clients other than browsers send neither header.
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == host
