"""spanlight: answers that are exact spans of your documents, with calibrated confidence, or an honest "not found".

    import qa

    with qa.open("indexes") as engine:
        engine.add_files("manuals/")
        for answer in engine.ask("How often is the filter cleaned?").answers:
            print(answer.text, answer.confidence, answer.document_id, answer.span)

`qa.Client` asks a running server; its methods and results have the same names.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from qa.client import AsyncClient, Client
    from qa.engine import Engine
    from qa.errors import (
        Changed,
        Conflict,
        Forbidden,
        InvalidInput,
        ModelError,
        NotFound,
        Overloaded,
        QAError,
        RateLimited,
        TooLarge,
        Unauthorized,
        Unavailable,
        UnsupportedFormat,
    )
    from qa.quotations import Quote, QuoteMatch, QuoteResult, WordDifference
    from qa.reports import AddedDocument, FileReport, IngestionReport
    from qa.results import Answer, EvidenceUnit, Highlight, HighlightResult, Hit, Item, QueryResult, SearchResult
    from qa.rows import Cell, ExtractedRow, NamedQuestion
    from qa.types import Document, DocumentInfo, SourceFile, Span, Table, Unread

__version__ = "0.1.0"
__all__ = [
    "AddedDocument",
    "Answer",
    "AsyncClient",
    "Cell",
    "Changed",
    "Client",
    "Conflict",
    "Document",
    "DocumentInfo",
    "Engine",
    "EvidenceUnit",
    "ExtractedRow",
    "FileReport",
    "Forbidden",
    "Highlight",
    "HighlightResult",
    "Hit",
    "IngestionReport",
    "InvalidInput",
    "Item",
    "ModelError",
    "NamedQuestion",
    "NotFound",
    "Overloaded",
    "QAError",
    "QueryResult",
    "Quote",
    "QuoteMatch",
    "QuoteResult",
    "RateLimited",
    "SearchResult",
    "SourceFile",
    "Span",
    "Table",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unread",
    "UnsupportedFormat",
    "WordDifference",
    "__version__",
    "open",
]

# The module of each lazily imported name; all other names of `__all__` are in `qa.errors`.
_MODULES = {
    **dict.fromkeys(("AsyncClient", "Client"), "qa.client"),
    "Engine": "qa.engine",
    **dict.fromkeys(("Quote", "QuoteMatch", "QuoteResult", "WordDifference"), "qa.quotations"),
    **dict.fromkeys(("AddedDocument", "FileReport", "IngestionReport"), "qa.reports"),
    **dict.fromkeys(("Answer", "EvidenceUnit", "Highlight", "HighlightResult", "Hit", "Item"), "qa.results"),
    **dict.fromkeys(("QueryResult", "SearchResult"), "qa.results"),
    **dict.fromkeys(("Cell", "ExtractedRow", "NamedQuestion"), "qa.rows"),
    **dict.fromkeys(("Document", "DocumentInfo", "SourceFile", "Span", "Table", "Unread"), "qa.types"),
}


def open(
    path_or_url: str | Path = "indexes",
    *,
    embedder: str | None = None,
    reader: str | None = None,
    threads: int | None = None,
    cache_dir: str | Path | None = None,
    ocr: Literal["auto", "off"] | None = None,
    keep_files: bool | None = None,
) -> Engine:
    """Open the indexes in a folder, and load the models. The folder and the default index are created if missing.

    Arguments that are None take their value from `QA_*` variables, the settings file, or the default.

    Args:
        path_or_url: the folder that holds the indexes.
        embedder: `shipped`, a folder written by `qa train embedder`, or a sentence-transformers model.
        reader: `shipped`, or a folder written by `qa train reader`.
        threads: number of inference threads; by default one for each available core.
        cache_dir: where compiled models are kept.
        ocr: `off` reads no text in pictures; `auto` does if the extra `ocr` is installed.
        keep_files: whether documents keep their original file.

    Returns:
        An engine; close it, or use it with `with`.

    Raises:
        InvalidInput: a setting is not valid, or `path_or_url` is a URL; use `qa.Client` for a server.
        ModelError: weights are missing, damaged, or do not belong together.
        Conflict: the default index was built with another model; rebuild it with `qa rebuild`.
    """
    # The engine's libraries take most of a second to import; the client and the types do not need them.
    from qa.factory import open_engine

    return open_engine(
        path_or_url,
        embedder=embedder,
        reader=reader,
        threads=threads,
        cache_dir=cache_dir,
        ocr=ocr,
        keep_files=keep_files,
    )


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_MODULES.get(name, "qa.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
