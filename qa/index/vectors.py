"""Dense search with FAISS: an append-only base that is searched exactly, and a tail of newer vectors in numpy.

Derived: the base is a snapshot file of one generation at one revision, never overwritten, mapped into memory so that
processes share it. Passages are numbered as in the catalogue; what was removed is left out by a selector.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from qa.index.durable import write_durably

# A tail longer than this, or a dead share larger than this, is worth a new base.
MAX_TAIL = 4_096
MAX_DEAD_SHARE = 0.2

_NAME = re.compile(r"vectors-(?P<generation>\d+)-(?P<revision>\d+)-(?P<mark>\S+)\.faiss")

Ids = NDArray[np.int64]
Half = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class VectorView:
    """The vectors of one generation at one revision; nothing in it ever changes.

    Attributes:
        revision: the catalogue's.
        base: FAISS index of inner products over float16 vectors, or None while there is none.
        base_ids: passage numbers of the base's rows, ascending.
        tail_ids: passage numbers newer than the base, ascending.
        tail: their vectors, shape (tail, dimension).
        dead: rows of the base that were removed, ascending.
    """

    revision: int
    base: faiss.Index | None
    base_ids: Ids
    tail_ids: Ids
    tail: Half
    dead: Ids

    @staticmethod
    def empty(dimension: int) -> VectorView:
        """Return the view of an index that never had a passage."""
        none = np.zeros(0, np.int64)
        return VectorView(0, None, none, none, np.zeros((0, dimension), np.float16), none)

    @property
    def worn(self) -> bool:
        """Tell whether a new base should be made."""
        return len(self.tail_ids) > MAX_TAIL or len(self.dead) > MAX_DEAD_SHARE * max(1, len(self.base_ids))

    def stored(self) -> dict[int, Half]:
        """Return every passage that is not removed, by ascending number, with its vector."""
        base = np.zeros((0, self.tail.shape[1]), np.float16)
        if self.base is not None:
            base = self.base.reconstruct_n(0, self.base.ntotal).astype(np.float16)
        ids = [*np.delete(self.base_ids, self.dead).tolist(), *self.tail_ids.tolist()]
        return dict(zip(ids, [*np.delete(base, self.dead, axis=0), *self.tail], strict=True))

    def advance(self, revision: int, removed: Sequence[int], added: Iterable[tuple[int, Half]]) -> VectorView:
        """Return the view at a later revision.

        Args:
            revision: the later one.
            removed: numbers of passages that went; unknown ones are ignored.
            added: numbers and vectors that came, by ascending number.
        """
        gone = np.asarray(removed, np.int64)
        rows = np.flatnonzero(np.isin(self.base_ids, gone))
        kept = ~np.isin(self.tail_ids, gone)
        came = list(added)
        return replace(
            self,
            revision=revision,
            dead=np.union1d(self.dead, rows),
            tail_ids=np.concatenate([self.tail_ids[kept], np.array([number for number, _ in came], np.int64)]),
            tail=np.concatenate([self.tail[kept], *(vector[None] for _, vector in came)]),
        )

    def search(self, question: NDArray[np.float32], limit: int, allowed: Sequence[int] | None = None) -> list[int]:
        """Return the numbers of the `limit` passages nearest to a unit vector, best first; ties by number.

        Args:
            question: shape (dimension,). One at a time: larger batches take another numeric path in FAISS.
            limit: how many.
            allowed: only these passages, ascending.
        """
        among = None if allowed is None else np.asarray(allowed, np.int64)
        pairs = [*self._search_base(question, limit, among), *self._search_tail(question, limit, among)]
        return [number for _, number in sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:limit]]

    def _search_base(self, question: NDArray[np.float32], limit: int, among: Ids | None) -> list[tuple[float, int]]:
        if self.base is None:
            return []
        open_rows = np.ones(len(self.base_ids), bool) if among is None else np.isin(self.base_ids, among)
        open_rows[self.dead] = False
        wanted = min(limit, int(open_rows.sum()))
        if wanted == 0:
            return []
        # The bitmap must outlive the search: FAISS keeps only its address.
        bitmap = np.packbits(open_rows, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(open_rows), faiss.swig_ptr(bitmap))
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # its stubs lack it
        scores, rows = self.base.search(question[None], wanted, params=parameters)
        return [
            (float(score), int(self.base_ids[row])) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0
        ]

    def _search_tail(self, question: NDArray[np.float32], limit: int, among: Ids | None) -> list[tuple[float, int]]:
        rows = np.arange(len(self.tail_ids)) if among is None else np.flatnonzero(np.isin(self.tail_ids, among))
        if len(rows) == 0:
            return []
        scores = self.tail[rows].astype(np.float32) @ question
        best = np.argsort(-scores, kind="stable")[:limit]
        return [(float(scores[i]), int(self.tail_ids[rows[i]])) for i in best]


def cosines(vectors: Sequence[Half], question: NDArray[np.float32]) -> list[float]:
    """Return the exact scores of passages: one float32 dot product each, the same live and reloaded."""
    return [float(np.dot(vector.astype(np.float32), question)) for vector in vectors]


def build_base(folder: Path, generation: int, revision: int, mark: str, ids: Ids, vectors: Half) -> VectorView:
    """Write a new snapshot, drop the older ones, and return the view on it.

    Args:
        folder: the index's.
        generation: the catalogue's, which the file's name keeps.
        revision: likewise.
        mark: likewise.
        ids: passage numbers, ascending.
        vectors: theirs, shape (passages, dimension).
    """
    index = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(vectors.astype(np.float32))
    path = folder / f"vectors-{generation}-{revision}-{mark}.faiss"
    numbers = io.BytesIO()
    np.save(numbers, ids)
    write_durably(_ids_of(path), numbers.getvalue())
    write_durably(path, faiss.serialize_index(index).data)
    for other in folder.glob(f"vectors-{generation}-*"):
        if other not in (path, _ids_of(path)):
            # Processes that have it mapped keep it until they let go.
            other.unlink(missing_ok=True)
    return load_base(path)


def newest_base(folder: Path, generation: int, dimension: int, mark_of: Callable[[int], str | None]) -> VectorView:
    """Return the view on a generation's newest sound snapshot, or an empty view.

    Args:
        folder: the index's.
        generation: the one that answers.
        dimension: of its vectors.
        mark_of: the catalogue's mark of a revision; a snapshot with another one belongs to another catalogue.
    """
    found = [(match, folder / match[0]) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    for match, path in sorted(found, key=lambda pair: -int(pair[0]["revision"])):
        if int(match["generation"]) == generation and mark_of(int(match["revision"])) == match["mark"]:
            try:
                view = load_base(path)
            except (RuntimeError, ValueError, OSError, EOFError):
                continue
            if view.base is not None and view.base.d == dimension:
                return view
    return VectorView.empty(dimension)


def load_base(path: Path) -> VectorView:
    """Map a snapshot into memory.

    Raises:
        ValueError, RuntimeError, OSError, EOFError: its files are missing or damaged.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path}: not the name of a snapshot")
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    ids = np.load(_ids_of(path))
    if index.ntotal != len(ids) or (np.diff(ids) <= 0).any():
        raise ValueError(f"{path}: rows and ids do not match")
    none = np.zeros(0, np.int64)
    return VectorView(int(match["revision"]), index, ids, none, np.zeros((0, index.d), np.float16), none)


def _ids_of(path: Path) -> Path:
    return path.with_suffix(".ids.npy")
