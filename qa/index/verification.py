"""Hold an index against what is promised of it, and make again what is derived and wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qa.index.lexical import StaleFiles
from qa.index.local import LocalIndex
from qa.index.transactions import ReadTransaction
from qa.text.boundaries import is_boundary

_UNIT_LENGTH_WITHIN = 5e-3


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what was found.

    Attributes:
        broken: what is wrong with the catalogue; nothing here can mend that.
        repaired: what was wrong with derived files, which were made again.
    """

    index: str
    revision: int
    documents: int
    passages: int
    broken: tuple[str, ...]
    repaired: tuple[str, ...]


def verify_index(index: LocalIndex) -> Verification:
    """Check the catalogue, each passage against its document, and the derived files against the catalogue."""
    broken = index.catalog.check()
    with index.catalog.read() as transaction:
        generation, _ = transaction.live_generation()
        revision = transaction.revision()
        documents, passages = transaction.counts(generation)
        dimension = index.specification.dimension
        broken += list(_wrong_passages(transaction, generation, dimension))
    repaired = _wrong_derived(index)
    if repaired:
        index.derived.discard()
        broken += [f"after it was made again: {wrong}" for wrong in _wrong_derived(index)]
    return Verification(index.name, revision, documents, passages, tuple(broken), tuple(repaired))


def _wrong_passages(transaction: ReadTransaction, generation: int, dimension: int) -> Iterator[str]:
    for id, text in transaction.texts():
        numbers = transaction.passages_of(id, generation)
        stored = transaction.passages(numbers)
        if text.strip() and not numbers:
            yield f"document {id!r}: no passages"
        for number in numbers:
            passage, vector = stored[number].passage, stored[number].vector
            span = passage.span
            if span.of(text) != passage.text:
                yield f"document {id!r}: passage {number} is not the text at [{span.start}, {span.end})"
            if passage.cut != (not is_boundary(text, span.start), not is_boundary(text, span.end)):
                yield f"document {id!r}: passage {number} is marked wrongly as cut"
            length = float(np.linalg.norm(vector.astype(np.float32)))
            if vector.shape != (dimension,) or not abs(length - 1) <= _UNIT_LENGTH_WITHIN:
                yield f"document {id!r}: passage {number} has a vector of length {length:.4f}"


def _wrong_derived(index: LocalIndex) -> list[str]:
    try:
        return index.derived.compare()
    except (StaleFiles, ValueError, RuntimeError, OSError, EOFError) as error:
        return [f"cannot be read: {error}"]
