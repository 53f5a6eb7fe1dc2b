"""Rebuilds and rollbacks: fill a generation of passages and vectors beside the live one, then swap.

A rebuild fills its generation until every document has passages in it. Writes meanwhile go to the live generation;
documents that they change are missing from the new one again. The swap is one transaction, which checks that no
document is missing. Documents do not belong to a generation, so a rebuild or rollback cannot lose a write. A passage
has the revision of its document, so derived files older than the document include the passage when they are updated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from qa.errors import Conflict
from qa.index.catalog import Specification
from qa.index.durable import try_file_lock
from qa.index.local import LocalIndex, Prepared
from qa.types import Document

Prepare = Callable[[Sequence[Document]], Sequence[Prepared]]

# Documents in one transaction. Other writers wait for it.
_BATCH = 64


def rebuild(index: LocalIndex, prepare: Prepare, progress: Callable[[int], None]) -> tuple[int, int]:
    """Build a generation with the index's specification, and make it live.

    The work of an interrupted rebuild is reused.

    Args:
        index: the index.
        prepare: splits and embeds documents.
        progress: called with the number of documents just finished.

    Returns:
        The number of the new generation, and of the previous one.

    Raises:
        Conflict: another rebuild is running.
    """
    with _rebuild_lock(index):
        with index.catalog.write() as transaction:
            # This process holds the lock, so the rebuilds that began these were interrupted.
            unfinished = transaction.generations("building")
            for number, specification in unfinished:
                if Specification.parse(specification) != index.specification:
                    transaction.drop_generation(number)
            reusable = [number for number, spec in unfinished if Specification.parse(spec) == index.specification]
            new_specification = json.dumps(asdict(index.specification))
            generation = reusable[0] if reusable else transaction.begin_generation(new_specification)
        return _complete_and_activate(index, generation, prepare, progress)


def roll_back(index: LocalIndex, prepare: Prepare, progress: Callable[[int], None]) -> tuple[int, int]:
    """Make the previous generation live again, with everything that was written since.

    Args:
        index: the index.
        prepare: splits and embeds documents.
        progress: called with the number of documents just finished.

    Returns:
        The number of the generation that is live now, and of the one that was.

    Raises:
        Conflict: there is no previous generation, it has another specification, or a rebuild is running.
    """
    with _rebuild_lock(index):
        with index.catalog.read() as transaction:
            previous = transaction.generations("old")
        if not previous:
            raise Conflict(f"index {index.name!r} has no previous generation to roll back to", field="index")
        generation, specification = previous[0]
        index.specification.check(Specification.parse(specification), f"{index.name}, generation {generation}")
        return _complete_and_activate(index, generation, prepare, progress)


@contextmanager
def _rebuild_lock(index: LocalIndex) -> Iterator[None]:
    with try_file_lock(index.folder / "rebuild.lock") as lock:
        if not lock:
            raise Conflict(f"index {index.name!r} is being rebuilt; wait until the rebuild has finished", field="index")
        yield


def _complete_and_activate(
    index: LocalIndex, generation: int, prepare: Prepare, progress: Callable[[int], None]
) -> tuple[int, int]:
    while True:
        _fill(index, generation, prepare, progress)
        # Build the files before the swap, so that the next query does not wait for them.
        index.derived.build(generation)
        with index.catalog.write() as transaction:
            if not transaction.documents_without_passages(generation, 1):
                previous, _ = transaction.live_generation()
                dropped = transaction.activate_generation(generation)
                break
    for number in dropped:
        index.derived.discard_generation(number)
    return generation, previous


def _fill(index: LocalIndex, generation: int, prepare: Prepare, progress: Callable[[int], None]) -> None:
    while True:
        with index.catalog.read() as transaction:
            missing = transaction.documents_without_passages(generation, _BATCH)
        if not missing:
            return
        batch = prepare([document for document, _ in missing])
        with index.catalog.write() as transaction:
            for prepared, (document, revision) in zip(batch, missing, strict=True):
                transaction.add_passages(document.id, revision, prepared.passages, prepared.vectors, generation)
        progress(len(missing))
