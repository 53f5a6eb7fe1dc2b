"""Rows of unit vectors and which of them are nearest to another: FAISS, in the kind that suits how many there are.

Up to `EXACT` rows all are compared. More are sorted into lists around centres, of which those nearest to a question are
searched; how many is measured when it is made, so that hardly any of the nearest ten is missed. Vectors are kept in
float16 as they came: a byte for each of their numbers would clip those that are unlike what it was trained on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT = 50_000
# Of the nearest ten to stored vectors, taken for questions, at least so many are found.
RECALL = 0.99
_SAMPLE = 256
_NEAREST = 10
# Vectors for each centre, and how often they are moved: more makes them better by too little.
_TRAINED_ON = 64
_ROUNDS = 10
# Below this share of open rows all lists are searched: the open ones may be in any, and are few.
_NARROW = 0.1
_BLOCK = 65_536
# How a file of lists begins.
_LISTS = b"IwSq"

Half = NDArray[np.float16]


class NearestRows:
    """Rows of unit vectors; their order is that in which they came."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._lists = index if isinstance(index, faiss.IndexIVF) else None

    @staticmethod
    def of(vectors: Half) -> NearestRows:
        """Make rows of vectors, shape (rows, dimension)."""
        count, dimension = vectors.shape
        if count <= EXACT:
            exact = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
            _append(exact, vectors)
            return NearestRows(exact)
        lists = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimension),
            dimension,
            _lists_for(count),
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,
        )
        lists.cp.spherical, lists.cp.niter, lists.cp.max_points_per_centroid = True, _ROUNDS, _TRAINED_ON
        chooser = np.random.default_rng(0)
        trained_on = chooser.choice(count, min(count, _TRAINED_ON * lists.nlist), replace=False)
        lists.train(vectors[np.sort(trained_on)].astype(np.float32))
        _append(lists, vectors)
        sample = chooser.choice(count, min(count, _SAMPLE), replace=False)
        lists.nprobe = _enough_lists(lists, vectors[sample].astype(np.float32))
        return NearestRows(lists)

    @staticmethod
    def opened(path: Path) -> NearestRows:
        """Map a file into memory.

        Raises:
            RuntimeError, OSError: it is missing or damaged.
        """
        with path.open("rb") as file:
            in_lists = file.read(len(_LISTS)) == _LISTS
        return NearestRows(faiss.read_index(str(path), faiss.IO_FLAG_MMAP if in_lists else faiss.IO_FLAG_MMAP_IFC))

    @staticmethod
    def grown(path: Path, tail: Half) -> NearestRows:
        """Return the rows of a file with more of them at the end; the file stays as it is."""
        # Read, not mapped: what is mapped cannot grow.
        rows = NearestRows(faiss.read_index(str(path)))
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
    def lists(self) -> tuple[int, int] | None:
        """How many lists are searched, and of how many; None where all rows are compared."""
        return (self._lists.nprobe, self._lists.nlist) if self._lists else None

    def can_grow_to(self, count: int) -> bool:
        """Tell whether it pays to add rows to these rather than to make all anew."""
        return self._lists is not None and _lists_for(count) <= 2 * self._lists.nlist

    def vectors(self) -> Half:
        """Return all vectors, as they came."""
        if self._lists:
            self._lists.make_direct_map()
        made: Half = self._index.reconstruct_n(0, len(self)).astype(np.float16)
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
        given: dict[str, Any] = {}
        count = len(self)
        if open_rows is not None:
            count = int(open_rows.sum())
            # The bitmap must outlive the search: FAISS keeps only its address.
            bitmap = np.packbits(open_rows, bitorder="little")
            given["sel"] = faiss.IDSelectorBitmap(len(open_rows), faiss.swig_ptr(bitmap))
        if count == 0:
            return []
        if self._lists:
            narrow = count < _NARROW * len(self)
            parameters = _probing(self._lists.nlist if narrow else self._lists.nprobe, **given)
        else:
            parameters = faiss.SearchParameters(**given)
        scores, rows = self._index.search(question[None], min(limit, count), params=parameters)
        return [(float(score), int(row)) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0]


def _lists_for(count: int) -> int:
    """Return a power of two near four times the square root, as FAISS's own advice has it."""
    return int(2 ** round(math.log2(4 * math.sqrt(count))))


def _append(index: faiss.Index, vectors: Half) -> None:
    for first in range(0, len(vectors), _BLOCK):
        index.add(vectors[first : first + _BLOCK].astype(np.float32))


def _enough_lists(index: faiss.IndexIVF, questions: NDArray[np.float32]) -> int:
    """Return how many lists have to be searched to miss hardly any of the nearest."""
    _, best = index.search(questions, _NEAREST, params=_probing(index.nlist))
    lists = 1
    while lists < index.nlist:
        _, found = index.search(questions, _NEAREST, params=_probing(lists))
        if np.mean([np.isin(right, row).mean() for right, row in zip(best, found, strict=True)]) >= RECALL:
            break
        lists *= 2
    return min(lists, int(index.nlist))


def _probing(lists: int, **given: Any) -> faiss.SearchParameters:
    return faiss.SearchParametersIVF(nprobe=lists, **given)  # type: ignore[call-arg]  # its stubs lack them
