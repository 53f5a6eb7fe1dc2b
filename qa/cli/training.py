"""The shipped models, made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from qa import presentation as show
from qa.assembly import reader_folder
from qa.cli.shared import errors_told
from qa.config import load_settings
from qa.models.shipped import open_model

app = typer.Typer(help="Make the shipped models again.", no_args_is_help=True)


@app.command("reader")
def train_reader(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    work: Annotated[Path, typer.Option(help="Checkpoints and results; an interrupted run goes on from here.")],
    measured_with: Annotated[list[Path], typer.Option(help="SQuAD files that must stay unseen.")],
    tokens: Annotated[int | None, typer.Option(min=1, help="How long to train.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Train this reader on: 'shipped', or the folder of another.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the int8 model here.")] = None,
) -> None:
    """Train the reader, from the base model or on from one that was trained, and export it as static int8."""
    from qa.training.reader import FURTHER, ReaderRecipe, train_reader
    from qa.training.reader_export import export_reader

    with errors_told():
        recipe = ReaderRecipe() if start is None else FURTHER
        settings = load_settings(reader=start)
        finished = train_reader(
            data,
            measured_with,
            work,
            recipe if tokens is None else replace(recipe, tokens=tokens),
            settings.threads or 2,
            lambda line: typer.echo(line, err=True),
            open_model(reader_folder(settings)) if start else None,
        )
        if out:
            export_reader(finished, data, out)


@app.command("embedder")
def train_embedder(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    out: Annotated[Path, typer.Option(help="Folder of the int8 model.")],
) -> None:
    """Make the shipped embedder from the published weights."""
    from qa.training.embedder import export_embedder

    with errors_told():
        export_embedder(data, out)


@app.command("calibration")
def train_calibration(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `calibration.json` is written there.")],
) -> None:
    """Fit weights, probabilities and thresholds on the held-out part of the training files."""
    from qa.training.calibration import fit_calibration

    with errors_told():
        show.lines(fit_calibration(data, reader, load_settings()))
