from __future__ import annotations

import sqlite3

import pytest

from qa.index.catalog import Catalog
from tests.service.conftest import Opener


def test_readiness_and_metrics_do_not_depend_on_the_number_of_documents(
    open_service: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[None] = []
    original = Catalog._connect

    def count_steps(self: Catalog) -> sqlite3.Connection:
        connection = original(self)
        # Called for each instruction of SQLite's virtual machine.
        connection.set_progress_handler(lambda: steps.append(None), 1)
        return connection

    monkeypatch.setattr(Catalog, "_connect", count_steps)
    service = open_service()

    def cost(path: str) -> int:
        steps.clear()
        assert service.get(path).status_code == 200
        return len(steps)

    service.post("/v1/documents", json={"text": "Mill 0 stands by the river."})
    before = cost("/readyz"), cost("/metrics")
    documents = [{"text": f"Mill {n} stands by the river."} for n in range(1, 300)]
    service.post("/v1/documents", json=documents)
    assert service.get("/readyz").json()["documents"] == 300
    assert (cost("/readyz"), cost("/metrics")) == before
    assert min(before) > 0
