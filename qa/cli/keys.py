"""Keys of the service: make, list, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli import output
from qa.cli.shared import JsonFlag, errors_reported
from qa.config import load_settings
from qa.service.keys import Keys

Name = Annotated[str, typer.Argument(help="What the key is called.")]

app = typer.Typer(help="Keys of the service. A running server sees each change at once.", no_args_is_help=True)


@app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, write (documents too) or admin (indexes too).")] = "read",
    index: Annotated[str | None, typer.Option(help="The only index that it is for.")] = None,
) -> None:
    """Make a key and print it: only its hash is kept. From the first one on, every call needs a key."""
    with errors_reported():
        typer.echo(_keys().create(name, scope, index))


@app.command("list")
def list_keys(as_json: JsonFlag = False) -> None:
    """List the keys that were made."""
    with errors_reported():
        output.keys(_keys().all(), as_json)


@app.command()
def revoke(name: Name) -> None:
    """Make a key worthless. Calls need a key from then on too, even if none is left."""
    with errors_reported():
        _keys().revoke(name)
        typer.echo(f"revoked {name}")


def _keys() -> Keys:
    return Keys(load_settings().index_dir)
