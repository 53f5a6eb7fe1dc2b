"""What the models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

PREFIX = "/v1"
"""Stands before the path of every call but those on the server's own state."""

IndexName = Annotated[StrictStr, Field(description="name of the index")]


class Request(BaseModel):
    """A body with a field that is unknown is refused."""

    model_config = ConfigDict(extra="forbid")


class Offset(BaseModel):
    """Code points, half-open."""

    start: int
    end: int


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(None, description="the part of the request that was wrong")
