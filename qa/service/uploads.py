"""Files that come over HTTP."""

from __future__ import annotations

from qa.documents.extract.formats import Extract
from qa.documents.files import documents_in
from qa.errors import QAError
from qa.indexing.indexer import Indexer
from qa.validation import MAX_DOCUMENTS
from qa.wire.convert import added_out
from qa.wire.documents import UploadedOut


def take_in(data: bytes, name: str, extract: Extract, library: Indexer, index: str) -> UploadedOut:
    """Take in a file, in parts if it is a table of many rows; what was taken in before an error stays, and is told."""
    made = UploadedOut(file=name, documents=[], error=None)
    try:
        documents = documents_in(data, name, extract)
        for first in range(0, len(documents), MAX_DOCUMENTS):
            added = library.add(documents[first : first + MAX_DOCUMENTS], index=index)
            made.documents += [added_out(one) for one in added]
    except QAError as error:
        made.error = error.message
    return made
