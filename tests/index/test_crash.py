"""What was acknowledged survives kill -9, and no half of a write is ever seen."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from qa.index.local import LocalIndex
from qa.index.verification import verify_index
from tests.conftest import ROOT, SPECIFICATION, found

KILLS = 20

WRITER = """
import sys
from pathlib import Path
from qa.index.local import LocalIndex
from tests.conftest import SPECIFICATION, found, prepared, put

index = LocalIndex(Path(sys.argv[1]), SPECIFICATION, create=True)
first = int(sys.argv[2])
print("ready", flush=True)
for number in range(first, first + 10_000):
    put(index, *(prepared(f"{number}-{part}", f"Fact {number} part {part}. " * 40) for part in range(3)))
    print("put", number, flush=True)
    if number % 3 == 0:
        found(index, f"fact {number}")
    if number % 7 == 0:
        index.remove([f"{number}-0"])
        print("removed", number, flush=True)
"""


def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    chooser = random.Random(7)
    acknowledged: set[str] = set()
    for attempt in range(KILLS):
        first = attempt * 10_000
        for what, number in _killed_after(folder, first, chooser.uniform(0.05, 0.5)):
            if what == "put":
                acknowledged |= {f"{number}-{part}" for part in range(3)}
            else:
                acknowledged.discard(f"{number}-0")
        index = LocalIndex(folder, SPECIFICATION, create=True)
        stored = {info.id for info in index.documents(None, 1_000_000)}
        # The one write that was under way may have been committed without being told of.
        assert stored - acknowledged in (
            set(),
            *({f"{n}-{part}" for part in range(3)} for n in _next(acknowledged, first)),
        )
        assert acknowledged - stored in (set(), *({f"{n}-0"} for n in range(0, first + 10_000, 7)))
        assert verify_index(index).broken == ()
        acknowledged = stored
        index.close()
    assert len(acknowledged) > KILLS
    index = LocalIndex(folder, SPECIFICATION)
    assert found(index, "fact part")
    assert verify_index(index).repaired == ()
    index.close()


def _next(acknowledged: set[str], first: int) -> list[int]:
    """Return the number that the killed writer would have told of next."""
    return [max([first - 1, *(int(id.split("-")[0]) for id in acknowledged)]) + 1]


def _killed_after(folder: Path, first: int, seconds: float) -> list[tuple[str, int]]:
    """Run the writer, kill it after some time, and return what it acknowledged."""
    command = [sys.executable, "-W", "ignore", "-c", WRITER, str(folder), str(first)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        out = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return [(what, int(number)) for what, number in (line.split() for line in out.splitlines())]
