from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.config import Settings
from qa.engine import Engine
from qa.indexing.indexer import Indexer
from qa.service.app import create_app

Opener = Callable[..., TestClient]


@pytest.fixture
def open_service(shipped: Engine, tmp_path: Path) -> Iterator[Opener]:
    """Start the service with the shipped models, an empty default index and any settings."""
    clients: list[TestClient] = []

    def start(**settings: Any) -> TestClient:
        folder = tmp_path / "indexes"
        keep_files = settings.get("keep_files", True)
        documents = Indexer(shipped.indexes.in_folder(folder), shipped.embedder, keep_files=keep_files)
        engine = Engine(documents, shipped.reader, shipped.calibration)
        engine.indexes.get_or_create("default")
        app = create_app(Settings(index_dir=folder, **settings), engine)
        client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def service(open_service: Opener) -> TestClient:
    return open_service()
