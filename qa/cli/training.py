"""The shipped models, made again, and the reader trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from qa.cli import output
from qa.cli.shared import errors_reported
from qa.config import load_settings
from qa.errors import ModelError
from qa.factory import embedder_folder, reader_folder
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading.calibration import CALIBRATION

app = typer.Typer(help="Train the reader on your own labels, or make the shipped models again.", no_args_is_help=True)

_MAY_BE_SEEN = "without --measured-with, what is measured later may have been trained on"


@app.command("reader")
def train_reader(
    data: Annotated[Path, typer.Option(help="Folder of the training files; or the one SQuAD JSON file.")],
    work: Annotated[Path, typer.Option(help="Checkpoints and results; an interrupted run goes on from here.")],
    out: Annotated[Path, typer.Option(help="The int8 reader and its model card are written here.")],
    config: Annotated[
        str | None,
        typer.Option(help="A recipe: base, own or another of the package (a wrong name tells all), or a TOML file."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Train this reader on: 'shipped', or the folder of another.")
    ] = None,
    teacher: Annotated[
        list[Path] | None, typer.Option(help="Folder of a reader to learn from, int8 or WORK/reader; for each again.")
    ] = None,
    measured_with: Annotated[list[Path] | None, typer.Option(help="SQuAD files that must stay unseen.")] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="How long to train, whatever the recipe says.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Train a reader and export it as static int8.

    From the base model, or on from one that was trained; without --config then on your own labels, of which about a
    fifth is held back to tell what it was worth.
    """
    with errors_reported(), _extra():
        from qa.evaluation.compare import compare
        from qa.training.artifacts.model_card import write_card
        from qa.training.artifacts.reader_export import check_output, export_reader
        from qa.training.fine_tuning import FEW, evaluated, held_back, take_over_calibration
        from qa.training.optim.reader import check_device, train_reader
        from qa.training.recipe import FIRST, OWN, load_recipe, of_files

        read = load_recipe(config or (OWN if start else FIRST))
        recipe, folder = of_files(read if tokens is None else replace(read, tokens=tokens), data)
        settings = load_settings(reader=start)
        origin = open_model_folder(reader_folder(settings)) if start else None
        check_device(device)
        check_output(out, origin.folder if origin else None)
        before = None
        # A recipe that names files moves logits too far to keep the confidence; a reader whose confidence was never
        # fitted does not answer yet: there is nothing to compare with.
        if origin and not read.mixture and (origin.folder / CALIBRATION).exists():
            kept = held_back(folder, recipe.mixture, recipe.held_out_percent)
            output.notes([f"{len(kept.questions)} questions are held back"])
            before = evaluated(kept, settings)
        elif not measured_with:
            output.notes([_MAY_BE_SEEN])
        threads = settings.threads or available_threads()
        tell = partial(typer.echo, err=True)
        finished = train_reader(folder, measured_with or [], work, recipe, threads, tell, origin, device, teacher or [])
        export_reader(finished, folder, out)
        if before is None:
            output.notes(["confidence is not fitted yet: see `qa train calibration`"])
            return
        take_over_calibration(settings, out, kept)
        write_card(out)
        after = evaluated(kept, load_settings(reader=str(out)))
        output.reports([after.report])
        output.comparisons([compare(before.report, after.report)], tolerance=0.0)
        output.abstentions("before", before)
        output.abstentions("after", after)
        if len(kept.questions) < FEW:
            output.notes([f"with fewer than {FEW} questions held back, this tells little"])


@contextmanager
def _extra() -> Iterator[None]:
    """Tell what to install where a library is missing that only training needs.

    Raises:
        ModelError: one is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModelError(f"training needs {error.name}: pip install 'spanlight[training]'") from error


@app.command("average")
def average_readers(
    readers: Annotated[list[Path], typer.Argument(help="Folders of readers, all trained on from the first.")],
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    work: Annotated[Path, typer.Option(help="The mean is kept here in float.")],
    out: Annotated[Path, typer.Option(help="The int8 reader and its model card are written here.")],
    part: Annotated[
        list[float] | None, typer.Option(help="How much of a reader to take, one for each in turn; else all the same.")
    ] = None,
) -> None:
    """Make one reader of several: the mean of their weights is better than the last of them."""
    with errors_reported(), _extra():
        from qa.training.artifacts.reader_export import check_output, export_reader
        from qa.training.optim.averaging import average_readers

        check_output(out, None)
        export_reader(average_readers(readers, work, part or []), data, out)
        output.notes(["confidence is not fitted yet: see `qa train calibration`"])


@app.command("embedder")
def train_embedder(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    work: Annotated[Path, typer.Option(help="Checkpoints and float weights; an interrupted run goes on from here.")],
    out: Annotated[Path, typer.Option(help="Folder of the int8 model.")],
    config: Annotated[
        str, typer.Option(help="A recipe: one of the package (a wrong name tells all), or a TOML file.")
    ] = "first",
    start: Annotated[
        str | None, typer.Option("--from", help="Train this embedder on: 'shipped', or the folder of another.")
    ] = None,
    measured_with: Annotated[list[Path] | None, typer.Option(help="SQuAD files that must stay unseen.")] = None,
    passes: Annotated[
        float | None, typer.Option(min=0.01, help="Over the questions, whatever the recipe says.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Questions in a step: fewer take less memory.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Train the published embedder on, or another, with questions and the passages that answer them."""
    with errors_reported(), _extra():
        from qa.training.artifacts.base_model import quietly
        from qa.training.artifacts.embedder_export import export_embedder
        from qa.training.artifacts.reader_export import check_output
        from qa.training.optim.contrastive import trained_on
        from qa.training.optim.reader import check_device
        from qa.training.recipe import load_embedder_recipe

        recipe = load_embedder_recipe(config)
        recipe = replace(recipe, passes=passes or recipe.passes, batch=batch or recipe.batch)
        origin = embedder_folder(load_settings(embedder=start)) if start else None
        check_device(device)
        check_output(out, origin)
        if not measured_with:
            output.notes([_MAY_BE_SEEN])
        tell = partial(typer.echo, err=True)
        encoder = trained_on(data, measured_with or [], work, recipe, tell, device, origin)
        with quietly():
            encoder.encoder.save_pretrained(work / "embedder")
        export_embedder(encoder, data, out)


@app.command("calibration")
def train_calibration(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `calibration.json` is written there.")],
) -> None:
    """Fit weights, probabilities and what is refused on the held-out part of the training files."""
    from qa.training.calibration.fit import fit_calibration

    with errors_reported():
        output.lines(fit_calibration(data, reader, load_settings()))


@app.command("card")
def write_model_card(
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `README.md` is written there.")],
    reports: Annotated[list[Path] | None, typer.Argument(help="What `qa eval --json` wrote of it.")] = None,
) -> None:
    """Write a reader's model card again, with its figures."""
    from qa.evaluation.compare import load_figures
    from qa.training.artifacts.model_card import write_card

    with errors_reported():
        write_card(reader, [report for path in reports or [] for report in load_figures(path)])
