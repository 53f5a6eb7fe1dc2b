"""Constants and models that the other modules of this package share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from qa.errors import (
    Changed,
    Conflict,
    Forbidden,
    InvalidInput,
    ModelError,
    NotFound,
    Overloaded,
    QAError,
    RateLimited,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedFormat,
)
from qa.validation import INDEX_NAME_PATTERN

PREFIX = "/v1"
"""Prefix of every path except those about the server's state."""

IDEMPOTENCY_KEY = "Idempotency-Key"
"""A header. A client that repeats a `POST` sends the same value, and the server carries it out once."""

STATUS: tuple[tuple[type[QAError], int], ...] = (
    (TooLarge, 413),
    (UnsupportedFormat, 415),
    (InvalidInput, 422),
    (NotFound, 404),
    (Changed, 412),
    (Conflict, 409),
    (Unauthorized, 401),
    (Forbidden, 403),
    (RateLimited, 429),
    (Overloaded, 503),
    (Unavailable, 503),
    (ModelError, 503),
)
"""HTTP status of each error; the first matching class decides."""

# Bounds that the engine checks appear only in the OpenAPI schema, so that its own messages are returned.
INDEX_NAME: dict[str, Any] = {"pattern": f"^{INDEX_NAME_PATTERN}$"}
IndexName = Annotated[StrictStr, Field(description="name of the index", json_schema_extra=INDEX_NAME)]


class Request(BaseModel):
    """A request body; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid")


class Offset(BaseModel):
    """A half-open range of code points."""

    start: StrictInt = Field(json_schema_extra={"minimum": 0})
    end: StrictInt = Field(json_schema_extra={"minimum": 0})


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(None, description="the part of the request that is not valid")
