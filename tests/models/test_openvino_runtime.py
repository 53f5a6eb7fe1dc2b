from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_WATCHED = """
import sys
asks = ("socket.getaddrinfo", "socket.connect")
sys.addaudithook(lambda event, told: event in asks and print(event, told, flush=True))
import {module}
"""


@pytest.mark.parametrize("module", ["qa.models.inference", "qa.training.artifacts.int8_export", "qa.service.app"])
def test_nobody_is_told_that_it_is_used(module: str, tmp_path: Path) -> None:
    # Nothing of this process's environment: from what they take for CI, neither OpenVINO nor NNCF reports.
    environment = {"HOME": str(tmp_path)}
    code = _WATCHED.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
