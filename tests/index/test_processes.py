"""Several processes on one index: writers wait for each other, and readers see every acknowledged write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from qa.index.local import LocalIndex
from qa.index.verification import verify_index
from tests.conftest import PROCESS_TIMEOUT_S, ROOT, SPECIFICATION, search_ids

pytestmark = pytest.mark.slow

WRITERS, EACH = 4, 25

# Writes documents, and searches for them and for documents that other processes have acknowledged.
WORKER = """
import sys
from pathlib import Path
from qa.index.local import LocalIndex
from tests.conftest import SPECIFICATION, prepare_document, put, search_ids

folder, acknowledged, name, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
index = LocalIndex(folder, SPECIFICATION, create=True)
for step in range(count):
    id = f"{name}-{step}"
    put(index, prepare_document(id, f"The lamp {id} of {name} burns in room {step}."))
    (acknowledged / id).touch()
    for written in sorted(path.name for path in acknowledged.iterdir())[-3:]:
        assert written in search_ids(index, f"lamp {written}", limit=1000), written
"""


def test_concurrent_writers_see_each_others_documents(tmp_path: Path) -> None:
    folder, acknowledged = tmp_path / "books", tmp_path / "acknowledged"
    acknowledged.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(folder), str(acknowledged)]
    processes = [subprocess.Popen([*command, name, str(EACH)], env=environment) for name in "abcd"[:WRITERS]]
    assert [process.wait(5 * PROCESS_TIMEOUT_S) for process in processes] == [0] * WRITERS
    index = LocalIndex(folder, SPECIFICATION)
    assert index.counts() == (WRITERS * EACH, WRITERS * EACH)
    assert index.state().revision == WRITERS * EACH
    verification = verify_index(index)
    assert (verification.broken, verification.repaired) == ((), ())
    assert "c-7" in search_ids(index, "lamp c-7", limit=100)
    index.close()


def test_ctrl_c_stops_adding_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(8):
        (files / f"{number}.txt").write_text(f"The lamp {number} burns all night, and no one looks after it. " * 1000)
    qa = str(Path(sys.executable).with_name("qa"))
    environment = {**os.environ, "QA_INDEX_DIR": str(tmp_path / "indexes")}
    adding = subprocess.Popen(
        [qa, "add", str(files)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background makes them and their children ignore SIGINT.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + PROCESS_TIMEOUT_S
    while not (tmp_path / "indexes" / "default" / "catalog.sqlite3").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    adding.send_signal(signal.SIGINT)
    _, stderr = adding.communicate(timeout=PROCESS_TIMEOUT_S)
    assert adding.returncode == 130
    assert "Traceback" not in stderr
    command = [qa, "verify", "--json"]
    report = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert '"documents": 0' in report
    assert '"broken": []' in report
