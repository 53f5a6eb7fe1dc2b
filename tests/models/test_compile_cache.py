from __future__ import annotations

import locale
import os
import resource
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qa.models import inference
from qa.models.compile_cache import cache_entry, cache_key
from qa.models.inference import Graph
from qa.models.model_folder import WEIGHTS
from qa.models.processor import Processor

pytestmark = pytest.mark.slow

READER = WEIGHTS / "reader" / "model.xml"
SEQUENCES = [(np.arange(1000, 1040), np.zeros(40, np.int64))]
Outputs = tuple[NDArray[np.float32], ...]


def blobs(cache: Path) -> list[Path]:
    return sorted(cache.glob("*/*.blob"))


def check(graph: Graph, expected: Outputs) -> None:
    for output, expected_output in zip(graph.run(SEQUENCES)[0], expected, strict=True):
        np.testing.assert_array_equal(output, expected_output)


@pytest.fixture(scope="module")
def expected() -> Outputs:
    """The outputs of a graph that is compiled without a cache."""
    return Graph(READER, 1).run(SEQUENCES)[0]


@pytest.fixture(scope="module")
def filled_cache(tmp_path_factory: pytest.TempPathFactory, expected: Outputs) -> Path:
    cache = tmp_path_factory.mktemp("cache") / "of" / "graphs"
    check(Graph(READER, 1, cache, "reader"), expected)
    return cache


@pytest.fixture
def cache(filled_cache: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled_cache, tmp_path / "cache"))


def test_cached_graph_returns_the_same_outputs_with_any_number_of_threads(cache: Path, expected: Outputs) -> None:
    (blob,) = blobs(cache)
    before = blob.stat()
    check(Graph(READER, 1, cache, "reader"), expected)
    check(Graph(READER, 3, cache, "reader"), expected)
    assert blobs(cache) == [blob]
    assert blob.stat().st_mtime_ns == before.st_mtime_ns


def test_other_identity_or_processor_gets_another_entry(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Graph(READER, 1, cache, "another")
    assert len(blobs(cache)) == 2
    monkeypatch.setattr(inference, "detect_processor", lambda: Processor("old", frozenset({"avx2"})))
    float_graph = Graph(READER, 1, cache, "reader")
    assert len(blobs(cache)) == 3
    check(float_graph, Graph(READER, 1).run(SEQUENCES)[0])


def test_cache_key_depends_on_path_time_identity_and_settings(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    os.utime(tmp_path / "b", (1, 1))
    keys = {cache_key(tmp_path / "a", "", {}), cache_key(tmp_path / "b", "", {}), cache_key(tmp_path / "none", "", {})}
    keys |= {cache_key(tmp_path / "a", "x", {}), cache_key(tmp_path / "a", "x", {"y": 1})}
    os.utime(tmp_path / "a", (2, 2))
    assert len(keys | {cache_key(tmp_path / "a", "", {})}) == 6


@pytest.mark.parametrize("size", [0, 100, 1_000_000])
def test_compiles_again_when_the_cached_graph_is_damaged(cache: Path, size: int, expected: Outputs) -> None:
    (blob,) = blobs(cache)
    blob.chmod(0o600)
    os.truncate(blob, size)
    check(Graph(READER, 1, cache, "reader"), expected)
    check(Graph(READER, 1, cache, "reader"), expected)


def test_compiles_without_a_cache_when_its_folder_cannot_be_created(tmp_path: Path, expected: Outputs) -> None:
    (tmp_path / "file").write_text("")
    check(Graph(READER, 1, tmp_path / "file" / "cache", "reader"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_full_disk_leaves_no_partial_entry(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from qa.models.inference import Graph
Graph(Path({str(READER)!r}), 1, Path({str(tmp_path / "cache")!r}), "reader")
"""

    def limit_file_size() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    subprocess.run([sys.executable, "-c", program], check=True, preexec_fn=limit_file_size)
    assert list((tmp_path / "cache").iterdir()) == []


def test_concurrent_compilations_create_one_entry(tmp_path: Path, expected: Outputs) -> None:
    with ThreadPoolExecutor(4) as pool:
        for graph in pool.map(lambda _: Graph(READER, 1, tmp_path, "reader"), range(4)):
            check(graph, expected)
    assert len(blobs(tmp_path)) == len(list(tmp_path.iterdir())) == 1


def test_evicts_the_least_recently_used_entries_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "of the user").mkdir()
    (tmp_path / "notes").write_text("")
    keys = [f"{number:032x}" for number in range(10)]
    for number, key in enumerate(keys):
        with cache_entry(tmp_path, key) as folder:
            assert folder is not None
            (folder / "1.blob").write_text("")
        os.utime(tmp_path / key, (number, number))
    with cache_entry(tmp_path, keys[2]):
        pass
    with cache_entry(tmp_path, "f" * 32) as folder:
        assert folder is not None
        (folder / "1.blob").write_text("")
    remaining = {path.name for path in tmp_path.iterdir()}
    assert remaining == {*keys[4:], keys[2], "f" * 32, "of the user", "notes"}


def test_failed_compilation_leaves_no_entry(tmp_path: Path) -> None:
    def fail_to_compile() -> None:
        with cache_entry(tmp_path, "key") as folder:
            assert folder is not None
            (folder / "1.blob").write_text("")
            raise RuntimeError("compilation failed")

    with pytest.raises(RuntimeError, match="compilation failed"):
        fail_to_compile()
    assert list(tmp_path.iterdir()) == []


def test_read_only_cache_is_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    (blob,) = blobs(cache)
    monkeypatch.setattr(os, "utime", refuse)
    with cache_entry(cache, blob.parent.name) as folder:
        assert folder == blob.parent


def test_concurrent_loads_keep_the_locale(cache: Path) -> None:
    before = locale.getencoding()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(4):
            list(pool.map(lambda _: Graph(READER, 1, cache, "reader"), range(2)))
    assert locale.getencoding() == before
