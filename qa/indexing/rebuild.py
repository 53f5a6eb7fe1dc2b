"""A new generation of passages and vectors, made aside and swapped in; and the one before, brought back.

A generation that does not answer is filled until no document is missing; writes go to the one that answers, and what
they change is missing again. The swap is one transaction that sees nothing missing. Documents belong to no generation,
so none of this can lose a write. A passage's revision is that of its document: files that were derived before a
document came find it when they are brought up to date.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from qa.errors import Conflict
from qa.index.catalog import Specification
from qa.index.durable import exclusively_or_not
from qa.index.local import LocalIndex, Prepared
from qa.types import Document

Prepare = Callable[[Sequence[Document]], Sequence[Prepared]]

# A write waits for no more than these to be written.
_TOGETHER = 64


def rebuild(index: LocalIndex, prepare: Prepare, advance: Callable[[int], None]) -> tuple[int, int]:
    """Make a generation with the index's specification, and let it answer.

    Returns:
        Its number, and that of the one which answered before.

    Raises:
        Conflict: another rebuild is under way.
    """
    with _alone(index):
        wanted = json.dumps(asdict(index.specification))
        with index.catalog.write() as transaction:
            # The lock is ours: whoever built these is gone.
            begun = transaction.generations("building")
            for number, specification in begun:
                if Specification.parse(specification) != index.specification:
                    transaction.drop_generation(number)
            usable = [number for number, spec in begun if Specification.parse(spec) == index.specification]
            generation = usable[0] if usable else transaction.begin_generation(wanted)
        return _activated(index, generation, prepare, advance)


def roll_back(index: LocalIndex, prepare: Prepare, advance: Callable[[int], None]) -> tuple[int, int]:
    """Let the newest generation that answered before answer again, with all that was written since.

    Returns:
        As for `rebuild`.

    Raises:
        Conflict: there is none, it was made with another specification, or a rebuild is under way.
    """
    with _alone(index):
        with index.catalog.read() as transaction:
            before = transaction.generations("old")
        if not before:
            raise Conflict(f"index {index.name!r} has no generation before this one", field="index")
        generation, specification = before[0]
        index.specification.check(Specification.parse(specification), f"{index.name}, generation {generation}")
        return _activated(index, generation, prepare, advance)


@contextmanager
def _alone(index: LocalIndex) -> Iterator[None]:
    with exclusively_or_not(index.folder / "rebuild.lock") as held:
        if not held:
            raise Conflict(f"a rebuild of index {index.name!r} is under way", field="index")
        yield


def _activated(index: LocalIndex, generation: int, prepare: Prepare, advance: Callable[[int], None]) -> tuple[int, int]:
    while True:
        _fill(index, generation, prepare, advance)
        # The files are made before the swap: the next query finds them.
        index.derived.derive(generation)
        with index.catalog.write() as transaction:
            if not transaction.lacking(generation, 1):
                before, _ = transaction.live_generation()
                gone = transaction.make_live(generation)
                break
    for number in gone:
        index.derived.discard_generation(number)
    return generation, before


def _fill(index: LocalIndex, generation: int, prepare: Prepare, advance: Callable[[int], None]) -> None:
    while True:
        with index.catalog.read() as transaction:
            lacking = transaction.lacking(generation, _TOGETHER)
        if not lacking:
            return
        made = prepare([document for document, _ in lacking])
        with index.catalog.write() as transaction:
            for prepared, (document, revision) in zip(made, lacking, strict=True):
                transaction.fill(document.id, revision, prepared.passages, prepared.vectors, generation)
        advance(len(lacking))
