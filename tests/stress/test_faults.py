"""Injected faults: kill -9, a full disk, flipped bits. A few in every run, many with `make stress`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.errors import Unavailable
from qa.index.local import LocalIndex
from qa.index.verification import verify_index
from tests.conftest import ROOT, SPECIFICATION, prepare_document, put, search_ids

pytestmark = pytest.mark.slow

MANY = bool(os.environ.get("QA_STRESS"))
KILLS = 200 if MANY else 20
FLIPS = 200 if MANY else 20

# Prints each operation before it begins and after it is done. Small limits cause frequent rebuilds of derived files.
WORKER = """
import random, sys
from pathlib import Path
from qa.index import derived, vectors
from qa.indexing import rebuild as rebuilding
from qa.index.local import LocalIndex
from tests.conftest import SPECIFICATION, prepare_document, put, search_ids

vectors.MAX_TAIL, rebuilding._BATCH, derived._MAX_DEAD_POSTINGS = 20, 4, 0.01
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
chooser = random.Random(seed)
index = LocalIndex(folder, SPECIFICATION, create=True)
prepare = lambda documents: [prepare_document(d.id, d.text) for d in documents]
print("ready", flush=True)
for step in range(10_000):
    id = f"{seed}-{step}" if chooser.random() < 0.6 else f"{chooser.randint(0, seed)}-{chooser.randint(0, 9)}"
    text = f"Fact {step} of {seed}. " * chooser.randint(1, 60)
    operation = chooser.choices(["put", "remove", "rebuild", "rollback", "ask"], [6, 2, 1, 1, 2])[0]
    print("begin", operation, id, text, sep="\\t", flush=True)
    if operation == "put":
        # One transaction: both or none.
        put(index, prepare_document(id, text), prepare_document(id + "-twin", text + "Again."))
    elif operation == "remove":
        operation = "remove" if index.remove([id]) is None else "nothing"
    elif operation == "rebuild":
        rebuilding.rebuild(index, prepare, lambda _: None)
    elif operation == "rollback":
        with index.catalog.read() as transaction:
            old = transaction.generations("old")
        if old:
            rebuilding.roll_back(index, prepare, lambda _: None)
    else:
        search_ids(index, text)
    print("done", operation, id, text, sep="\\t", flush=True)
"""


def test_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    folder, chooser = tmp_path / "index", random.Random(3)
    expected: dict[str, str] = {}
    done = {"put": 0, "remove": 0, "rebuild": 0, "rollback": 0, "ask": 0, "nothing": 0}
    for attempt in range(KILLS):
        pending: tuple[str, str, str] | None = None
        for state, operation, id, text in _kill_worker(
            folder, attempt, chooser.randint(0, 30), chooser.uniform(0, 0.05)
        ):
            pending = (operation, id, text) if state == "begin" else None
            if state == "done":
                done[operation] += 1
                _apply(expected, operation, id, text)
        index = LocalIndex(folder, SPECIFICATION, create=True)
        with index.catalog.read() as transaction:
            stored = dict(transaction.texts())
        # The pending operation may have committed without being reported.
        with_pending = dict(expected)
        if pending:
            _apply(with_pending, *pending)
        assert stored in (expected, with_pending)
        expected = stored
        verification = verify_index(index)
        assert verification.broken == ()
        assert not [problem for problem in verification.repaired if "counters" in problem]
        assert verification.documents == len(expected)
        if expected:
            id, text = chooser.choice(list(expected.items()))
            assert id in search_ids(index, text, limit=len(expected) * 8)
        index.close()
    assert min(done["put"], done["remove"], done["rebuild"], done["ask"]) > 0


def _apply(texts: dict[str, str], operation: str, id: str, text: str) -> None:
    if operation == "put":
        texts[id], texts[f"{id}-twin"] = text, f"{text}Again."
    elif operation == "remove":
        texts.pop(id, None)


def _kill_worker(folder: Path, seed: int, operations: int, delay_s: float) -> Iterator[tuple[str, str, str, str]]:
    """Kill a worker some time after a number of operations, and yield the lines that it printed."""
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(folder), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = [process.stdout.readline() for _ in range(2 * operations)]
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    for line in lines:
        if line.endswith("\n"):
            state, operation, id, text = line.removesuffix("\n").split("\t")
            yield state, operation, id, text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_reports_a_full_disk_and_loses_nothing(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    index = LocalIndex(small_disk / "index", SPECIFICATION, create=True)
    acknowledged: list[str] = []

    def fill() -> None:
        for number in range(10_000):
            put(index, prepare_document(str(number), f"Fact {number}. " * 300))
            acknowledged.append(str(number))

    with pytest.raises(Unavailable, match="full"):
        fill()
    assert len(acknowledged) > 10
    # Postings cannot be written either; stored documents stay.
    with pytest.raises(Unavailable):
        search_ids(index, "fact 7")
    assert [info.id for info in index.documents(None, 10_000)] == sorted(acknowledged)
    index.close()
    ballast.unlink()
    index = LocalIndex(small_disk / "index", SPECIFICATION)
    assert verify_index(index).broken == ()
    put(index, prepare_document("last", "One more fact."))
    assert "last" in search_ids(index, "one more fact")
    index.close()


def test_rebuilds_files_with_flipped_bits_or_truncated_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qa.index import vectors

    monkeypatch.setattr(vectors, "MAX_TAIL", 10)
    folder, chooser = tmp_path / "index", random.Random(5)
    index = LocalIndex(folder, SPECIFICATION, create=True)
    put(index, *(prepare_document(f"{number:03}", f"Fact {number} of {number % 7}. " * 5) for number in range(60)))
    questions = [f"fact {number}" for number in range(0, 60, 9)]
    before = [search_ids(index, question) for question in questions]
    index.close()
    for _ in range(FLIPS):
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "catalog" not in path.name]
        damaged = chooser.choice([path for path in files if path.stat().st_size])
        content = bytearray(damaged.read_bytes())
        if chooser.random() < 0.3:
            damaged.write_bytes(content[: chooser.randrange(len(content))])
        else:
            content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
            damaged.write_bytes(content)
        index = LocalIndex(folder, SPECIFICATION)
        # Queries never fail, and verification finds damage that queries do not notice.
        for question in questions:
            search_ids(index, question)
        assert verify_index(index).broken == ()
        assert [search_ids(index, question) for question in questions] == before, damaged
        index.close()
