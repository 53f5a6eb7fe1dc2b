"""Compare documents with those that an index stores."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from qa.errors import Changed
from qa.index.rows import content_hash
from qa.index.transactions import ReadTransaction
from qa.types import Document, DocumentInfo


def compare_documents(
    transaction: ReadTransaction, documents: Sequence[Document]
) -> tuple[dict[str, int], list[Document]]:
    """Return which documents are stored with equal content, and which of these have another file; see `LocalIndex`."""
    passages, with_new_file = dict[str, int](), list[Document]()
    for document in {d.id: d for d in documents}.values():
        info = stored_except_file(transaction, document)
        if info:
            passages[document.id] = info.passages
            if _file_hash(info) != _file_hash(document):
                with_new_file.append(document)
    return passages, with_new_file


def stored_except_file(transaction: ReadTransaction, document: Document) -> DocumentInfo | None:
    """Return the description of the stored document if it differs at most in its original file, else None."""
    info = transaction.document_info(document.id)
    return info if info and info.sha256 == content_hash(replace(document, file=info.file)) else None


def check_unchanged(transaction: ReadTransaction, id: str, expected_hashes: Collection[str] | None) -> None:
    """Check that a document is stored with one of the expected content hashes; None accepts any state.

    Raises:
        Changed: it is not.
    """
    info = transaction.document_info(id) if expected_hashes is not None else None
    if expected_hashes is not None and (info is None or info.sha256 not in expected_hashes):
        raise changed_error(id, info.sha256 if info else None)


def changed_error(id: str, sha256: str | None) -> Changed:
    """Return the error for a document that has changed since the caller read it; None means it was removed."""
    state = "was removed" if sha256 is None else f"has changed; its content hash is now {sha256}"
    return Changed(f"document {id!r} {state}", field="If-Match")


def _file_hash(described: Document | DocumentInfo) -> str | None:
    return described.file.sha256 if described.file else None
