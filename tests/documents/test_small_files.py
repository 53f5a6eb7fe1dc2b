"""The small files that once went wrong, uploaded to a real server: each has the text that a reader of it sees."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SHARED

CASES = SHARED.parent / "cases"

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not CASES.exists(), reason="the small files are not beside this checkout")
def test_every_small_file_has_the_expected_text(tmp_path: Path) -> None:
    qa = Path(sys.executable).with_name("qa")
    command: list[str | Path] = [sys.executable, CASES / "check.py", CASES, CASES / "expected.json", qa]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert re.search(r"^([1-9]\d*) of \1 cases right", process.stdout, re.MULTILINE)
