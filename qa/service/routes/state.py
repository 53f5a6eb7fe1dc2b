"""State of the server: health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

import qa
from qa.errors import Unavailable
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


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: ServicesDep) -> Response:
    """Return counts, durations and the state of the indexes in Prometheus' text format."""
    return Response(services.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
