"""Health and readiness."""

from __future__ import annotations

from pydantic import BaseModel


class Health(BaseModel):
    """The process is alive."""

    status: str = "ok"
    version: str


class Readiness(BaseModel):
    """Models and the default index are loaded."""

    status: str = "ready"
    embedder: str
    reader: str
    calibration: str
    documents: int
    passages: int
