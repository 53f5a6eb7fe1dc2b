"""Verification of an index: check its invariants, and repair what can be derived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qa.index.local import FILE_PART, LocalIndex
from qa.index.rows import content_hash
from qa.index.stale_files import StaleFiles
from qa.index.transactions import ReadTransaction
from qa.text.boundaries import is_boundary
from qa.types import Document

_LENGTH_TOLERANCE = 5e-3


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification.

    Attributes:
        index: the index's name.
        revision: the revision that was checked.
        documents: the number of documents.
        passages: the number of passages of the live generation.
        broken: problems of the catalogue, which need a restore.
        repaired: problems of derived files and counters, which were rebuilt.
    """

    index: str
    revision: int
    documents: int
    passages: int
    broken: tuple[str, ...]
    repaired: tuple[str, ...]


def verify_index(index: LocalIndex) -> Verification:
    """Check the catalogue, the hashes of documents and files, all passages, the counters and the derived files."""
    broken = index.catalog.check()
    with index.catalog.read() as transaction:
        generation, _ = transaction.live_generation()
        revision = transaction.revision()
        documents, passages = transaction.count_rows(generation)
        dimension = index.specification.dimension
        broken += list(_document_problems(transaction, generation, dimension))
        broken += list(_file_problems(transaction))
        repaired = list(_counter_problems(transaction))
    if repaired:
        with index.catalog.write() as write:
            write.reset_counters()
    derived_problems = _derived_problems(index)
    if derived_problems:
        index.derived.discard()
        broken += [f"after a rebuild: {problem}" for problem in _derived_problems(index)]
    repaired += derived_problems
    return Verification(index.name, revision, documents, passages, tuple(broken), tuple(repaired))


def _document_problems(transaction: ReadTransaction, generation: int, dimension: int) -> Iterator[str]:
    for document, sha256 in transaction.all_documents():
        if content_hash(document) != sha256:
            yield f"document {document.id!r}: its content does not have the stored hash"
        yield from _passage_problems(transaction, document, generation, dimension)


def _passage_problems(
    transaction: ReadTransaction, document: Document, generation: int, dimension: int
) -> Iterator[str]:
    text = document.text
    passage_ids = transaction.passages_of(document.id, generation)
    stored = transaction.passages(passage_ids)
    if text.strip() and not passage_ids:
        yield f"document {document.id!r}: no passages"
    for id in passage_ids:
        passage, vector = stored[id].passage, stored[id].vector
        span = passage.span
        if span.of(text) != passage.text:
            yield f"document {document.id!r}: passage {id} is not the text at [{span.start}, {span.end})"
        if passage.cut != (not is_boundary(text, span.start), not is_boundary(text, span.end)):
            yield f"document {document.id!r}: passage {id} has wrong word-boundary flags"
        length = float(np.linalg.norm(vector.astype(np.float32)))
        if vector.shape != (dimension,) or not abs(length - 1) <= _LENGTH_TOLERANCE:
            yield f"document {document.id!r}: passage {id} has a vector of length {length:.4f}"


def _file_problems(transaction: ReadTransaction) -> Iterator[str]:
    for sha256, size in transaction.files():
        digest = hashlib.sha256()
        for start in range(0, size, FILE_PART):
            digest.update(transaction.file_data(sha256, start, min(start + FILE_PART, size)) or b"")
        if digest.hexdigest() != sha256:
            yield f"file {sha256}: its data does not have this hash"


def _counter_problems(transaction: ReadTransaction) -> Iterator[str]:
    for state in ("live", "old", "building"):
        for generation, _ in transaction.generations(state):
            counters, rows = transaction.counts(generation), transaction.count_rows(generation)
            if counters != rows:
                yield (
                    f"counters of generation {generation}: {counters[0]} documents and {counters[1]} passages"
                    f" instead of {rows[0]} and {rows[1]}"
                )


def _derived_problems(index: LocalIndex) -> list[str]:
    try:
        return index.derived.differences()
    except (StaleFiles, ValueError, RuntimeError, OSError, EOFError) as error:
        return [f"cannot be read: {error}"]
