"""Fixtures for tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from qa import factory
from qa.cli import app
from qa.engine import Engine

Run = Callable[..., Result]


@pytest.fixture
def run(shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `qa` in an empty folder. All tests share the loaded models."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(factory, "build_engine", lambda settings: shipped.in_folder(settings.index_dir))
    return lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)


def parse(result: Result) -> Any:
    """Return the JSON that a successful command printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
