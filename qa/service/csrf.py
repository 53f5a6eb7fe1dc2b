"""Pages from elsewhere may not use the service through the browser of somebody who can reach it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from qa.errors import InvalidInput
from qa.service.keys import Keys
from qa.service.problems import problem
from qa.wire.base import PREFIX

_READING = {"GET", "HEAD", "OPTIONS"}


class CrossSiteProtection:
    """ASGI middleware.

    A browser tells where a request comes from; one that changes something must come from the service's own page. Where
    no key is needed, the service must also have been called by a name of this machine: a name of somebody else's that
    was made to lead here would make his page the service's own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, keys: Keys, *, insecure: bool) -> None:
        self._app = app
        self._keys = keys
        self._insecure = insecure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless a page from elsewhere sent it."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            refused = None
            if scope["method"] not in _READING and not _from_own_page(headers, host):
                refused = problem(403, "a page from elsewhere may not change anything here", "Origin")
            elif not self._insecure and not self._keys.required() and not is_own(_name_in(host)):
                refused = problem(403, f"{host!r} is no name of this machine; use one, a key, or --insecure", "Host")
            if refused:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def check_exposure(host: str, keys: Keys, *, insecure: bool) -> None:
    """Refuse to listen where others can reach it, while anybody may do everything.

    Raises:
        InvalidInput: the address is not this machine's own, no key is needed, and that was not said to be meant.
    """
    if not (insecure or keys.required() or is_own(host)):
        raise InvalidInput(
            f"{host} can be reached from other machines, and no key is needed: make one with `qa key create`, set"
            " QA_API_KEYS, or say --insecure",
            field="host",
        )


def is_own(host: str) -> bool:
    """Tell whether a name or an address can only mean the machine that it is used on."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name_in(host: str) -> str:
    """Return a `Host` header's name without its port; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _from_own_page(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    # Programs send neither.
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == host
