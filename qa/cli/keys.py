"""`qa key`: create, list and revoke the API keys of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli import output
from qa.cli.options import JsonFlag
from qa.cli.sessions import reported_errors
from qa.config import load_settings
from qa.service.keys import Keys

Name = Annotated[str, typer.Argument(help="Name of the key.")]

app = typer.Typer(
    help="Manage the API keys of the service.\n\nA running server applies each change at once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, write (documents too) or admin (indexes too).")] = "read",
    index: Annotated[str | None, typer.Option(help="The only index that the key may use.")] = None,
) -> None:
    """Create a key and print it; only its hash is stored. Once a key exists, every request needs one."""
    with reported_errors():
        typer.echo(_keys().create(name, scope, index))


@app.command("list")
def list_keys(as_json: JsonFlag = False) -> None:
    """List the keys."""
    with reported_errors():
        output.keys(_keys().all(), as_json)


@app.command()
def revoke(name: Name) -> None:
    """Revoke a key. Requests still need a key afterwards, even if none is left."""
    with reported_errors():
        _keys().revoke(name)
        typer.echo(f"revoked {name}")


def _keys() -> Keys:
    return Keys(load_settings().index_dir)
