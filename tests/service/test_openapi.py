"""Valid and invalid requests generated from the OpenAPI document get no 5xx and only documented responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from qa.config import Settings
from qa.engine import Engine
from qa.service.app import create_app

pytestmark = pytest.mark.slow


def no_server_error(ctx: Any, response: Any, case: Any) -> bool | None:
    """Check that there is no server error. Too many running extractions are none."""
    if case.path == "/v1/extract/jobs" and response.status_code == 503:
        assert "already running" in response.json()["detail"]
        return None
    return not_a_server_error(ctx, response, case)


CHECKS = [no_server_error, status_code_conformance, response_schema_conformance, content_type_conformance]


@pytest.fixture(scope="module", params=[(), ("secret",)], ids=["without keys", "with keys"])
def api_schema(
    shipped: Engine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("indexes")
    engine = shipped.in_folder(folder)
    engine.indexes.get_or_create("default")
    app = create_app(Settings(index_dir=folder, api_keys=request.param, max_questions=64, insecure=True), engine)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    # A request for the events of a job lasts as long as the job.
    yield schema.exclude(path_regex="events")
    engine.close()


def test_every_response_is_documented(api_schema: Any) -> None:
    checked = 0
    for result in api_schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
        def check(case: Any) -> None:
            case.validate_response(case.call(headers={"X-API-Key": "secret"}), checks=CHECKS)

        check()
        checked += 1
    assert checked >= 25
