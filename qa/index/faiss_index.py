"""Nearest-neighbour search among unit vectors with FAISS; the kind of index depends on the number of vectors.

Up to 20,000 vectors the search is exact. Above that, 4-bit product-quantised codes (one for each four dimensions)
select candidates that are re-scored exactly with the stored float16 vectors. Training the codes also measures how many
candidates it takes to miss almost none of the nearest ten. Every code is scanned: inverted lists miss many neighbours
where texts do not form clusters.
"""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

# Up to this many rows the search is exact.
EXACT = 20_000
# Minimum recall of the nearest ten, measured with stored vectors as questions.
RECALL = 0.99
_SAMPLE = 256
_NEAREST = 10
_ROUNDING = 1e-5
_CANDIDATE_FACTORS = (1, 2, 4, 8, 16, 32)
_CODE_BITS = 4
_DIMENSIONS_PER_CODE = 4
# More training vectors hardly improve the codes.
_MAX_TRAINING = 65_536
# Above this share of the allowed rows, comparing all of them is faster.
_MAX_CANDIDATE_SHARE = 0.1
_BLOCK = 65_536

Half = NDArray[np.float16]


class FaissIndex:
    """Unit vectors as numbered rows, in the order in which they were added."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._coded = index if isinstance(index, faiss.IndexRefine) else None
        self._exact = faiss.downcast_index(self._coded.refine_index) if self._coded else index

    @staticmethod
    def build(vectors: Half) -> FaissIndex:
        """Build an index of vectors, shape (rows, dimension)."""
        count, dimension = vectors.shape
        exact = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        if count <= EXACT:
            _append(exact, vectors)
            return FaissIndex(exact)
        codes = faiss.IndexPQFastScan(dimension, _codes_per_vector(dimension), _CODE_BITS, faiss.METRIC_INNER_PRODUCT)
        generator = np.random.default_rng(0)
        training = generator.choice(count, min(count, _MAX_TRAINING), replace=False)
        codes.train(vectors[np.sort(training)].astype(np.float32))
        coded = faiss.IndexRefine(codes, exact)
        _append(coded, vectors)
        sample = generator.choice(count, _SAMPLE, replace=False)
        factor = _candidate_factor(coded, exact, vectors[sample].astype(np.float32))
        if factor is None:
            return FaissIndex(exact)
        coded.k_factor = factor
        return FaissIndex(coded)

    @staticmethod
    def open(path: Path) -> FaissIndex:
        """Map a file into memory.

        Raises:
            RuntimeError, OSError, ValueError: the file is missing, damaged, or of a kind that is no longer supported.
        """
        return FaissIndex(_read(path, faiss.IO_FLAG_MMAP_IFC))

    @staticmethod
    def extended(path: Path, tail: Half) -> FaissIndex:
        """Return the index in a file with more rows at the end; the file does not change.

        Raises:
            RuntimeError, OSError, ValueError: as for `open`.
        """
        # A mapped index cannot grow.
        index = FaissIndex(_read(path))
        _append(index._index, tail)
        return index

    def serialize(self) -> memoryview:
        """Return the content of a file for `open`."""
        content: memoryview = faiss.serialize_index(self._index).data
        return content

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The dimension of the vectors."""
        return int(self._index.d)

    @property
    def candidate_factor(self) -> int | None:
        """Candidates that the codes select for each result; None if the search is exact."""
        return int(self._coded.k_factor) if self._coded else None

    def can_extend_to(self, count: int) -> bool:
        """Return whether to add rows up to `count` instead of building a new index: within one power of two."""
        return len(self) > EXACT and count.bit_length() == len(self).bit_length()

    def finds_own_vectors(self) -> bool:
        """Return whether searches for a sample of stored vectors find them; with damaged codes they do not."""
        sample = np.linspace(0, len(self) - 1, min(len(self), _SAMPLE), dtype=int).tolist()
        vectors = [np.asarray(self._exact.reconstruct(row), np.float32) for row in sample]
        return all(self.search(vector, _NEAREST)[0][0] >= np.dot(vector, vector) - _ROUNDING for vector in vectors)

    def vectors(self) -> Half:
        """Return all vectors as they were added, shape (rows, dimension)."""
        vectors: Half = self._exact.reconstruct_n(0, len(self)).astype(np.float16)
        return vectors

    def search(
        self, question: NDArray[np.float32], limit: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[tuple[float, int]]:
        """Return inner product and row of the nearest vectors, nearest first.

        Args:
            question: one vector, shape (dimension,). FAISS sums in another order for a batch.
            limit: the number of rows.
            allowed: mask of the rows that may be returned, shape (rows,); None for all.
        """
        count = len(self) if allowed is None else int(allowed.sum())
        if count == 0:
            return []
        limit = min(limit, count)
        return self._search_codes(question, limit, count, allowed) or self._search_exact(question, limit, allowed)

    def _search_codes(
        self, question: NDArray[np.float32], limit: int, count: int, allowed: NDArray[np.bool_] | None
    ) -> list[tuple[float, int]]:
        """Search the codes; return [] if the exact search is faster, or if too few candidates are allowed rows."""
        if self._coded is None:
            return []
        required = candidates = limit * int(self._coded.k_factor)
        if allowed is not None:
            # The codes also select rows that are not allowed. Select more than their share: they may be clustered.
            excluded = len(self) - count
            candidates += min(excluded, required + 2 * required * excluded // count)
        if candidates > _MAX_CANDIDATE_SHARE * count:
            return []
        scores, rows = self._coded.search(question[None], candidates, params=_refine_parameters(1))
        kept = np.ones(candidates, bool) if allowed is None else allowed[rows[0]]
        return _pairs(scores[0][kept][:limit], rows[0][kept][:limit]) if kept.sum() >= required else []

    def _search_exact(
        self, question: NDArray[np.float32], limit: int, allowed: NDArray[np.bool_] | None
    ) -> list[tuple[float, int]]:
        parameters = None
        if allowed is not None:
            # FAISS keeps only the bitmap's address, so the bitmap must outlive the search.
            bitmap = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bitmap))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # missing from its stubs
        scores, rows = self._exact.search(question[None], limit, params=parameters)
        return _pairs(scores[0], rows[0])


def _read(path: Path, flags: int = 0) -> faiss.Index:
    index = faiss.read_index(str(path), flags)
    if isinstance(index, faiss.IndexIVF):
        raise ValueError(f"{path}: an inverted-list index of an earlier version")
    return index


def _pairs(scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[tuple[float, int]]:
    return list(zip(scores.tolist(), rows.tolist(), strict=True))


def _codes_per_vector(dimension: int) -> int:
    return dimension // math.gcd(dimension, _DIMENSIONS_PER_CODE)


def _append(index: faiss.Index, vectors: Half) -> None:
    for start in range(0, len(vectors), _BLOCK):
        index.add(vectors[start : start + _BLOCK].astype(np.float32))


def _candidate_factor(coded: faiss.IndexRefine, exact: faiss.Index, questions: NDArray[np.float32]) -> int | None:
    """Return the smallest number of candidates per result that reaches `RECALL`; None if none does."""
    # Compare scores, not rows, as equal vectors are interchangeable. Another order of sums differs slightly.
    bounds = exact.search(questions, _NEAREST)[0][:, -1:] - _ROUNDING
    for factor in _CANDIDATE_FACTORS:
        scores, _ = coded.search(questions, _NEAREST, params=_refine_parameters(factor))
        if (scores >= bounds).mean() >= RECALL:
            return factor
    return None


def _refine_parameters(factor: int) -> faiss.SearchParameters:
    return faiss.IndexRefineSearchParameters(k_factor=factor)  # type: ignore[call-arg]  # missing from its stubs
