from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.index import faiss_index
from qa.index.vectors import VectorView, build_base, extend_base, load_base, newest_base

DIMENSION = 64


def marks(_: int) -> str:
    return "m"


def unit(rows: int, seed: int) -> np.ndarray:
    normal = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    half: np.ndarray = (normal / np.linalg.norm(normal, axis=1, keepdims=True)).astype(np.float16)
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


def test_loaded_base_gives_the_same_results(tmp_path: Path) -> None:
    ids, matrix = np.arange(50, dtype=np.int64), unit(50, 3)
    built = build_base(tmp_path, 2, 9, "m", ids, matrix)
    loaded = newest_base(tmp_path, 2, DIMENSION, marks)
    question = unit(1, 4)[0].astype(np.float32)
    assert loaded.revision == 9
    assert loaded.search(question, 10) == built.search(question, 10)


def test_skips_a_damaged_base(tmp_path: Path) -> None:
    build_base(tmp_path, 1, 5, "m", np.arange(3, dtype=np.int64), unit(3, 1))
    (tmp_path / "vectors-1-5-m.ids.npy").write_bytes(b"")
    assert newest_base(tmp_path, 1, DIMENSION, marks).revision == 0
    with pytest.raises((ValueError, OSError, EOFError)):
        load_base(tmp_path / "vectors-1-5-m.faiss")


def test_skips_a_base_of_another_catalogue(tmp_path: Path) -> None:
    build_base(tmp_path, 1, 5, "other", np.arange(3, dtype=np.int64), unit(3, 1))
    assert newest_base(tmp_path, 1, DIMENSION, marks).revision == 0


def test_view_in_use_outlives_the_next_base(tmp_path: Path) -> None:
    ids, matrix = np.arange(50, dtype=np.int64), unit(50, 3)
    old = build_base(tmp_path, 1, 1, "m", ids, matrix)
    # A crash may leave this file of an older base.
    (tmp_path / "vectors-1-0-l.ids.npy").write_bytes(b"")
    question = unit(1, 4)[0].astype(np.float32)
    before = old.search(question, 5)
    build_base(tmp_path, 1, 2, "n", ids, unit(50, 5))
    assert old.search(question, 5) == before
    assert {path.name for path in tmp_path.iterdir()} == {"vectors-1-2-n.faiss", "vectors-1-2-n.ids.npy"}


@pytest.fixture
def coded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT", 500)


def recombined(rows: int, seed: int) -> np.ndarray:
    """Return unit vectors like those of texts that share sentences, which form no clusters."""
    chooser = np.random.default_rng(seed)
    parts = np.random.default_rng(0).normal(size=(300, DIMENSION))
    sums = parts[chooser.integers(0, 300, (rows, 2))].sum(1) + 0.1 * chooser.normal(size=(rows, DIMENSION))
    half: np.ndarray = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float16)
    return half


def recall(view: VectorView, ids: np.ndarray, matrix: np.ndarray, allowed: list[int] | None = None) -> float:
    allowed_ids = ids if allowed is None else np.asarray(allowed)
    rows = matrix[np.searchsorted(ids, allowed_ids)]
    shares = []
    for question in recombined(60, 99).astype(np.float32):
        nearest = view.search(question, 30, allowed)
        assert set(nearest) <= set(allowed_ids.tolist())
        expected = brute_force(allowed_ids, rows, question, 10)
        shares.append(len(set(nearest) & set(expected)) / min(10, len(allowed_ids)))
    return float(np.mean(shares))


@pytest.mark.usefixtures("coded")
def test_search_of_a_large_base_by_codes_has_high_recall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, matrix = np.arange(24_000, dtype=np.int64) * 2, recombined(24_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids, matrix)
    assert view.base is not None
    assert view.base.candidate_factor is not None
    stored = view.stored()
    assert list(stored) == ids.tolist()
    assert np.array_equal(np.stack(list(stored.values())), matrix)
    loaded = newest_base(tmp_path, 1, DIMENSION, marks)
    question = recombined(1, 5)[0].astype(np.float32)
    assert loaded.search(question, 20) == view.search(question, 20)
    # The search is exact with a narrow filter, and with one that excludes the nearest rows.
    assert recall(view, ids, matrix, list(range(0, 48_000, 240))) == 1.0
    far = np.argsort(matrix.astype(np.float32) @ question)[:18_000]
    expected = brute_force(ids[np.sort(far)], matrix[np.sort(far)], question, 10)
    assert view.search(question, 10, sorted(ids[far].tolist())) == expected
    # Without a filter, or with a wide one, the codes select enough candidates.
    monkeypatch.setattr(faiss_index.FaissIndex, "_search_exact", None)
    assert recall(view, ids, matrix) > 0.98
    assert recall(view, ids, matrix, ids[ids % 20 > 0].tolist()) > 0.98


def test_skips_an_inverted_list_base_of_an_earlier_version(tmp_path: Path) -> None:
    build_base(tmp_path, 1, 5, "m", np.arange(500, dtype=np.int64), unit(500, 1))
    lists = faiss.IndexIVFFlat(faiss.IndexFlatIP(DIMENSION), DIMENSION, 4, faiss.METRIC_INNER_PRODUCT)
    lists.train(unit(500, 1).astype(np.float32))
    lists.add(unit(500, 1).astype(np.float32))
    faiss.write_index(lists, str(tmp_path / "vectors-1-5-m.faiss"))
    assert newest_base(tmp_path, 1, DIMENSION, marks).revision == 0


@pytest.mark.usefixtures("coded")
def test_extends_a_large_base_by_its_tail(tmp_path: Path) -> None:
    ids, matrix = np.arange(8_000, dtype=np.int64), recombined(8_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids[:5_000], matrix[:5_000])
    view = view.advance(2, [], zip(ids[5_000:].tolist(), matrix[5_000:], strict=True))
    assert view.needs_new_base is False
    extended = extend_base(view, tmp_path, 1, "n")
    assert extended is not None
    assert (extended.revision, len(extended.tail_ids), len(extended.base_ids)) == (2, 0, 8_000)
    assert extended.base is not None
    assert extended.base.candidate_factor is not None
    assert extended.base.finds_own_vectors()
    assert recall(extended, ids, matrix) > 0.97
    assert np.array_equal(np.stack(list(extended.stored().values())), matrix)
    # A crash left a base without its ids.
    (tmp_path / "vectors-1-0-x.faiss").write_bytes(b"IxRF")
    assert extend_base(view, tmp_path, 1, "p") is None
    # A base with removed passages, or one that outgrows its codes, is not extended.
    assert extend_base(view.advance(3, [5], []), tmp_path, 1, "o") is None
    many = recombined(40_000, 2)
    assert extend_base(view.advance(3, [], enumerate(many, 8_000)), tmp_path, 1, "o") is None


@pytest.mark.usefixtures("coded")
def test_does_not_return_removed_passages_of_a_large_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, matrix = np.arange(8_000, dtype=np.int64), recombined(8_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids, matrix)
    question = matrix[7].astype(np.float32)
    removed = view.search(question, 5)
    assert removed[0] == 7
    assert not set(view.advance(2, removed, []).search(question, 50)) & set(removed)
    # The search by codes does not return them either.
    monkeypatch.setattr(faiss_index.FaissIndex, "_search_exact", None)
    nearest = view.advance(2, removed, []).search(question, 5)
    assert len(nearest) == 5
    assert not set(nearest) & set(removed)


@pytest.mark.usefixtures("coded")
def test_detects_damaged_codes(tmp_path: Path) -> None:
    matrix = recombined(8_000, 1)
    view = build_base(tmp_path, 1, 1, "m", np.arange(8_000, dtype=np.int64), matrix)
    assert view.base is not None
    assert view.base.finds_own_vectors()
    index = faiss.read_index(str(tmp_path / "vectors-1-1-m.faiss"))
    assert isinstance(index, faiss.IndexRefine)
    codes = faiss.downcast_index(index.base_index)
    codes.reset()
    codes.add(matrix[::-1].astype(np.float32))
    faiss.write_index(index, str(tmp_path / "vectors-1-1-m.faiss"))
    damaged = load_base(tmp_path / "vectors-1-1-m.faiss").base
    assert damaged is not None
    assert not damaged.finds_own_vectors()


@pytest.mark.usefixtures("coded")
def test_search_is_exact_where_codes_have_low_recall(tmp_path: Path) -> None:
    ids, matrix = np.arange(3_000, dtype=np.int64), unit(3_000, 1)
    view = build_base(tmp_path, 1, 1, "m", ids, matrix)
    assert view.base is not None
    assert view.base.candidate_factor is None
    assert recall(view, ids, matrix) == 1.0
