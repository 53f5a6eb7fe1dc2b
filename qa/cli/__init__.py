"""The command `qa`. Exit status: 0, 1 (failed), 2 (usage), 3 (a quality gate was missed)."""

from __future__ import annotations

import os
import sys
from typing import Annotated, TextIO

import typer

from qa import __version__
from qa.cli.commands import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(show: bool) -> None:
    if show:
        typer.echo(f"spanlight {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Answers that are exact spans of your documents, or an honest 'no answer'."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command, and exit with its status. If the reader of a pipe has closed it, exit quietly."""
    # The files that commands write hold texts of documents: only their owner may read them.
    os.umask(0o077)
    try:
        try:
            app(arguments)
        finally:
            for stream in _streams():
                stream.flush()
    except OSError as error:
        # The interpreter flushes both streams again at exit, which must not fail a second time.
        devnull = os.open(os.devnull, os.O_WRONLY)
        if not isinstance(error, BrokenPipeError):
            typer.echo(f"error: {error.strerror or error}", err=True)
        for stream in _streams():
            os.dup2(devnull, stream.fileno())
        sys.exit(1)


def _streams() -> list[TextIO]:
    """Return standard output and standard error, if the process has them."""
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
