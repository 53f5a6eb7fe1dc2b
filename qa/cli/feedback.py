"""`qa feedback export` and `qa feedback import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qa.cli.options import IndexOption
from qa.cli.sessions import documents_session

app = typer.Typer(
    help="Export and import feedback on answers as SQuAD labels.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("export")
def export_labels(
    file: Annotated[Path, typer.Argument(help="The SQuAD JSON file to write.")], index: IndexOption = "default"
) -> None:
    """Write the labels that follow from the feedback on an index, for `qa eval` or `qa train reader`."""
    from qa.feedback import export_feedback
    from qa.index.durable import write_durably

    with documents_session() as documents:
        labels = export_feedback(documents, index=index)
        write_durably(file, json.dumps(labels, ensure_ascii=False, indent=1).encode())
        questions = sum(len(paragraph["qas"]) for article in labels["data"] for paragraph in article["paragraphs"])
        left_out = labels["left_out"]
        typer.echo(f"{questions} questions, {left_out} left out because their documents have changed")


@app.command("import")
def import_labels(
    file: Annotated[Path, typer.Argument(help="A SQuAD JSON file whose contexts are texts of the index's documents.")],
    index: IndexOption = "default",
) -> None:
    """Add the labels of a file as feedback on the documents of an index, all or none."""
    from qa.feedback import import_feedback

    with documents_session() as documents:
        typer.echo(f"{import_feedback(documents, file, index=index)} questions")
