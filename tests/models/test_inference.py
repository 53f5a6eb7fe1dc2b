from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qa.models.inference import Graph, Sequence64
from qa.models.model_folder import WEIGHTS

LENGTHS = (5, 40, 17, 120, 3, 64)
# The first arrays that OpenVINO sees come from four threads at once, which take turns as often as they can.
FIRST = f"""
import sys
import threading
import numpy as np
from pathlib import Path
from qa.models.inference import Graph

graphs = [Graph(Path({str(WEIGHTS)!r}) / name / "model.xml", 2) for name in ("embedder", "reader")]
asked = [(np.arange(1000, 1000 + n), np.zeros(n, np.int64)) for n in {LENGTHS}]
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)


def ask(place):
    together.wait()
    graphs[place % 2].run(asked)


threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(WEIGHTS / "reader" / "model.xml", 2)


def sequence(length: int) -> Sequence64:
    return np.arange(1000, 1000 + length), np.zeros(length, np.int64)


def test_whoever_asks_at_the_same_time_gets_his_own(graph: Graph) -> None:
    sequences = [sequence(length) for length in LENGTHS * 4]
    alone = [graph.run([one])[0] for one in sequences[: len(LENGTHS)]] * 4
    with ThreadPoolExecutor(5) as askers:
        for found in askers.map(graph.run, [sequences] * 5):
            assert len(found) == len(alone)
            for (start, end), (expected_start, expected_end) in zip(found, alone, strict=True):
                np.testing.assert_array_equal(start, expected_start)
                np.testing.assert_array_equal(end, expected_end)


def test_an_error_is_told_and_stops_nobody_else(graph: Graph) -> None:
    ids, _ = sequence(5)
    broken = (ids, np.zeros(40, np.int64))
    for _ in range(3):
        with pytest.raises(ValueError, match="broadcast"):
            graph.run([sequence(8), broken, sequence(60)])
    assert len(graph.run([sequence(8)])) == 1


def test_the_first_to_be_asked_by_several_at_once_answers() -> None:
    for _ in range(2):
        subprocess.run([sys.executable, "-c", FIRST], check=True, timeout=120)
