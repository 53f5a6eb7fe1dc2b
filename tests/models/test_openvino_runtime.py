from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Imports a module and prints every network call that it makes.
_IMPORT_AND_WATCH = """
import sys
watched = ("socket.getaddrinfo", "socket.connect")
sys.addaudithook(lambda event, arguments: event in watched and print(event, arguments, flush=True))
import {module}
"""


@pytest.mark.parametrize("module", ["qa.models.inference", "qa.training.artifacts.int8_export", "qa.service.app"])
def test_import_sends_no_telemetry(module: str, tmp_path: Path) -> None:
    # A clean environment, because OpenVINO and NNCF send no telemetry where they detect CI.
    environment = {"HOME": str(tmp_path)}
    code = _IMPORT_AND_WATCH.format(module=module)
    process = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert process.stdout == ""
    assert list(tmp_path.iterdir()) == []
