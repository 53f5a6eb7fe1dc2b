"""Named indexes: list, describe, make, delete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from fastapi import APIRouter, Response

from qa.engine import Engine
from qa.errors import Conflict, NotFound, Unavailable
from qa.service.dependencies import EngineDep
from qa.wire.indexes import IndexList, IndexOut

router = APIRouter(prefix="/indexes", tags=["indexes"])


@router.get("")
def list_indexes(engine: EngineDep) -> IndexList:
    """List the indexes that can be used, in the order of their names."""
    described = []
    for name in engine.indexes.names():
        # Made with another model, damaged, or deleted just now.
        with suppress(Conflict, NotFound, Unavailable):
            described.append(_described(engine, name))
    return IndexList(indexes=described)


@router.get("/{name}")
def get(name: str, engine: EngineDep) -> IndexOut:
    """Describe an index."""
    return _described(engine, name)


@router.put("/{name}", responses={201: {"model": IndexOut}})
def put(name: str, engine: EngineDep, response: Response) -> IndexOut:
    """Make an index, empty; one that is there stays as it is."""
    if not engine.indexes.has(name):
        response.status_code = 201
    engine.indexes.get_or_create(name)
    return _described(engine, name)


@router.delete("/{name}", status_code=204, response_class=Response)
def delete(name: str, engine: EngineDep) -> Response:
    """Delete an index with all its documents."""
    engine.indexes.delete(name)
    return Response(status_code=204)


def _described(engine: Engine, name: str) -> IndexOut:
    return IndexOut(name=name, **asdict(engine.indexes.get(name).state()))
