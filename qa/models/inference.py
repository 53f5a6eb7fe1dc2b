"""Run OpenVINO graphs on the CPU so that batching cannot change a result.

Each sequence is a separate request, padded to the next multiple of 16 above its length. There is one stream per thread.
The precision is fixed, because a default that depends on the processor would change scores. Where int8 arithmetic is
slow, an int8 graph computes its products in float32, from the same rounded values.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qa.errors import ModelError
from qa.models.compile_cache import cache_entry, cache_key
from qa.models.openvino_runtime import ov
from qa.models.processor import detect_processor

# One AVX-512 register of float32: kernels have no remainder at the end of a row, and padding stays small.
PAD_TO = 16
# An undocumented OpenVINO option: whether quantised products are computed in int8.
_INT8_ARITHMETIC = "LP_TRANSFORMS_MODE"
# Sequences a caller submits at a time, so that concurrent callers share the graph.
_CHUNK = 16

# OpenVINO sets up its NumPy bindings when it receives its first array. Two threads that pass one at the same time
# deadlock (OpenVINO 2026.4, pybind11). An import runs in one thread, so the first array is passed here.
ov.Tensor(np.zeros(1, np.int64))

# To load a compiled graph, OpenVINO sets the locale of the process to "C" and then restores it. Two loads at once would
# leave it at "C", and Python would then decode files as ASCII.
_LOAD_LOCK = threading.Lock()

Arithmetic = Literal["auto", "int8", "float32"]

TokenSequence = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Token ids and token types of one sequence, each of shape (length,)."""


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def resolve_arithmetic(arithmetic: Arithmetic) -> Arithmetic:
    """Return the arithmetic itself, or for `auto` the faster one on this processor."""
    if arithmetic != "auto":
        return arithmetic
    return "float32" if detect_processor().int8_is_slow else "int8"


def compile_settings(threads: int, arithmetic: Arithmetic = "auto") -> dict[str, object]:
    """Return the OpenVINO settings for a graph that runs on `threads` threads."""
    settings: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
        "ENABLE_CPU_PINNING": False,
    }
    return {**settings, _INT8_ARITHMETIC: False} if resolve_arithmetic(arithmetic) == "float32" else settings


class Graph:
    """A compiled network that maps the token ids and types of one sequence to one array per output.

    Attributes:
        outputs: names of the outputs.
    """

    def __init__(
        self,
        path: Path,
        threads: int,
        cache: Path | None = None,
        identity: str = "",
        arithmetic: Arithmetic = "auto",
    ) -> None:
        """Compile an OpenVINO IR file.

        Args:
            path: the IR file.
            threads: number of inference threads.
            cache: folder in which compiled graphs are cached; None disables the cache.
            identity: identity of the graph's content.
            arithmetic: how products of an int8 graph are computed; `auto` takes the faster one.

        Raises:
            ModelError: the file cannot be read or compiled.
        """
        # A cached graph serves any number of threads, so the key is computed for one. OpenVINO's own key ignores the
        # arithmetic, which depends on the processor, so ours includes both.
        processor = detect_processor()
        settings = compile_settings(threads, arithmetic)
        key_settings = {
            **compile_settings(1, arithmetic),
            "openvino": ov.__version__,
            "on": processor.name,
            "with": sorted(processor.features),
        }
        with cache_entry(cache, cache_key(path, identity, key_settings)) as folder:
            if folder:
                settings["CACHE_DIR"] = str(folder)
            try:
                with _LOAD_LOCK if folder else nullcontext():
                    compiled = ov.Core().compile_model(str(path), "CPU", settings)
                self.outputs = tuple(port.get_any_name() for port in compiled.outputs)
            except RuntimeError as error:
                raise ModelError(f"{path}: {error}") from error
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(threads):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graph")

    def run(self, sequences: Sequence[TokenSequence]) -> list[tuple[NDArray[np.float32], ...]]:
        """Return the outputs of each sequence, without the batch axis but still padded.

        Args:
            sequences: pairs of token ids and token types, each of shape (length,).
        """
        results: list[tuple[NDArray[np.float32], ...]] = [()] * len(sequences)
        # Longest first, because a long sequence started last would leave the other threads idle. Sorting also groups
        # equal lengths: a request that changes its input shape has to prepare for it first.
        order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i][0]))
        for first in range(0, len(order), _CHUNK):
            chunk = order[first : first + _CHUNK]
            for index, outputs in zip(chunk, self._pool.map(self._infer, (sequences[i] for i in chunk)), strict=True):
                results[index] = outputs
        return results

    def _infer(self, sequence: TokenSequence) -> tuple[NDArray[np.float32], ...]:
        request = self._idle.get()
        try:
            request.infer(pad(*sequence))
            return tuple(tensor.data[0].copy() for tensor in request.output_tensors)
        finally:
            self._idle.put(request)


def pad(ids: NDArray[np.int64], types: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return the graph's inputs, each of shape (1, length padded to a multiple of 16)."""
    length = -(-len(ids) // PAD_TO) * PAD_TO
    inputs = {name: np.zeros((1, length), np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    inputs["input_ids"][0, : len(ids)] = ids
    inputs["token_type_ids"][0, : len(ids)] = types
    inputs["attention_mask"][0, : len(ids)] = 1
    return inputs
