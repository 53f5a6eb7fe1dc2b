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
from qa.models.compile_cache import kept, name_for
from qa.models.inference import Graph
from qa.models.model_folder import WEIGHTS
from qa.models.processor import Processor

READER = WEIGHTS / "reader" / "model.xml"
ASKED = [(np.arange(1000, 1040), np.zeros(40, np.int64))]
Outputs = tuple[NDArray[np.float32], ...]


def blobs(cache: Path) -> list[Path]:
    return sorted(cache.glob("*/*.blob"))


def check(graph: Graph, expected: Outputs) -> None:
    for found, plain in zip(graph.run(ASKED)[0], expected, strict=True):
        np.testing.assert_array_equal(found, plain)


@pytest.fixture(scope="module")
def expected() -> Outputs:
    """What the graph gives that is compiled anew."""
    return Graph(READER, 1).run(ASKED)[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, expected: Outputs) -> Path:
    cache = tmp_path_factory.mktemp("cache") / "of" / "graphs"
    check(Graph(READER, 1, cache, "reader"), expected)
    return cache


@pytest.fixture
def cache(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "cache"))


def test_what_is_read_again_computes_the_same_with_any_threads(cache: Path, expected: Outputs) -> None:
    (blob,) = blobs(cache)
    before = blob.stat()
    check(Graph(READER, 1, cache, "reader"), expected)
    check(Graph(READER, 3, cache, "reader"), expected)
    assert blobs(cache) == [blob]
    assert blob.stat().st_mtime_ns == before.st_mtime_ns


def test_another_graph_version_or_processor_is_another(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Graph(READER, 1, cache, "another")
    assert len(blobs(cache)) == 2
    monkeypatch.setattr(inference, "processor", lambda: Processor("old", frozenset({"avx2"})))
    slow = Graph(READER, 1, cache, "reader")
    assert len(blobs(cache)) == 3
    check(slow, Graph(READER, 1).run(ASKED)[0])


def test_the_name_depends_on_all_that_decides(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    os.utime(tmp_path / "b", (1, 1))
    named = {name_for(tmp_path / "a", "", {}), name_for(tmp_path / "b", "", {}), name_for(tmp_path / "none", "", {})}
    named |= {name_for(tmp_path / "a", "x", {}), name_for(tmp_path / "a", "x", {"y": 1})}
    os.utime(tmp_path / "a", (2, 2))
    assert len(named | {name_for(tmp_path / "a", "", {})}) == 6


@pytest.mark.parametrize("left", [0, 100, 1_000_000])
def test_a_damaged_one_is_compiled_anew(cache: Path, left: int, expected: Outputs) -> None:
    (blob,) = blobs(cache)
    blob.chmod(0o600)
    os.truncate(blob, left)
    check(Graph(READER, 1, cache, "reader"), expected)
    check(Graph(READER, 1, cache, "reader"), expected)


def test_where_nothing_can_be_written_all_the_same(tmp_path: Path, expected: Outputs) -> None:
    (tmp_path / "file").write_text("")
    check(Graph(READER, 1, tmp_path / "file" / "cache", "reader"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_on_a_full_disk_nothing_half_written_is_left(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from qa.models.inference import Graph
Graph(Path({str(READER)!r}), 1, Path({str(tmp_path / "cache")!r}), "reader")
"""

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    subprocess.run([sys.executable, "-c", program], check=True, preexec_fn=little_room)
    assert list((tmp_path / "cache").iterdir()) == []


def test_several_that_begin_together_make_one(tmp_path: Path, expected: Outputs) -> None:
    with ThreadPoolExecutor(4) as starters:
        for graph in starters.map(lambda _: Graph(READER, 1, tmp_path, "reader"), range(4)):
            check(graph, expected)
    assert len(blobs(tmp_path)) == len(list(tmp_path.iterdir())) == 1


def test_what_was_used_the_longest_ago_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "of the user").mkdir()
    (tmp_path / "notes").write_text("")
    names = [f"{place:032x}" for place in range(10)]
    for place, name in enumerate(names):
        with kept(tmp_path, name) as folder:
            assert folder is not None
            (folder / "1.blob").write_text("")
        os.utime(tmp_path / name, (place, place))
    with kept(tmp_path, names[2]):
        pass
    with kept(tmp_path, "f" * 32) as folder:
        assert folder is not None
        (folder / "1.blob").write_text("")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names[4:], names[2], "f" * 32, "of the user", "notes"}


def test_what_failed_leaves_nothing(tmp_path: Path) -> None:
    def compile_badly() -> None:
        with kept(tmp_path, "name") as folder:
            assert folder is not None
            (folder / "1.blob").write_text("")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        compile_badly()
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_can_only_be_read_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    (blob,) = blobs(cache)
    monkeypatch.setattr(os, "utime", forbidden)
    with kept(cache, blob.parent.name) as folder:
        assert folder == blob.parent


def test_two_that_are_read_at_once_leave_the_locale_as_it_was(cache: Path) -> None:
    before = locale.getencoding()
    with ThreadPoolExecutor(2) as starters:
        for _ in range(4):
            list(starters.map(lambda _: Graph(READER, 1, cache, "reader"), range(2)))
    assert locale.getencoding() == before
