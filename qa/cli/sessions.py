"""Sessions for commands: with the engine, with documents but no models, or with a client. Each reports its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import typer

from qa.config import load_settings
from qa.errors import QAError

if TYPE_CHECKING:
    from qa.client import Client
    from qa.documents.extract.extractor import Extractor
    from qa.engine import Engine
    from qa.indexing.indexer import Indexer


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an error in one line on standard error, and exit with status 1."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        print_error(": ".join(filter(None, [str(error.filename or ""), error.strerror or str(error)])))
        raise typer.Exit(1) from error
    except QAError as error:
        print_error(describe(error))
        raise typer.Exit(1) from error


@contextmanager
def engine_session() -> Iterator[Engine]:
    """Open the engine of the settings, with its models; close it at the end."""
    from qa.factory import build_engine

    with reported_errors(), build_engine(load_settings()) as engine:
        yield engine


@contextmanager
def extractor_session() -> Iterator[Extractor]:
    """Open an extractor with the OCR setting; close it at the end."""
    from qa.documents.extract.extractor import Extractor

    with reported_errors(), closing(Extractor(ocr=load_settings().ocr == "auto")) as extractor:
        yield extractor


@contextmanager
def documents_session() -> Iterator[Indexer]:
    """Open the documents of all indexes without loading a model, to list, read and remove them."""
    from qa.factory import open_catalogues

    with reported_errors():
        documents = open_catalogues(load_settings())
        try:
            yield documents
        finally:
            documents.indexes.close()


@contextmanager
def client_session(url: str) -> Iterator[Client]:
    """Open a client of a running server, with the first key of the settings."""
    from qa.client import Client

    with reported_errors(), Client(url, key=next(iter(load_settings().api_keys), None)) as client:
        yield client


def print_errors(errors: Sequence[QAError]) -> None:
    """Print each error once."""
    for text in dict.fromkeys(describe(error) for error in errors):
        print_error(text)


def exit_on_errors(errors: Sequence[QAError]) -> None:
    """Print each error once, and exit with status 1 if there are any."""
    print_errors(errors)
    if errors:
        raise typer.Exit(1)


def describe(error: QAError) -> str:
    """Return the message, with the name of the field that is wrong."""
    return (
        f"{error.field}: {error.message}"
        if error.field and not error.message.startswith(error.field)
        else error.message
    )


def print_error(text: str) -> None:
    """Print an error in one line on standard error."""
    line = " ".join(text.splitlines())
    # File names may hold bytes that are not UTF-8.
    typer.echo(f"error: {line}".encode("utf-8", "backslashreplace").decode(), err=True)
