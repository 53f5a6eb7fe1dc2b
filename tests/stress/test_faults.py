"""Faults caused for real: kill -9, a full disk, flipped bits. A few in every run, many with `make stress`."""

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
from tests.conftest import ROOT, SPECIFICATION, found, prepared, put

MANY = bool(os.environ.get("QA_STRESS"))
KILLS = 200 if MANY else 20
FLIPS = 200 if MANY else 20

# Tells of each thing before it is begun and after it is done. Bases and postings are made anew often.
WORKER = """
import random, sys
from pathlib import Path
from qa.documents.splitting import split
from qa.index import derived, vectors
from qa.indexing import rebuild as generations
from qa.index.local import LocalIndex
from tests.conftest import EMBEDDER, SPECIFICATION, found, prepared, put

vectors.MAX_TAIL, generations._TOGETHER, derived._MAX_DEAD_POSTINGS = 20, 4, 0.01
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
chooser = random.Random(seed)
index = LocalIndex(folder, SPECIFICATION, create=True)
prepare = lambda documents: [prepared(d.id, d.text) for d in documents]
print("ready", flush=True)
for step in range(10_000):
    id = f"{seed}-{step}" if chooser.random() < 0.6 else f"{chooser.randint(0, seed)}-{chooser.randint(0, 9)}"
    text = f"Fact {step} of {seed}. " * chooser.randint(1, 60)
    what = chooser.choices(["put", "remove", "rebuild", "rollback", "ask"], [6, 2, 1, 1, 2])[0]
    print("begin", what, id, text, sep="\\t", flush=True)
    if what == "put":
        # Both or none.
        put(index, prepared(id, text), prepared(id + "-twin", text + "Again."))
    elif what == "remove":
        what = "remove" if index.remove([id]) is None else "nothing"
    elif what == "rebuild":
        generations.rebuild(index, prepare, lambda _: None)
    elif what == "rollback":
        with index.catalog.read() as transaction:
            old = transaction.generations("old")
        if old:
            generations.roll_back(index, prepare, lambda _: None)
    else:
        found(index, text)
    print("done", what, id, text, sep="\\t", flush=True)
"""


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    folder, chooser = tmp_path / "index", random.Random(3)
    expected: dict[str, str] = {}
    done = {"put": 0, "remove": 0, "rebuild": 0, "rollback": 0, "ask": 0, "nothing": 0}
    for attempt in range(KILLS):
        pending: tuple[str, str, str] | None = None
        for state, what, id, text in _killed_after(folder, attempt, chooser.uniform(0.05, 0.8)):
            pending = (what, id, text) if state == "begin" else None
            if state == "done":
                done[what] += 1
                _apply(expected, what, id, text)
        index = LocalIndex(folder, SPECIFICATION, create=True)
        with index.catalog.read() as transaction:
            stored = dict(transaction.texts())
        # What was under way may have been done without being told of.
        after = dict(expected)
        if pending:
            _apply(after, *pending)
        assert stored in (expected, after)
        expected = stored
        verified = verify_index(index)
        assert verified.broken == ()
        assert verified.documents == len(expected)
        if expected:
            id, text = chooser.choice(list(expected.items()))
            assert id in found(index, text, limit=len(expected) * 8)
        index.close()
    assert min(done["put"], done["remove"], done["rebuild"], done["ask"]) > 0


def _apply(texts: dict[str, str], what: str, id: str, text: str) -> None:
    if what == "put":
        texts[id], texts[f"{id}-twin"] = text, f"{text}Again."
    elif what == "remove":
        texts.pop(id, None)


def _killed_after(folder: Path, seed: int, seconds: float) -> Iterator[tuple[str, str, str, str]]:
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(folder), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        out = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    for line in out.splitlines(keepends=True):
        if line.endswith("\n"):
            state, what, id, text = line.removesuffix("\n").split("\t")
            yield state, what, id, text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system takes the right to mount one")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    index = LocalIndex(small_disk / "index", SPECIFICATION, create=True)
    acknowledged: list[str] = []

    def fill() -> None:
        for number in range(10_000):
            put(index, prepared(str(number), f"Fact {number}. " * 300))
            acknowledged.append(str(number))

    with pytest.raises(Unavailable, match="full"):
        fill()
    assert len(acknowledged) > 10
    # Postings cannot be written either: that is told, and what is there stays.
    with pytest.raises(Unavailable):
        found(index, "fact 7")
    assert [info.id for info in index.documents(None, 10_000)] == sorted(acknowledged)
    index.close()
    ballast.unlink()
    index = LocalIndex(small_disk / "index", SPECIFICATION)
    assert verify_index(index).broken == ()
    put(index, prepared("last", "One more fact."))
    assert "last" in found(index, "one more fact")
    index.close()


def test_flipped_bits_and_cut_files_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qa.index import vectors

    monkeypatch.setattr(vectors, "MAX_TAIL", 10)
    folder, chooser = tmp_path / "index", random.Random(5)
    index = LocalIndex(folder, SPECIFICATION, create=True)
    put(index, *(prepared(f"{number:03}", f"Fact {number} of {number % 7}. " * 5) for number in range(60)))
    questions = [f"fact {number}" for number in range(0, 60, 9)]
    before = [found(index, question) for question in questions]
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
        # Never an error to who asks; and what is damaged without showing is found by looking.
        for question in questions:
            found(index, question)
        assert verify_index(index).broken == ()
        assert [found(index, question) for question in questions] == before, damaged
        index.close()
