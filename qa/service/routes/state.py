"""State of the server: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

import qa
from qa.errors import QAError, Unavailable
from qa.service.authentication import authenticate_request
from qa.service.dependencies import ServicesDep
from qa.service.problems import RESPONSES
from qa.wire.state import Health, Readiness

router = APIRouter(tags=["state"])


@router.get("/healthz")
async def healthz() -> Health:
    """Report that the process is alive."""
    return Health(version=qa.__version__)


@router.get("/readyz", responses={503: RESPONSES[503]})
def readyz(services: ServicesDep) -> Readiness:
    """Report that the models are loaded, the default index is readable, and the server is not about to stop."""
    if services.draining.active:
        raise Unavailable("the server is about to stop; send requests to another one")
    engine = services.engine
    documents, passages = engine.indexes.get("default").counts()
    return Readiness(
        embedder=engine.embedder.identity,
        reader=engine.reader.identity,
        calibration=engine.calibration.identity,
        documents=documents,
        passages=passages,
    )


async def _may_see_index(request: Request, services: ServicesDep) -> Callable[[str], bool]:
    """Return whether the caller may see that an index exists, by its name."""
    try:
        key = authenticate_request(services.callers, request.scope)
    except QAError:
        return lambda _: False
    return lambda name: key.index in (None, name)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(
    services: ServicesDep, may_see_index: Annotated[Callable[[str], bool], Depends(_may_see_index)]
) -> Response:
    """Return counts, durations and the state of the indexes in Prometheus' text format.

    If keys are required, a caller without one does not see the indexes, and a caller whose key is restricted to an
    index sees that one only.
    """
    return Response(services.metrics.exposition(may_see_index), media_type=CONTENT_TYPE_LATEST)
