"""Split and embed documents, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.index.local import Prepared
from qa.text.headings import search_text
from qa.types import Document

if TYPE_CHECKING:
    from qa.models.embedder import Embedder


def prepare_documents(documents: Sequence[Document], embedder: Embedder) -> list[Prepared]:
    """Split and embed documents; the passages of all are embedded together, to keep every core busy."""
    import numpy as np

    from qa.documents.splitting import split

    passages = [split(document, embedder.token_starts) for document in documents]
    texts = [
        search_text(passage.text, document.title, passage.marks, passage.lead_in)
        for document, part in zip(documents, passages, strict=True)
        for passage in part
    ]
    vectors = embedder.encode_passages(texts)
    ends = np.cumsum([len(part) for part in passages])[:-1]
    parts = np.split(vectors.astype(np.float16), ends)
    return [Prepared(*fields) for fields in zip(documents, passages, parts, strict=True)]
