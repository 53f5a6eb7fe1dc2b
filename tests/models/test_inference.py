from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qa.models.inference import Graph, TokenSequence
from qa.models.model_folder import WEIGHTS

LENGTHS = (5, 40, 17, 120, 3, 64)
# Four threads pass OpenVINO its first arrays at the same time. The short switch interval makes a deadlock likely.
FIRST_CALLS = f"""
import sys
import threading
import numpy as np
from pathlib import Path
from qa.models.inference import Graph

graphs = [Graph(Path({str(WEIGHTS)!r}) / name / "model.xml", 2) for name in ("embedder", "reader")]
sequences = [(np.arange(1000, 1000 + n), np.zeros(n, np.int64)) for n in {LENGTHS}]
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(4)


def run(number):
    barrier.wait()
    graphs[number % 2].run(sequences)


threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(WEIGHTS / "reader" / "model.xml", 2)


def sequence(length: int) -> TokenSequence:
    return np.arange(1000, 1000 + length), np.zeros(length, np.int64)


def test_concurrent_callers_each_get_the_outputs_of_their_sequences(graph: Graph) -> None:
    sequences = [sequence(length) for length in LENGTHS * 4]
    expected = [graph.run([single])[0] for single in sequences[: len(LENGTHS)]] * 4
    with ThreadPoolExecutor(5) as pool:
        for outputs in pool.map(graph.run, [sequences] * 5):
            assert len(outputs) == len(expected)
            for of_sequence, expected_of_sequence in zip(outputs, expected, strict=True):
                for output, expected_output in zip(of_sequence, expected_of_sequence, strict=True):
                    np.testing.assert_array_equal(output, expected_output)


def test_graph_works_after_an_invalid_sequence_raises(graph: Graph) -> None:
    ids, _ = sequence(5)
    invalid = (ids, np.zeros(40, np.int64))
    for _ in range(3):
        with pytest.raises(ValueError, match="broadcast"):
            graph.run([sequence(8), invalid, sequence(60)])
    assert len(graph.run([sequence(8)])) == 1


def test_concurrent_first_calls_do_not_deadlock() -> None:
    for _ in range(2):
        subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True, timeout=120)
