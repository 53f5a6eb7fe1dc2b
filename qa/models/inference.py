"""OpenVINO graphs on the CPU, run so that what is asked together cannot change a result.

Each sequence is a request of its own, padded to the next multiple of 16 of its own length; there are as many streams
as threads, one thread each. Precision is fixed: a default that differs between processors would change scores. Where
bytes are slow, the int8 graph's products are float32's, of the same rounded values.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.models.compile_cache import kept, name_for
from qa.models.openvino_runtime import ov
from qa.models.processor import processor

# One AVX-512 register of float32: kernels lose nothing at the end of a row, and little is padded.
PAD_TO = 16
# OpenVINO's name for whether quantised products are computed in bytes; not among those that it documents.
_BYTES = "LP_TRANSFORMS_MODE"
# Sequences of one turn; others that wait for the graph get theirs in between.
_TURN = 16

# What OpenVINO knows of NumPy it finds out at the first array that it meets. Two threads that bring it the first one at
# the same time wait for each other for ever (2026.4, pybind11); a module is imported by one.
ov.Tensor(np.zeros(1, np.int64))

# To read a compiled graph OpenVINO sets the process's locale to "C" and back; two at once would leave it there, and
# Python would take files for ASCII.
_ONE_AT_A_TIME = threading.Lock()

Sequence64 = tuple[NDArray[np.int64], NDArray[np.int64]]


def available_threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def settings_for(threads: int) -> dict[str, object]:
    """Return how OpenVINO is to compute a graph."""
    settings: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
        "ENABLE_CPU_PINNING": False,
    }
    return {**settings, _BYTES: False} if processor().int8_is_slow else settings


class Graph:
    """A compiled network that takes token ids and types of one sequence, and gives one array per output.

    Attributes:
        outputs: their names.
    """

    def __init__(self, path: Path, threads: int, cache: Path | None = None, identity: str = "") -> None:
        """Compile `path` (OpenVINO IR) for `threads` threads.

        Args:
            path: the graph.
            threads: that compute it.
            cache: the folder in which compiled graphs are kept, if they are to be.
            identity: of the graph's content.

        Raises:
            ModelError: the file cannot be read or compiled.
        """
        # Threads do not change what is kept; OpenVINO alone would take what was compiled for other arithmetic.
        on = processor()
        decides = {**settings_for(1), "openvino": ov.__version__, "on": on.name, "with": sorted(on.features)}
        with kept(cache, name_for(path, identity, decides)) as folder:
            settings = settings_for(threads) if folder is None else {**settings_for(threads), "CACHE_DIR": str(folder)}
            try:
                with _ONE_AT_A_TIME if folder else nullcontext():
                    compiled = ov.Core().compile_model(str(path), "CPU", settings)
                self.outputs = tuple(port.get_any_name() for port in compiled.outputs)
            except RuntimeError as error:
                raise ModelError(f"{path}: {error}") from error
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(threads):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graph")

    def run(self, sequences: Sequence[Sequence64]) -> list[tuple[NDArray[np.float32], ...]]:
        """Return the outputs of each sequence without the batch axis, still padded.

        Args:
            sequences: pairs (token ids, token types), each of shape (length,).
        """
        results: list[tuple[NDArray[np.float32], ...]] = [()] * len(sequences)
        # The longest first: a long one begun last would leave the other threads idle. And those of a length follow one
        # another: a network that is given another length has to get ready for it first.
        order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i][0]))
        for first in range(0, len(order), _TURN):
            turn = order[first : first + _TURN]
            for place, outputs in zip(turn, self._pool.map(self._infer, (sequences[i] for i in turn)), strict=True):
                results[place] = outputs
        return results

    def _infer(self, sequence: Sequence64) -> tuple[NDArray[np.float32], ...]:
        request = self._idle.get()
        try:
            request.infer(padded(*sequence))
            return tuple(tensor.data[0].copy() for tensor in request.output_tensors)
        finally:
            self._idle.put(request)


def padded(ids: NDArray[np.int64], types: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return the graph's inputs, each of shape (1, length padded to a multiple of 16)."""
    length = -(-len(ids) // PAD_TO) * PAD_TO
    made = {name: np.zeros((1, length), np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    made["input_ids"][0, : len(ids)] = ids
    made["token_type_ids"][0, : len(ids)] = types
    made["attention_mask"][0, : len(ids)] = 1
    return made
