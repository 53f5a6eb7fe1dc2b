"""Clients of a running server: `Client` blocks, `AsyncClient` is awaited; both have the same methods.

    with Client("http://127.0.0.1:8000") as client:
        for answer in client.ask("When does the library open?").answers:
            print(answer.text, answer.confidence)

Methods and results have the names of `qa.Engine`, and errors are those of `qa.errors`. A request that the server
rejects temporarily is retried after a wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx2

from qa.client import calls, document_calls, extract_calls, sequences
from qa.client.methods import (
    async_method,
    async_pages_method,
    async_steps_method,
    method,
    pages_method,
    renamed,
    steps_method,
)
from qa.client.requests import Call
from qa.client.responses import result_of, wait_before_retry
from qa.client.sequences import Steps, resume
from qa.errors import InvalidInput, QAError

T = TypeVar("T")

TIMEOUT_S = 60.0
RETRIES = 3


class Client:
    """Asks a server."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S, retries: int = RETRIES
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            url: address of the server, such as `http://127.0.0.1:8000`.
            key: the API key, if the server needs one.
            timeout_s: timeout of one call, in seconds.
            retries: how often a call is retried if the server rejects it temporarily or the connection breaks.

        Raises:
            InvalidInput: the address or the key is not valid.
        """
        self._url, self._timeout_s, self._retries = url, timeout_s, retries
        with _valid_address(url), _valid_content():
            self._http = httpx2.Client(base_url=url, headers=_headers(key), timeout=timeout_s)

    ask = method(calls.ask)
    ask_batch = method(calls.ask_batch)
    read = method(calls.read)
    highlight = method(calls.highlight)
    verify_quotes = method(calls.verify_quotes)
    extract = pages_method(extract_calls.extract)
    extract_later = method(extract_calls.extract_later)
    extracted_rows = method(extract_calls.extracted_rows)
    extracted_csv = method(extract_calls.extracted_csv)
    search = method(calls.search)
    add = method(document_calls.add)
    add_files = steps_method(sequences.add_files)
    upload = method(document_calls.upload)
    upload_later = method(document_calls.upload_later)
    documents = method(document_calls.documents)
    document = method(document_calls.document)
    text = method(document_calls.text)
    file = method(document_calls.file)
    page_image = method(document_calls.page_image)
    update = method(document_calls.update)
    remove = steps_method(sequences.remove)
    indexes = method(calls.indexes)
    index = method(calls.index)
    create_index = method(calls.create_index)
    delete_index = method(calls.delete_index)
    rebuild = method(calls.rebuild)
    rollback = method(calls.rollback)
    jobs = method(calls.jobs)
    job = method(calls.job)
    cancel = method(calls.cancel)
    feedback = method(calls.feedback)
    export_feedback = method(calls.export_feedback)
    health = method(calls.health)
    ready = method(calls.ready)
    query = renamed("ask", method(calls.query))
    query_batch = renamed("ask_batch", method(calls.query_batch))
    describe = renamed("update", method(document_calls.describe))

    def send(self, call: Call[T]) -> T:
        """Send a call and return its result."""
        attempt = 0
        while True:
            outcome: httpx2.Response | httpx2.HTTPError
            try:
                with _valid_content():
                    outcome = self._http.request(call.method, call.path, **call.options)
            except httpx2.HTTPError as error:
                outcome = error
            wait = wait_before_retry(call, attempt, outcome, retries=self._retries, timeout_s=self._timeout_s)
            if wait is None:
                return result_of(call, outcome, self._url)
            time.sleep(wait)
            attempt += 1

    def run(self, steps: Steps[T]) -> T:
        """Send the calls of a sequence, and return its result."""
        outcome: Any = None
        while True:
            try:
                step = resume(steps, outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = self._run_step(step)

    def _run_step(self, step: Call[Any] | float) -> Any:
        if isinstance(step, float):
            return time.sleep(step)
        try:
            return self.send(step)
        except QAError as error:
            return error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """Asks a server from asyncio code: each method of `Client` is a coroutine here, `extract` an async iterator."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S, retries: int = RETRIES
    ) -> None:
        """Prepare a client; the arguments are those of `Client`."""
        self._url, self._timeout_s, self._retries = url, timeout_s, retries
        with _valid_address(url), _valid_content():
            self._http = httpx2.AsyncClient(base_url=url, headers=_headers(key), timeout=timeout_s)

    ask = async_method(calls.ask)
    ask_batch = async_method(calls.ask_batch)
    read = async_method(calls.read)
    highlight = async_method(calls.highlight)
    verify_quotes = async_method(calls.verify_quotes)
    extract = async_pages_method(extract_calls.extract)
    extract_later = async_method(extract_calls.extract_later)
    extracted_rows = async_method(extract_calls.extracted_rows)
    extracted_csv = async_method(extract_calls.extracted_csv)
    search = async_method(calls.search)
    add = async_method(document_calls.add)
    add_files = async_steps_method(sequences.add_files)
    upload = async_method(document_calls.upload)
    upload_later = async_method(document_calls.upload_later)
    documents = async_method(document_calls.documents)
    document = async_method(document_calls.document)
    text = async_method(document_calls.text)
    file = async_method(document_calls.file)
    page_image = async_method(document_calls.page_image)
    update = async_method(document_calls.update)
    remove = async_steps_method(sequences.remove)
    indexes = async_method(calls.indexes)
    index = async_method(calls.index)
    create_index = async_method(calls.create_index)
    delete_index = async_method(calls.delete_index)
    rebuild = async_method(calls.rebuild)
    rollback = async_method(calls.rollback)
    jobs = async_method(calls.jobs)
    job = async_method(calls.job)
    cancel = async_method(calls.cancel)
    feedback = async_method(calls.feedback)
    export_feedback = async_method(calls.export_feedback)
    health = async_method(calls.health)
    ready = async_method(calls.ready)
    query = renamed("ask", async_method(calls.query))
    query_batch = renamed("ask_batch", async_method(calls.query_batch))
    describe = renamed("update", async_method(document_calls.describe))

    async def send(self, call: Call[T]) -> T:
        """Send a call and return its result."""
        attempt = 0
        while True:
            outcome: httpx2.Response | httpx2.HTTPError
            try:
                with _valid_content():
                    outcome = await self._http.request(call.method, call.path, **call.options)
            except httpx2.HTTPError as error:
                outcome = error
            wait = wait_before_retry(call, attempt, outcome, retries=self._retries, timeout_s=self._timeout_s)
            if wait is None:
                return result_of(call, outcome, self._url)
            await asyncio.sleep(wait)
            attempt += 1

    async def run(self, steps: Steps[T]) -> T:
        """Send the calls of a sequence, and return its result."""
        outcome: Any = None
        while True:
            try:
                step = resume(steps, outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = await self._run_step(step)

    async def _run_step(self, step: Call[Any] | float) -> Any:
        if isinstance(step, float):
            return await asyncio.sleep(step)
        try:
            return await self.send(step)
        except QAError as error:
            return error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _headers(key: str | None) -> dict[str, str]:
    return {"X-API-Key": key} if key else {}


@contextmanager
def _valid_address(url: str) -> Iterator[None]:
    try:
        yield
    except httpx2.InvalidURL as error:
        raise InvalidInput(f"{url}: {error}", field="url") from error


@contextmanager
def _valid_content() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        # A lone surrogate, or a number that JSON cannot represent.
        raise InvalidInput(f"the request cannot be encoded: {error}") from error
