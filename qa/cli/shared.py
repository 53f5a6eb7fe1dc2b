"""What the commands share: options, settings, and errors told in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from qa.config import load_settings
from qa.engine import Engine
from qa.errors import InvalidInput, QAError
from qa.types import Meta
from qa.validation import MAX_TOP_K, check_meta

if TYPE_CHECKING:
    from qa.client import Client

IndexOption = Annotated[str, typer.Option("--index", help="Name of the index.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=MAX_TOP_K, help="At most so many answers.")]
MinConfidence = Annotated[
    float | None,
    typer.Option("--min-confidence", min=0, max=1, help="Give answers from this confidence on; 0: every guess."),
]
Tolerance = Annotated[float, typer.Option(min=0, help="How many points a measure may fall.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Ask a running server; QA_API_KEYS has its key.")]
Question = Annotated[str, typer.Argument(help="In plain language.")]


@contextmanager
def errors_reported() -> Iterator[None]:
    """Tell an error in one line on standard error, and end with status 1."""
    try:
        yield
    except OSError as error:
        typer.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error
    except QAError as error:
        tell(error)
        raise typer.Exit(1) from error


def tell(error: QAError) -> None:
    """Tell an error in one line on standard error."""
    where = f"{error.field}: " if error.field and not error.message.startswith(error.field) else ""
    typer.echo(f"error: {where}{error.message}".encode("utf-8", "backslashreplace").decode(), err=True)


def meta_of(options: Sequence[str]) -> Meta:
    """Return metadata of NAME=VALUE: numbers, true, false and null as such, everything else as text.

    Raises:
        BadParameter: one has no equals sign or no name, or cannot be kept.
    """
    meta: dict[str, object] = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{option!r} is not NAME=VALUE", param_hint="--meta")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        meta[name.strip()] = read if isinstance(read, int | float | bool | None) else value
    try:
        return check_meta(meta)
    except InvalidInput as error:
        raise typer.BadParameter(f"{error.field}: {error.message}", param_hint="--meta") from error


@contextmanager
def opened_engine() -> Iterator[Engine]:
    """Open the engine that the settings describe, and close it in the end; errors are told."""
    from qa.factory import build_engine

    with errors_reported():
        engine = build_engine(load_settings())
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def opened_client(url: str) -> Iterator[Client]:
    """Open a client of a running server, with the first key of the settings; errors are told."""
    from qa.client import Client

    with errors_reported(), Client(url, key=next(iter(load_settings().api_keys), None)) as client:
        yield client


def report_all(errors: Sequence[QAError]) -> None:
    """Tell what could not be taken in, and end with status 1 if there is such."""
    for error in errors:
        tell(error)
    if errors:
        raise typer.Exit(1)
