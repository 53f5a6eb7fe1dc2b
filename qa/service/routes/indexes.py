"""Named indexes: list, describe, create, delete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from fastapi import APIRouter, Response

from qa.engine import Engine
from qa.errors import Conflict, Forbidden, NotFound, Unavailable
from qa.service.dependencies import ADMINISTERS, CallerDep, NamedIndexDep, ServicesDep
from qa.wire.indexes import IndexList, IndexOut

router = APIRouter(prefix="/indexes", tags=["indexes"])


@router.get("")
def list_indexes(services: ServicesDep, caller: CallerDep) -> IndexList:
    """List the indexes that the caller can use, in alphabetical order."""
    descriptions = []
    for name in services.engine.indexes.names():
        # Built with another model; not permitted by this key; deleted in the meantime; or damaged.
        with suppress(Conflict, Forbidden, NotFound, Unavailable):
            caller.check_index(name)
            descriptions.append(_describe(services.engine, name))
    return IndexList(indexes=descriptions)


@router.get("/{name}")
def get(name: NamedIndexDep, services: ServicesDep) -> IndexOut:
    """Describe an index."""
    return _describe(services.engine, name)


@router.put("/{name}", dependencies=[ADMINISTERS], responses={201: {"model": IndexOut}})
def put(name: NamedIndexDep, services: ServicesDep, response: Response) -> IndexOut:
    """Create an empty index. An index that already exists is left unchanged."""
    if not services.engine.indexes.has(name):
        response.status_code = 201
    services.engine.indexes.get_or_create(name)
    return _describe(services.engine, name)


@router.delete("/{name}", status_code=204, response_class=Response, dependencies=[ADMINISTERS])
def delete(name: NamedIndexDep, services: ServicesDep) -> Response:
    """Delete an index and all its documents."""
    services.engine.indexes.delete(name)
    return Response(status_code=204)


def _describe(engine: Engine, name: str) -> IndexOut:
    return IndexOut(name=name, **asdict(engine.indexes.get(name).state()))
