"""What a route may ask for: each is one short step from the application's state."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Header, Query, Request

from qa.engine import Engine
from qa.service.admission import Admission
from qa.service.jobs import Jobs
from qa.service.security import check_key


def _engine(request: Request) -> Engine:
    return cast(Engine, request.app.state.engine)


def _admission(request: Request) -> Admission:
    return cast(Admission, request.app.state.admission)


def _writes(request: Request) -> Admission:
    return cast(Admission, request.app.state.writes)


def _jobs(request: Request) -> Jobs:
    return cast(Jobs, request.app.state.jobs)


def require_key(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    x_api_key: Annotated[str | None, Header()] = None,
) -> None:
    """Refuse a call without a key where keys are set."""
    check_key(request.app.state.settings.api_keys, authorization, x_api_key)


EngineDep = Annotated[Engine, Depends(_engine)]
AdmissionDep = Annotated[Admission, Depends(_admission)]
JobsDep = Annotated[Jobs, Depends(_jobs)]
WritesDep = Annotated[Admission, Depends(_writes)]
IndexQuery = Annotated[str, Query(description="name of the index")]
