"""Feedback on answers as labels: out to a file, in from one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qa.cli.shared import IndexOption, opened_engine
from qa.index.durable import write_durably

app = typer.Typer(help="What people said of answers, as labels in the layout of SQuAD.", no_args_is_help=True)


@app.command("export")
def export_labels(
    file: Annotated[Path, typer.Argument(help="The SQuAD JSON file to write.")], index: IndexOption = "default"
) -> None:
    """Write the labels that follow from all feedback on an index: to evaluate with, or to train the reader on."""
    from qa.feedback import export_feedback

    with opened_engine() as engine:
        made = export_feedback(engine, index=index)
        write_durably(file, json.dumps(made, ensure_ascii=False, indent=1).encode())
        questions = sum(len(paragraph["qas"]) for article in made["data"] for paragraph in article["paragraphs"])
        typer.echo(f"{questions} questions, {made['left_out']} left out as their documents have changed")


@app.command("import")
def import_labels(
    file: Annotated[Path, typer.Argument(help="A SQuAD JSON file whose contexts are documents of the index.")],
    index: IndexOption = "default",
) -> None:
    """Take the labels of a file for feedback on the documents of an index, all or none."""
    from qa.feedback import import_feedback

    with opened_engine() as engine:
        typer.echo(f"{import_feedback(engine, file, index=index)} questions")
