"""Named indexes: list, describe, make, delete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from fastapi import APIRouter, Response

from qa.engine import Engine
from qa.errors import Conflict, Forbidden, NotFound, Unavailable
from qa.service.dependencies import ADMINISTERS, CallerDep, EngineDep, NamedIndexDep
from qa.wire.indexes import IndexList, IndexOut

router = APIRouter(prefix="/indexes", tags=["indexes"])


@router.get("")
def list_indexes(engine: EngineDep, caller: CallerDep) -> IndexList:
    """List the indexes that the caller can use, in the order of their names."""
    described = []
    for name in engine.indexes.names():
        # Made with another model, damaged, deleted just now, or not for this caller.
        with suppress(Conflict, Forbidden, NotFound, Unavailable):
            caller.check_index(name)
            described.append(_described(engine, name))
    return IndexList(indexes=described)


@router.get("/{name}")
def get(name: NamedIndexDep, engine: EngineDep) -> IndexOut:
    """Describe an index."""
    return _described(engine, name)


@router.put("/{name}", dependencies=[ADMINISTERS], responses={201: {"model": IndexOut}})
def put(name: NamedIndexDep, engine: EngineDep, response: Response) -> IndexOut:
    """Make an index, empty; one that is there stays as it is."""
    if not engine.indexes.has(name):
        response.status_code = 201
    engine.indexes.get_or_create(name)
    return _described(engine, name)


@router.delete("/{name}", status_code=204, response_class=Response, dependencies=[ADMINISTERS])
def delete(name: NamedIndexDep, engine: EngineDep) -> Response:
    """Delete an index with all its documents."""
    engine.indexes.delete(name)
    return Response(status_code=204)


def _described(engine: Engine, name: str) -> IndexOut:
    return IndexOut(name=name, **asdict(engine.indexes.get(name).state()))
