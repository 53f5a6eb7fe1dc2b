"""Rows of unit vectors and which of them are nearest to another: FAISS, in the kind that suits how many there are.

Up to `EXACT` rows all are compared as they are. Of more, a short code is kept besides: four bits for each four of a
vector's numbers. By their codes many more rows than are wanted are chosen, and these are compared as they are; how many
more is measured when codes are made, so that hardly any of the nearest ten is missed. All codes are looked at: texts
need not lie in clusters, and lists around centres miss much where they don't. Vectors are kept in float16 as they came.
"""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT = 20_000
# Of the nearest ten to stored vectors, taken for questions, at least so many are found.
RECALL = 0.99
_SAMPLE = 256
_NEAREST = 10
_ROUNDING = 1e-5
_FACTORS = (1, 2, 4, 8, 16, 32)
_BITS = 4
_NUMBERS_A_CODE = 4
# A code's meaning is learnt from so many rows: more makes it better by too little.
_TRAINED_ON = 65_536
# Past this share of the open rows it is quicker to compare all of them.
_MOST_CHOSEN = 0.1
_BLOCK = 65_536

Half = NDArray[np.float16]


class FaissIndex:
    """Rows of unit vectors; their order is that in which they came."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._coded = index if isinstance(index, faiss.IndexRefine) else None
        self._exact = faiss.downcast_index(self._coded.refine_index) if self._coded else index

    @staticmethod
    def of(vectors: Half) -> FaissIndex:
        """Make rows of vectors, shape (rows, dimension)."""
        count, dimension = vectors.shape
        exact = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        if count <= EXACT:
            _append(exact, vectors)
            return FaissIndex(exact)
        codes = faiss.IndexPQFastScan(dimension, _codes_for(dimension), _BITS, faiss.METRIC_INNER_PRODUCT)
        chooser = np.random.default_rng(0)
        trained_on = chooser.choice(count, min(count, _TRAINED_ON), replace=False)
        codes.train(vectors[np.sort(trained_on)].astype(np.float32))
        coded = faiss.IndexRefine(codes, exact)
        _append(coded, vectors)
        sample = chooser.choice(count, _SAMPLE, replace=False)
        enough = _enough(coded, exact, vectors[sample].astype(np.float32))
        if enough is None:
            return FaissIndex(exact)
        coded.k_factor = enough
        return FaissIndex(coded)

    @staticmethod
    def opened(path: Path) -> FaissIndex:
        """Map a file into memory.

        Raises:
            RuntimeError, OSError, ValueError: it is missing or damaged, or of a kind that is not made any more.
        """
        return FaissIndex(_read(path, faiss.IO_FLAG_MMAP_IFC))

    @staticmethod
    def grown(path: Path, tail: Half) -> FaissIndex:
        """Return the rows of a file with more of them at the end; the file stays as it is.

        Raises:
            RuntimeError, OSError, ValueError: as `opened` does.
        """
        # Read, not mapped: what is mapped cannot grow.
        rows = FaissIndex(_read(path))
        _append(rows._index, tail)
        return rows

    def content(self) -> memoryview:
        """Return what `opened` reads."""
        content: memoryview = faiss.serialize_index(self._index).data
        return content

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return int(self._index.d)

    @property
    def widening(self) -> int | None:
        """How many times as many rows as are wanted are chosen by their codes; None where all rows are compared."""
        return int(self._coded.k_factor) if self._coded else None

    def can_grow_to(self, count: int) -> bool:
        """Tell whether it pays to add rows to these rather than to make all anew: up to the next power of two."""
        return len(self) > EXACT and count.bit_length() == len(self).bit_length()

    def find_themselves(self) -> bool:
        """Tell whether rows are found by their own vectors: not, if codes are damaged."""
        sample = np.linspace(0, len(self) - 1, min(len(self), _SAMPLE), dtype=int).tolist()
        own = [np.asarray(self._exact.reconstruct(row), np.float32) for row in sample]
        return all(self.search(vector, _NEAREST)[0][0] >= np.dot(vector, vector) - _ROUNDING for vector in own)

    def vectors(self) -> Half:
        """Return all vectors, as they came."""
        made: Half = self._exact.reconstruct_n(0, len(self)).astype(np.float16)
        return made

    def search(
        self, question: NDArray[np.float32], limit: int, open_rows: NDArray[np.bool_] | None = None
    ) -> list[tuple[float, int]]:
        """Return inner product and row of the nearest to a vector, the nearest first.

        Args:
            question: shape (dimension,). One at a time: larger batches take another numeric path in FAISS.
            limit: how many.
            open_rows: which rows may be found, shape (rows,); None for all.
        """
        count = len(self) if open_rows is None else int(open_rows.sum())
        if count == 0:
            return []
        wanted = min(limit, count)
        return self._by_codes(question, wanted, count, open_rows) or self._by_comparing(question, wanted, open_rows)

    def _by_codes(
        self, question: NDArray[np.float32], wanted: int, count: int, open_rows: NDArray[np.bool_] | None
    ) -> list[tuple[float, int]]:
        """Return the same as `search`; nothing where that takes longer, or where too few of those chosen are open."""
        if self._coded is None:
            return []
        enough = chosen = wanted * int(self._coded.k_factor)
        if open_rows is not None:
            # Closed rows are chosen, too: there is room for more than their share, as they need not be spread evenly.
            closed = len(self) - count
            chosen += min(closed, enough + 2 * enough * closed // count)
        if chosen > _MOST_CHOSEN * count:
            return []
        scores, rows = self._coded.search(question[None], chosen, params=_choosing(1))
        kept = np.ones(chosen, bool) if open_rows is None else open_rows[rows[0]]
        return _pairs(scores[0][kept][:wanted], rows[0][kept][:wanted]) if kept.sum() >= enough else []

    def _by_comparing(
        self, question: NDArray[np.float32], wanted: int, open_rows: NDArray[np.bool_] | None
    ) -> list[tuple[float, int]]:
        parameters = None
        if open_rows is not None:
            # The bitmap must outlive the search: FAISS keeps only its address.
            bitmap = np.packbits(open_rows, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(open_rows), faiss.swig_ptr(bitmap))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stubs lack it
        scores, rows = self._exact.search(question[None], wanted, params=parameters)
        return _pairs(scores[0], rows[0])


def _read(path: Path, flags: int = 0) -> faiss.Index:
    index = faiss.read_index(str(path), flags)
    if isinstance(index, faiss.IndexIVF):
        raise ValueError(f"{path}: rows in lists, as an earlier version made them")
    return index


def _pairs(scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[tuple[float, int]]:
    return list(zip(scores.tolist(), rows.tolist(), strict=True))


def _codes_for(dimension: int) -> int:
    """Return how many codes a vector has, each for as many numbers as divide it evenly."""
    return dimension // math.gcd(dimension, _NUMBERS_A_CODE)


def _append(index: faiss.Index, vectors: Half) -> None:
    for first in range(0, len(vectors), _BLOCK):
        index.add(vectors[first : first + _BLOCK].astype(np.float32))


def _enough(coded: faiss.IndexRefine, exact: faiss.Index, questions: NDArray[np.float32]) -> int | None:
    """Return how many times as many rows have to be chosen to miss hardly any of the nearest; None for too many."""
    # By scores, not by rows: of equal vectors any will do. Sums in another order differ by a little.
    bounds = exact.search(questions, _NEAREST)[0][:, -1:] - _ROUNDING
    for factor in _FACTORS:
        scores, _ = coded.search(questions, _NEAREST, params=_choosing(factor))
        if (scores >= bounds).mean() >= RECALL:
            return factor
    return None


def _choosing(factor: int) -> faiss.SearchParameters:
    return faiss.IndexRefineSearchParameters(k_factor=factor)  # type: ignore[call-arg]  # its stubs lack it
