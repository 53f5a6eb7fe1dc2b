"""Dense search: an append-only base, and a tail of newer vectors in numpy.

Derived: the base is a snapshot file of one generation at one revision, never overwritten, whose vectors are mapped into
memory so that processes share them. Passages are numbered as in the catalogue; what was removed is left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.index.durable import write_durably
from qa.index.faiss_index import FaissIndex, Half

# A tail longer than this, or a dead share larger than this, is worth a new base.
MAX_TAIL = 4_096
MAX_TAIL_SHARE = 0.02
MAX_DEAD_SHARE = 0.2

# What reading a damaged snapshot comes to.
_DAMAGED = (RuntimeError, ValueError, OSError, EOFError)
_NAME = re.compile(r"vectors-(?P<generation>\d+)-(?P<revision>\d+)-(?P<mark>\S+)\.faiss")

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VectorView:
    """The vectors of one generation at one revision; nothing in it ever changes.

    Attributes:
        revision: the catalogue's.
        base: its rows, or None while there is none.
        base_ids: passage numbers of the base's rows, ascending.
        tail_ids: passage numbers newer than the base, ascending.
        tail: their vectors, shape (tail, dimension), as float32: to widen them takes longer than to compare them.
        dead: rows of the base that were removed, ascending.
    """

    revision: int
    base: FaissIndex | None
    base_ids: Ids
    tail_ids: Ids
    tail: NDArray[np.float32]
    dead: Ids

    @staticmethod
    def empty(dimension: int) -> VectorView:
        """Return the view of an index that never had a passage."""
        none = np.zeros(0, np.int64)
        return VectorView(0, None, none, none, np.zeros((0, dimension), np.float32), none)

    def __len__(self) -> int:
        return len(self.base_ids) - len(self.dead) + len(self.tail_ids)

    @property
    def worn(self) -> bool:
        """Tell whether a new base should be made."""
        most = max(MAX_TAIL, MAX_TAIL_SHARE * len(self.base_ids))
        return len(self.tail_ids) > most or len(self.dead) > MAX_DEAD_SHARE * max(1, len(self.base_ids))

    def outgrown_by(self, alive: int) -> bool:
        """Tell whether a tail of all that is new would be longer than what it is behind: only made to be thrown away.

        Args:
            alive: how many passages there are now.
        """
        return alive - len(self) > max(MAX_TAIL, len(self.base_ids))

    def stored(self) -> dict[int, Half]:
        """Return every passage that is not removed, by ascending number, with its vector."""
        base = np.zeros((0, self.tail.shape[1]), np.float16)
        if self.base is not None:
            base = self.base.vectors()
        ids = [*np.delete(self.base_ids, self.dead).tolist(), *self.tail_ids.tolist()]
        return dict(zip(ids, [*np.delete(base, self.dead, axis=0), *self.tail.astype(np.float16)], strict=True))

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
            tail=np.concatenate([self.tail[kept], *(vector[None].astype(np.float32) for _, vector in came)]),
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
        open_rows = None
        if among is not None or len(self.dead):
            open_rows = np.ones(len(self.base_ids), bool) if among is None else self._rows_of(among)
            open_rows[self.dead] = False
        return [(score, int(self.base_ids[row])) for score, row in self.base.search(question, limit, open_rows)]

    def _rows_of(self, among: Ids) -> NDArray[np.bool_]:
        rows = np.searchsorted(self.base_ids, among)
        inside = rows < len(self.base_ids)
        rows = rows[inside][self.base_ids[rows[inside]] == among[inside]]
        mask = np.zeros(len(self.base_ids), bool)
        mask[rows] = True
        return mask

    def _search_tail(self, question: NDArray[np.float32], limit: int, among: Ids | None) -> list[tuple[float, int]]:
        # Row by row: a matrix's product wakes BLAS's threads, and these wait for more by spinning, beside the reader.
        scores = np.vecdot(self.tail, question)
        best = np.argsort(-scores, kind="stable")
        if among is not None:
            best = best[np.isin(self.tail_ids[best], among)]
        return [(float(scores[row]), int(self.tail_ids[row])) for row in best[:limit]]


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
    return _written(folder, (generation, revision, mark), ids, FaissIndex.of(vectors))


def extend_base(view: VectorView, folder: Path, generation: int, mark: str) -> VectorView | None:
    """Write a new snapshot with the tail as part of the base; None if it is better made of everything.

    Args:
        view: what there is; a small base is as quickly made anew.
        folder: the index's.
        generation: the catalogue's.
        mark: of the view's revision.
    """
    ids = np.concatenate([view.base_ids, view.tail_ids])
    if view.base is None or len(view.dead) or not view.base.can_grow_to(len(ids)):
        return None
    for path in folder.glob(f"vectors-{generation}-*.faiss"):
        try:
            if np.array_equal(np.load(_ids_of(path)), view.base_ids):
                grown = FaissIndex.grown(path, view.tail.astype(np.float16))
                break
        except _DAMAGED:
            # What a crash left, or what has been damaged since it was mapped.
            continue
    else:
        return None
    return _written(folder, (generation, view.revision, mark), ids, grown)


def _written(folder: Path, name: tuple[int, int, str], ids: Ids, rows: FaissIndex) -> VectorView:
    generation, revision, mark = name
    path = folder / f"vectors-{generation}-{revision}-{mark}.faiss"
    numbers = io.BytesIO()
    np.save(numbers, ids)
    write_durably(_ids_of(path), numbers.getvalue())
    write_durably(path, rows.content())
    # Rows go before their numbers: without numbers they would be no snapshot. Who has them mapped keeps them.
    for kind in (".faiss", ".ids.npy"):
        for other in folder.glob(f"vectors-{generation}-*{kind}"):
            if other not in (path, _ids_of(path)):
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
            except _DAMAGED:
                continue
            if view.base is not None and view.base.dimension == dimension:
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
    rows = FaissIndex.opened(path)
    ids = np.load(_ids_of(path))
    if len(rows) != len(ids) or (np.diff(ids) <= 0).any():
        raise ValueError(f"{path}: rows and ids do not match")
    none = np.zeros(0, np.int64)
    return VectorView(int(match["revision"]), rows, ids, none, np.zeros((0, rows.dimension), np.float32), none)


def _ids_of(path: Path) -> Path:
    return path.with_suffix(".ids.npy")
