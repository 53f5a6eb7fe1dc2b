"""A typed client of the service, and its twin for asyncio; both have the calls that are written down once.

    with Client("http://127.0.0.1:8000") as client:
        print(client.query("When does the library open?").answers)

The twin is used with `async with` and `await`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar, overload

import httpx2
from pydantic import ValidationError

from qa.client import calls
from qa.client.calls import Call
from qa.errors import InvalidInput, Overloaded, QAError, RateLimited, Unavailable
from qa.wire.base import STATUS

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT_S = 60.0
RETRIES = 3
# Seconds; a server that asks for more is told of instead of waited for.
LONGEST_WAIT_S = 30.0


class Method(Generic[P, T]):
    """A call as a method of both clients."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, client: Client, owner: type[Client]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncClient, owner: type[AsyncClient]) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, owner: type[Calls]) -> Method[P, T]: ...
    def __get__(self, client: Client | AsyncClient | None, owner: type[Calls]) -> Any:
        if client is None:
            return self

        def call(*arguments: P.args, **named: P.kwargs) -> Any:
            with _sendable():
                built = self._build(*arguments, **named)
            return client.send(built)

        call.__doc__ = self.__doc__
        return call


class Calls:
    """What can be asked of a server; each call is that of its reference."""

    query = Method(calls.query)
    query_batch = Method(calls.query_batch)
    read = Method(calls.read)
    search = Method(calls.search)
    add = Method(calls.add)
    upload = Method(calls.upload)
    upload_later = Method(calls.upload_later)
    documents = Method(calls.documents)
    document = Method(calls.document)
    text = Method(calls.text)
    describe = Method(calls.describe)
    remove = Method(calls.remove)
    indexes = Method(calls.indexes)
    index = Method(calls.index)
    create_index = Method(calls.create_index)
    delete_index = Method(calls.delete_index)
    rebuild = Method(calls.rebuild)
    rollback = Method(calls.rollback)
    jobs = Method(calls.jobs)
    job = Method(calls.job)
    cancel = Method(calls.cancel)
    feedback = Method(calls.feedback)
    export_feedback = Method(calls.export_feedback)
    health = Method(calls.health)
    ready = Method(calls.ready)


class _Connection(Calls):
    """What both clients know: how to send again, and what an error means."""

    def __init__(self, url: str, key: str | None, timeout_s: float, retries: int) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._retries = retries
        self._headers = {"X-API-Key": key} if key else {}

    def _wait(
        self, call: Call[Any], attempt: int, response: httpx2.Response | None, broken: Exception | None
    ) -> float | None:
        """Return for how many seconds to wait before sending again; None if there is no use in it."""
        wait = min(0.2 * 2**attempt, LONGEST_WAIT_S)
        in_progress = response is not None and response.status_code == 409 and "Retry-After" in response.headers
        # What was sent before is being worked on: its end is waited for, as it would have been without the break.
        if attempt >= (call.options.get("timeout", self._timeout_s) if in_progress else self._retries):
            return None
        if response is None:
            # What reached the server may have been done, or is being done still.
            return None if call.once and not isinstance(broken, httpx2.ConnectError) else wait
        asked = response.headers.get("Retry-After", "")
        if response.status_code not in (429, 503) and not asked:
            return None
        wait = float(asked) if asked.isdigit() else wait
        return wait if wait <= LONGEST_WAIT_S else None

    def _outcome(self, call: Call[T], response: httpx2.Response | None, broken: Exception | None) -> T:
        if response is None:
            raise Unavailable(f"{self._url}: {broken}", field="url") from broken
        if response.is_error:
            raise self._error(response)
        try:
            return call.parse(response)
        except ValidationError as error:
            raise Unavailable(f"{self._url}: not an answer of this service", field="url") from error

    def _error(self, response: httpx2.Response) -> QAError:
        """Return the error that the server told, as what the engine itself would have raised."""
        try:
            told = response.json()
            detail, where = str(told["detail"]), told.get("field")
        except (ValueError, KeyError, TypeError, AttributeError):
            detail, where = f"{self._url}: {response.status_code} {response.text[:300]}", "url"
        status = response.status_code
        asked = response.headers.get("Retry-After", "")
        if status == 429 or (status == 503 and asked):
            return (RateLimited if status == 429 else Overloaded)(detail, int(asked) if asked.isdigit() else 1)
        if status == 503:
            return Unavailable(detail, field=where)
        other = InvalidInput if status < 500 else Unavailable
        return next((kind for kind, code in STATUS if code == status), other)(detail, field=where)


class Client(_Connection):
    """Asks a server. Errors are those of `qa.errors`; what is refused for now is sent again after a while."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S, retries: int = RETRIES
    ) -> None:
        """Get ready; nothing is sent yet.

        Args:
            url: of the server.
            key: if it wants one.
            timeout_s: for one call, in seconds.
            retries: how often a call is sent again that the server or the network did not take.

        Raises:
            InvalidInput: that cannot be the address of a server, or no header can hold the key.
        """
        super().__init__(url, key, timeout_s, retries)
        with _addressed(url), _sendable():
            self._http = httpx2.Client(base_url=url, headers=self._headers, timeout=timeout_s)

    def send(self, call: Call[T]) -> T:
        """Send a call, and return what came back."""
        attempt = 0
        while True:
            response, broken = None, None
            try:
                with _sendable():
                    response = self._http.request(call.method, call.path, **call.options)
            except httpx2.HTTPError as error:
                broken = error
            wait = self._wait(call, attempt, response, broken)
            if wait is None:
                return self._outcome(call, response, broken)
            time.sleep(wait)
            attempt += 1

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Connection):
    """The same for asyncio: each call is awaited."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S, retries: int = RETRIES
    ) -> None:
        """Get ready, as `Client` does."""
        super().__init__(url, key, timeout_s, retries)
        with _addressed(url), _sendable():
            self._http = httpx2.AsyncClient(base_url=url, headers=self._headers, timeout=timeout_s)

    async def send(self, call: Call[T]) -> T:
        """Send a call, and return what came back."""
        attempt = 0
        while True:
            response, broken = None, None
            try:
                with _sendable():
                    response = await self._http.request(call.method, call.path, **call.options)
            except httpx2.HTTPError as error:
                broken = error
            wait = self._wait(call, attempt, response, broken)
            if wait is None:
                return self._outcome(call, response, broken)
            await asyncio.sleep(wait)
            attempt += 1

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@contextmanager
def _addressed(url: str) -> Iterator[None]:
    try:
        yield
    except httpx2.InvalidURL as error:
        raise InvalidInput(f"{url}: {error}", field="url") from error


@contextmanager
def _sendable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        # A lone surrogate, or a number that JSON does not have.
        raise InvalidInput(f"it cannot be sent: {error}") from error
