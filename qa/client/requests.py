"""One HTTP request of the client, and how to parse its response."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from qa.errors import InvalidInput
from qa.wire.base import IDEMPOTENCY_KEY, PREFIX

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One HTTP request.

    Attributes:
        method: the HTTP method.
        path: the path on the server.
        parse: turns a successful response into the result.
        options: keyword arguments of the HTTP client's `request`.
        repeatable: whether sending the request twice has the effect of sending it once.
    """

    method: str
    path: str
    parse: Callable[[httpx2.Response], T]
    options: dict[str, Any] = field(default_factory=dict)
    repeatable: bool = True


Pages = Callable[[str | None], Call[tuple[Sequence[T], str | None]]]
"""Returns the call for a page, given its cursor; the call returns the page's items and the cursor of the next page."""


def build_call(method: str, path: str, model: type[M], *, repeatable: bool = True, **options: Any) -> Call[M]:
    """Return the call of a path of the API whose response is a model."""
    if not repeatable and method == "POST":
        # The server carries out requests with the same key once, however often they are sent.
        options["headers"] = {IDEMPOTENCY_KEY: uuid.uuid4().hex, **options.get("headers", {})}
        repeatable = True
    return Call(method, PREFIX + path, parser(model), options, repeatable)


def convert_call(call: Call[M], convert: Callable[[M], T]) -> Call[T]:
    """Return a call that converts the response of another."""
    return Call(call.method, call.path, lambda r: convert(call.parse(r)), call.options, call.repeatable)


def parser(model: type[M]) -> Callable[[httpx2.Response], M]:
    """Return a function that parses the JSON of a response."""
    return lambda response: model.model_validate_json(response.content)


def quote_id(id: str) -> str:
    """Return an id or a name as a part of a path.

    Raises:
        InvalidInput: the id contains a lone surrogate.
    """
    try:
        return quote(id, safe="")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the request cannot be encoded: {error}") from error
