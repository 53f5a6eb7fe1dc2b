"""Requests made from the OpenAPI document, right and wrong ones: no 5xx, nothing that it does not name."""

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

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance, content_type_conformance]


@pytest.fixture(scope="module", params=[(), ("secret",)], ids=["without keys", "with keys"])
def described(
    shipped: Engine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("indexes")
    engine = shipped.in_folder(folder)
    engine.indexes.get_or_create("default")
    app = create_app(Settings(index_dir=folder, api_keys=request.param, max_questions=64, insecure=True), engine)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    # Following a job goes on for as long as the job does.
    yield schema.exclude(path_regex="events")
    engine.close()


def test_no_request_is_answered_otherwise_than_described(described: Any) -> None:
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
        def holds(case: Any) -> None:
            case.validate_response(case.call(headers={"X-API-Key": "secret"}), checks=CHECKS)

        holds()
        tried += 1
    assert tried >= 25
