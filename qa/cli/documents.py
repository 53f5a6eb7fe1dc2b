"""`qa list` and `qa remove`."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli import output
from qa.cli.options import IndexOption, JsonFlag
from qa.cli.sessions import documents_session

app = typer.Typer(rich_markup_mode=None)


@app.command("list")
def list_documents(
    index: IndexOption = "default",
    indexes: Annotated[
        bool, typer.Option("--indexes", help="List all indexes, with their numbers of documents and passages.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the documents of an index, or all indexes."""
    with documents_session() as documents:
        if indexes:
            counts = {name: documents.indexes.get(name).counts() for name in documents.indexes.names()}
            output.indexes(counts, as_json)
        else:
            output.documents(list(documents.all(index=index)), as_json)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents, as `qa list` prints them.")],
    index: IndexOption = "default",
    as_json: JsonFlag = False,
) -> None:
    """Remove documents from an index, all or none."""
    with documents_session() as documents:
        documents.remove(ids, index=index)
        removed = list(dict.fromkeys(ids))
        output.outcome({"removed": removed}, f"removed {len(removed)}", as_json)
