"""What a route may ask for: each is one short step from the application's state."""

from __future__ import annotations

import hashlib
from typing import Annotated, cast

from anyio import from_thread
from fastapi import Depends, Header, Path, Query, Request

from qa.documents.extract.extractor import Extractor
from qa.engine import Engine
from qa.service.admission import Admission
from qa.service.callers import Callers
from qa.service.draining import Draining
from qa.service.jobs import Begin, Jobs
from qa.service.keys import Key
from qa.service.metrics import Metrics
from qa.service.retry_queue import QueuedCaller
from qa.validation import MAX_IDEMPOTENCY_KEY
from qa.wire.base import INDEX_NAME


def _engine(request: Request) -> Engine:
    return cast(Engine, request.app.state.engine)


def _admission(request: Request) -> Admission:
    return cast(Admission, request.app.state.admission)


def _writes(request: Request) -> Admission:
    return cast(Admission, request.app.state.writes)


def _callers(request: Request) -> Callers:
    return cast(Callers, request.app.state.callers)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _jobs(request: Request) -> Jobs:
    return cast(Jobs, request.app.state.jobs)


def _begin(request: Request) -> Begin:
    return cast(Begin, request.app.state.begin)


def _extractor(request: Request) -> Extractor:
    return cast(Extractor, request.app.state.extractor)


def _draining(request: Request) -> Draining:
    return cast(Draining, request.app.state.draining)


def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


def identified(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    x_api_key: Annotated[str | None, Header()] = None,
) -> Key:
    """Tell who calls, and count it."""
    callers = _callers(request)
    caller = callers.known(authorization, x_api_key)
    callers.count(caller, _address(request))
    return caller


CallerDep = Annotated[Key, Depends(identified)]


async def asker(request: Request, caller: CallerDep) -> QueuedCaller:
    """Return who asks, and what; whether he has hung up is told in a thread of the pool."""
    who = _callers(request).who(caller, _address(request))
    mark = hashlib.blake2b(f"{who}\n{request.url.path}\n".encode())
    mark.update(await request.body())
    return QueuedCaller(who, mark.hexdigest(), lambda: from_thread.run(request.is_disconnected))


def _may_write(caller: CallerDep) -> None:
    caller.check_scope("write")


def _may_administer(caller: CallerDep) -> None:
    caller.check_scope("admin")


def _index(
    caller: CallerDep,
    index: Annotated[str, Query(description="name of the index", json_schema_extra=INDEX_NAME)] = "default",
) -> str:
    caller.check_index(index)
    return index


def _named(caller: CallerDep, name: Annotated[str, Path(json_schema_extra=INDEX_NAME)]) -> str:
    caller.check_index(name)
    return name


def _repeated(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="within a day, a request with the same one is not done again but answered as the one before",
            json_schema_extra={"minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY},
        ),
    ] = None,
) -> None:
    """Only for the reference: `qa.service.idempotency` is met before."""


REPEATABLE = Depends(_repeated)
"""For calls that may be sent again with the same `Idempotency-Key`."""

WRITES, ADMINISTERS = Depends(_may_write), Depends(_may_administer)
"""What a call takes beyond a key that may read."""

IndexDep = Annotated[str, Depends(_index)]
"""The index that the query string names, if the caller may use it."""

NamedIndexDep = Annotated[str, Depends(_named)]
"""The index that the path names, if the caller may use it."""

EngineDep = Annotated[Engine, Depends(_engine)]
AdmissionDep = Annotated[Admission, Depends(_admission)]
AskerDep = Annotated[QueuedCaller, Depends(asker)]
BeginDep = Annotated[Begin, Depends(_begin)]
DrainingDep = Annotated[Draining, Depends(_draining)]
ExtractorDep = Annotated[Extractor, Depends(_extractor)]
JobsDep = Annotated[Jobs, Depends(_jobs)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
WritesDep = Annotated[Admission, Depends(_writes)]
