"""Dependencies of the routes: the shared services, and checks of the caller's key."""

from __future__ import annotations

import hashlib
from typing import Annotated

from anyio import from_thread
from fastapi import Depends, Header, Path, Query, Request

from qa.service.authentication import authenticated_key, client_address
from qa.service.keys import Key
from qa.service.retry_queue import QueuedCaller
from qa.service.services import Services
from qa.validation import MAX_IDEMPOTENCY_KEY
from qa.wire.base import INDEX_NAME


# FastAPI runs plain functions in the thread pool; these do not block, so they are coroutines.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]


async def _document_key(
    authorization: Annotated[str | None, Header()] = None, x_api_key: Annotated[str | None, Header()] = None
) -> None:
    """Add the headers to the OpenAPI document; the middleware in `qa.service.authentication` reads them."""


async def authenticate(request: Request, _: Annotated[None, Depends(_document_key)]) -> Key:
    """Return the caller's key, which the middleware has checked."""
    return authenticated_key(request.scope)


CallerDep = Annotated[Key, Depends(authenticate)]


async def queued_caller(request: Request, services: ServicesDep, key: CallerDep) -> QueuedCaller:
    """Identify the caller and its request, in case the request has to wait; call `disconnected` from a pool thread."""
    caller = services.callers.identify(key, client_address(request.scope))
    fingerprint = hashlib.blake2b(f"{caller}\n{request.url.path}\n".encode())
    fingerprint.update(await request.body())
    return QueuedCaller(caller, fingerprint.hexdigest(), lambda: from_thread.run(request.is_disconnected))


def _check_write_scope(caller: CallerDep) -> None:
    caller.check_scope("write")


def _check_admin_scope(caller: CallerDep) -> None:
    caller.check_scope("admin")


def _index_from_query(
    caller: CallerDep,
    index: Annotated[str, Query(description="name of the index", json_schema_extra=INDEX_NAME)] = "default",
) -> str:
    caller.check_index(index)
    return index


def _index_from_path(caller: CallerDep, name: Annotated[str, Path(json_schema_extra=INDEX_NAME)]) -> str:
    caller.check_index(name)
    return name


def _document_idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="a retry with the same key within a day is not repeated: it gets the stored response",
            json_schema_extra={"minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY},
        ),
    ] = None,
) -> None:
    """Add the header to the OpenAPI document; the middleware in `qa.service.idempotency` reads it."""


IDEMPOTENT = Depends(_document_idempotency_key)
"""For calls that a client may retry with the same `Idempotency-Key`."""

WRITES, ADMINISTERS = Depends(_check_write_scope), Depends(_check_admin_scope)
"""For calls that need more than a key for reading."""

IndexDep = Annotated[str, Depends(_index_from_query)]
"""The index that the query string names, if the caller may use it."""

NamedIndexDep = Annotated[str, Depends(_index_from_path)]
"""The index that the path names, if the caller may use it."""

QueuedCallerDep = Annotated[QueuedCaller, Depends(queued_caller)]
