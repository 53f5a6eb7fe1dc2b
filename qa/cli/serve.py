"""`qa serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli.sessions import reported_errors
from qa.config import load_settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (QA_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (QA_PORT).")] = None,
    insecure: Annotated[
        bool | None,
        typer.Option("--insecure", help="Accept requests from other machines without an API key (QA_INSECURE)."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Number of server processes (QA_WORKERS).")] = None,
) -> None:
    """Serve the indexes over HTTP.

    The web page is at /, the API reference at /docs.
    """
    from qa.service.server import serve

    with reported_errors():
        serve(load_settings(host=host, port=port, insecure=insecure, workers=workers))
