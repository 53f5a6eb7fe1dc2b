from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.index import nearest
from qa.index.vectors import VectorView, build_base, cosines, extend_base, load_base, newest_base

DIMENSION = 16


def marks(_: int) -> str:
    return "m"


def unit(rows: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    half: np.ndarray = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)
    return half


def brute_force(ids: np.ndarray, matrix: np.ndarray, question: np.ndarray, limit: int) -> list[int]:
    scores = matrix.astype(np.float32) @ question
    return [int(ids[i]) for i in np.lexsort((ids, -scores))[:limit]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 2**16), st.data())
def test_base_and_tail_agree_with_brute_force(
    tmp_path_factory: pytest.TempPathFactory, base: int, tail: int, seed: int, data: st.DataObject
) -> None:
    matrix, ids = unit(base + tail, seed), np.arange(base + tail, dtype=np.int64) * 3 + 1
    dead = set(data.draw(st.lists(st.sampled_from(ids.tolist()), unique=True))) if len(ids) else set()
    allowed = data.draw(st.none() | st.lists(st.sampled_from(ids.tolist()), unique=True)) if len(ids) else None
    view = VectorView.empty(DIMENSION)
    if base:
        view = build_base(tmp_path_factory.mktemp("v"), 1, 1, "m", ids[:base], matrix[:base])
    view = view.advance(2, [], zip(ids[base:].tolist(), matrix[base:], strict=True))
    view = view.advance(3, sorted(dead), [])
    question = unit(1, seed + 1)[0].astype(np.float32)
    kept = [i for i, n in enumerate(ids.tolist()) if n not in dead and (allowed is None or n in allowed)]
    expected = brute_force(ids[kept], matrix[kept], question, 7)
    assert view.search(question, 7, None if allowed is None else sorted(allowed)) == expected
    assert list(view.stored()) == sorted(set(ids.tolist()) - dead)


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    ids, matrix = np.arange(50, dtype=np.int64), unit(50, 3)
    built = build_base(tmp_path, 2, 9, "m", ids, matrix)
    loaded = newest_base(tmp_path, 2, DIMENSION, marks)
    question = unit(1, 4)[0].astype(np.float32)
    assert loaded.revision == 9
    assert loaded.search(question, 10) == built.search(question, 10)


def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    build_base(tmp_path, 1, 5, "m", np.arange(3, dtype=np.int64), unit(3, 1))
    (tmp_path / "vectors-1-5-m.ids.npy").write_bytes(b"")
    assert newest_base(tmp_path, 1, DIMENSION, marks).revision == 0
    with pytest.raises((ValueError, OSError, EOFError)):
        load_base(tmp_path / "vectors-1-5-m.faiss")


def test_a_snapshot_of_another_catalogue_is_passed_over(tmp_path: Path) -> None:
    build_base(tmp_path, 1, 5, "other", np.arange(3, dtype=np.int64), unit(3, 1))
    assert newest_base(tmp_path, 1, DIMENSION, marks).revision == 0


def test_a_view_in_use_outlives_the_next_snapshot(tmp_path: Path) -> None:
    ids, matrix = np.arange(50, dtype=np.int64), unit(50, 3)
    old = build_base(tmp_path, 1, 1, "m", ids, matrix)
    # What a crash may leave of one before it.
    (tmp_path / "vectors-1-0-l.ids.npy").write_bytes(b"")
    question = unit(1, 4)[0].astype(np.float32)
    before = old.search(question, 5)
    build_base(tmp_path, 1, 2, "n", ids, unit(50, 5))
    assert old.search(question, 5) == before
    assert {path.name for path in tmp_path.iterdir()} == {"vectors-1-2-n.faiss", "vectors-1-2-n.ids.npy"}


def test_cosines_are_exact_dot_products() -> None:
    matrix, question = unit(5, 1), unit(1, 2)[0].astype(np.float32)
    assert cosines(list(matrix), question) == [float(np.dot(row.astype(np.float32), question)) for row in matrix]


@pytest.fixture
def in_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT", 500)


def clustered(rows: int, seed: int) -> np.ndarray:
    chooser = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(50, DIMENSION))
    made = centres[chooser.integers(0, 50, rows)] + 0.5 * chooser.normal(size=(rows, DIMENSION))
    half: np.ndarray = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)
    return half


def recall(view: VectorView, ids: np.ndarray, matrix: np.ndarray, allowed: list[int] | None = None) -> float:
    open_ids = ids if allowed is None else np.asarray(allowed)
    rows = matrix[np.searchsorted(ids, open_ids)]
    shares = []
    for question in clustered(60, 99).astype(np.float32):
        found = view.search(question, 30, allowed)
        assert set(found) <= set(open_ids.tolist())
        shares.append(len(set(found) & set(brute_force(open_ids, rows, question, 10))) / min(10, len(open_ids)))
    return float(np.mean(shares))


@pytest.mark.usefixtures("in_lists")
def test_a_large_base_is_searched_in_part_and_misses_hardly_anything(tmp_path: Path) -> None:
    ids, matrix = np.arange(3_000, dtype=np.int64) * 2, clustered(3_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids, matrix)
    assert view.base is not None
    assert view.base.lists is not None
    assert 1 <= view.base.lists[0] < view.base.lists[1]
    assert recall(view, ids, matrix) > 0.97
    # A narrow filter is searched everywhere.
    assert recall(view, ids, matrix, list(range(0, 6_000, 120))) == 1.0
    stored = view.stored()
    assert list(stored) == ids.tolist()
    assert np.array_equal(np.stack(list(stored.values())), matrix)
    again = newest_base(tmp_path, 1, DIMENSION, marks)
    question = clustered(1, 5)[0].astype(np.float32)
    assert again.search(question, 20) == view.search(question, 20)


@pytest.mark.usefixtures("in_lists")
def test_a_large_base_grows_by_its_tail(tmp_path: Path) -> None:
    ids, matrix = np.arange(3_000, dtype=np.int64), clustered(3_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids[:2_000], matrix[:2_000])
    view = view.advance(2, [], zip(ids[2_000:].tolist(), matrix[2_000:], strict=True))
    assert view.worn is False
    grown = extend_base(view, tmp_path, 1, "n")
    assert grown is not None
    assert (grown.revision, len(grown.tail_ids), len(grown.base_ids)) == (2, 0, 3_000)
    assert recall(grown, ids, matrix) > 0.97
    assert np.array_equal(np.stack(list(grown.stored().values())), matrix)
    # A snapshot that a crash left without its numbers is passed over.
    (tmp_path / "vectors-1-0-x.faiss").write_bytes(b"IwSq")
    assert extend_base(view, tmp_path, 1, "p") is None
    # What was removed is not taken along, and too few lists are not kept.
    assert extend_base(view.advance(3, [5], []), tmp_path, 1, "o") is None
    many = clustered(40_000, 2)
    assert extend_base(view.advance(3, [], enumerate(many, 3_000)), tmp_path, 1, "o") is None


@pytest.mark.usefixtures("in_lists")
def test_removed_passages_of_a_large_base_are_not_found(tmp_path: Path) -> None:
    ids, matrix = np.arange(2_000, dtype=np.int64), clustered(2_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids, matrix)
    question = matrix[7].astype(np.float32)
    gone = view.search(question, 5)
    assert gone[0] == 7
    assert not set(view.advance(2, gone, []).search(question, 50)) & set(gone)
