"""Dense search: a FAISS index as base, and a tail of newer vectors in NumPy.

Both are derived from the catalogue. The base is a file of one generation at one revision. It is never overwritten, and
processes share it through memory mapping. Passages have the catalogue's ids; removed passages are masked.
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

# A longer tail, or a larger share of dead rows, makes a new base worthwhile.
MAX_TAIL = 4_096
MAX_TAIL_SHARE = 0.02
MAX_DEAD_SHARE = 0.2

# Raised when a damaged base is read.
_DAMAGED = (RuntimeError, ValueError, OSError, EOFError)
_NAME = re.compile(r"vectors-(?P<generation>\d+)-(?P<revision>\d+)-(?P<mark>\S+)\.faiss")

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VectorView:
    """The vectors of one generation at one revision; immutable.

    Attributes:
        revision: the catalogue's revision.
        base: the vectors of the base file; None if there is no base yet.
        base_ids: passage ids of the base's rows, ascending.
        tail_ids: passage ids that are newer than the base, ascending.
        tail: their vectors, shape (tail, dimension), as float32: converting them takes longer than comparing them.
        dead: rows of the base whose passages were removed, ascending.
    """

    revision: int
    base: FaissIndex | None
    base_ids: Ids
    tail_ids: Ids
    tail: NDArray[np.float32]
    dead: Ids

    @staticmethod
    def empty(dimension: int) -> VectorView:
        """Return the view of an index without passages."""
        none = np.zeros(0, np.int64)
        return VectorView(0, None, none, none, np.zeros((0, dimension), np.float32), none)

    def __len__(self) -> int:
        return len(self.base_ids) - len(self.dead) + len(self.tail_ids)

    @property
    def needs_new_base(self) -> bool:
        """Whether the tail or the share of dead rows has grown too large."""
        max_tail = max(MAX_TAIL, MAX_TAIL_SHARE * len(self.base_ids))
        return len(self.tail_ids) > max_tail or len(self.dead) > MAX_DEAD_SHARE * max(1, len(self.base_ids))

    def is_outgrown_by(self, passages: int) -> bool:
        """Return whether the tail would be too long, so that a new base should be built directly.

        Args:
            passages: the number of passages now.
        """
        return passages - len(self) > max(MAX_TAIL, len(self.base_ids))

    def stored(self) -> dict[int, Half]:
        """Return the vector of every passage that is not removed, by ascending id."""
        base = np.zeros((0, self.tail.shape[1]), np.float16)
        if self.base is not None:
            base = self.base.vectors()
        ids = [*np.delete(self.base_ids, self.dead).tolist(), *self.tail_ids.tolist()]
        return dict(zip(ids, [*np.delete(base, self.dead, axis=0), *self.tail.astype(np.float16)], strict=True))

    def advance(self, revision: int, removed: Sequence[int], added: Iterable[tuple[int, Half]]) -> VectorView:
        """Return the view at a later revision.

        Args:
            revision: the later revision.
            removed: ids of the passages removed since; unknown ids are ignored.
            added: ids and vectors of the passages added since, by ascending id.
        """
        removed_ids = np.asarray(removed, np.int64)
        dead = np.flatnonzero(np.isin(self.base_ids, removed_ids))
        kept = ~np.isin(self.tail_ids, removed_ids)
        new = list(added)
        return replace(
            self,
            revision=revision,
            dead=np.union1d(self.dead, dead),
            tail_ids=np.concatenate([self.tail_ids[kept], np.array([id for id, _ in new], np.int64)]),
            tail=np.concatenate([self.tail[kept], *(vector[None].astype(np.float32) for _, vector in new)]),
        )

    def search(self, question: NDArray[np.float32], limit: int, allowed: Sequence[int] | None = None) -> list[int]:
        """Return the ids of the `limit` passages nearest to a unit vector, best first; ties by id.

        Args:
            question: one vector, shape (dimension,). FAISS sums in another order for a batch.
            limit: the number of passages.
            allowed: ids of the passages that may be returned, ascending; None for all.
        """
        allowed_ids = None if allowed is None else np.asarray(allowed, np.int64)
        pairs = [*self._search_base(question, limit, allowed_ids), *self._search_tail(question, limit, allowed_ids)]
        return [id for _, id in sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:limit]]

    def _search_base(self, question: NDArray[np.float32], limit: int, allowed: Ids | None) -> list[tuple[float, int]]:
        if self.base is None:
            return []
        mask = None
        if allowed is not None or len(self.dead):
            mask = np.ones(len(self.base_ids), bool) if allowed is None else self._base_mask(allowed)
            mask[self.dead] = False
        return [(score, int(self.base_ids[row])) for score, row in self.base.search(question, limit, mask)]

    def _base_mask(self, ids: Ids) -> NDArray[np.bool_]:
        rows = np.searchsorted(self.base_ids, ids)
        in_range = rows < len(self.base_ids)
        rows = rows[in_range][self.base_ids[rows[in_range]] == ids[in_range]]
        mask = np.zeros(len(self.base_ids), bool)
        mask[rows] = True
        return mask

    def _search_tail(self, question: NDArray[np.float32], limit: int, allowed: Ids | None) -> list[tuple[float, int]]:
        # `vecdot` works row by row. A matrix product would wake BLAS's threads, which spin beside the reader's.
        scores = np.vecdot(self.tail, question)
        rows = np.argsort(-scores, kind="stable")
        if allowed is not None:
            rows = rows[np.isin(self.tail_ids[rows], allowed)]
        return [(float(scores[row]), int(self.tail_ids[row])) for row in rows[:limit]]


def build_base(folder: Path, generation: int, revision: int, mark: str, ids: Ids, vectors: Half) -> VectorView:
    """Write a new base, delete older ones, and return the view on the new one.

    Args:
        folder: the index's folder.
        generation: the catalogue's generation; part of the file name.
        revision: the catalogue's revision; part of the file name.
        mark: the catalogue's mark of the revision; part of the file name.
        ids: passage ids, ascending.
        vectors: their vectors, shape (passages, dimension).
    """
    return _write(folder, (generation, revision, mark), ids, FaissIndex.build(vectors))


def extend_base(view: VectorView, folder: Path, generation: int, mark: str) -> VectorView | None:
    """Write a new base that includes the tail; return None if building it from all passages is better.

    Args:
        view: the current view.
        folder: the index's folder.
        generation: the catalogue's generation.
        mark: the catalogue's mark of the view's revision.
    """
    ids = np.concatenate([view.base_ids, view.tail_ids])
    if view.base is None or len(view.dead) or not view.base.can_extend_to(len(ids)):
        return None
    for path in folder.glob(f"vectors-{generation}-*.faiss"):
        try:
            if np.array_equal(np.load(_ids_path(path)), view.base_ids):
                rows = FaissIndex.extended(path, view.tail.astype(np.float16))
                break
        except _DAMAGED:
            # Left by a crash, or damaged after it was mapped.
            continue
    else:
        return None
    return _write(folder, (generation, view.revision, mark), ids, rows)


def newest_base(folder: Path, generation: int, dimension: int, mark_of: Callable[[int], str | None]) -> VectorView:
    """Return the view on a generation's newest sound base, or an empty view.

    Args:
        folder: the index's folder.
        generation: the generation that is searched.
        dimension: the dimension of its vectors.
        mark_of: returns the catalogue's mark of a revision. A base with another mark belongs to another catalogue.
    """
    bases = [(match, folder / match[0]) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    for match, path in sorted(bases, key=lambda pair: -int(pair[0]["revision"])):
        if int(match["generation"]) == generation and mark_of(int(match["revision"])) == match["mark"]:
            try:
                view = load_base(path)
            except _DAMAGED:
                continue
            if view.base is not None and view.base.dimension == dimension:
                return view
    return VectorView.empty(dimension)


def load_base(path: Path) -> VectorView:
    """Map a base into memory.

    Raises:
        ValueError, RuntimeError, OSError, EOFError: the files are missing or damaged.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path}: not the name of a base file")
    rows = FaissIndex.open(path)
    ids = np.load(_ids_path(path))
    if len(rows) != len(ids) or (np.diff(ids) <= 0).any():
        raise ValueError(f"{path}: rows and ids do not match")
    none = np.zeros(0, np.int64)
    return VectorView(int(match["revision"]), rows, ids, none, np.zeros((0, rows.dimension), np.float32), none)


def _write(folder: Path, version: tuple[int, int, str], ids: Ids, rows: FaissIndex) -> VectorView:
    generation, revision, mark = version
    path = folder / f"vectors-{generation}-{revision}-{mark}.faiss"
    ids_file = io.BytesIO()
    np.save(ids_file, ids)
    write_durably(_ids_path(path), ids_file.getvalue())
    write_durably(path, rows.serialize())
    # Rows go first: rows without ids would look like a damaged base. Processes keep the files they have mapped.
    for suffix in (".faiss", ".ids.npy"):
        for older in folder.glob(f"vectors-{generation}-*{suffix}"):
            if older not in (path, _ids_path(path)):
                older.unlink(missing_ok=True)
    return load_base(path)


def _ids_path(path: Path) -> Path:
    return path.with_suffix(".ids.npy")
