"""`qa train`: train the reader on your own labels, or train the shipped models again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from qa.cli import evaluation_output, output
from qa.cli.sessions import reported_errors
from qa.config import load_settings
from qa.errors import InvalidInput, ModelError

app = typer.Typer(
    help="Train a reader on your labels, or the shipped models again.", no_args_is_help=True, rich_markup_mode=None
)

DataFolder = Annotated[Path, typer.Option(help="Folder of the training files.")]
MeasuredWith = Annotated[
    list[Path] | None,
    typer.Option(help="A SQuAD file that you evaluate with; its contexts are not trained on. Repeat for more."),
]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]

_NO_MEASURED_WITH = "without --measured-with, the training data may contain questions that you evaluate with later"
_NO_CALIBRATION = "the reader has no calibration yet; run `qa train calibration`"


@app.command("reader")
def train_reader(
    data: Annotated[Path, typer.Option(help="Folder of the training files, or one SQuAD JSON file.")],
    work: Annotated[Path, typer.Option(help="Folder for checkpoints; an interrupted run resumes from it.")],
    out: Annotated[Path, typer.Option(help="Folder for the int8 reader and its model card.")],
    config: Annotated[
        str | None,
        typer.Option(help="A recipe of the package, such as base or own (an unknown name lists them), or a TOML file."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Folder of the base model, such as e5-small-v2, to start from.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="The reader to start from: 'shipped', a folder, or the WORK/reader of a training."),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of an int8 reader to learn from on plain contexts. Repeat for more."),
    ] = None,
    measured_with: MeasuredWith = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="Length of the training, instead of the recipe's.")] = None,
    device: Device = "cpu",
) -> None:
    """Train a reader and export it as static int8.

    The training starts from the base model (--base), or from another reader (--from). With --from and without --config
    it trains on your own labels: about a fifth is held out, and measured before and after.
    """
    with reported_errors(), _training_extra():
        from qa.evaluation.compare import compare
        from qa.factory import reader_folder
        from qa.models.inference import available_threads
        from qa.reading.calibration import CALIBRATION
        from qa.training.artifacts.model_card import write_card
        from qa.training.artifacts.reader_export import check_output, export_reader
        from qa.training.fine_tuning import MIN_QUESTIONS, evaluate_reader, load_held_out, transfer_calibration
        from qa.training.optim.device import check_device
        from qa.training.optim.reader import train_reader
        from qa.training.optim.start import Start
        from qa.training.recipe import BASE_RECIPE, OWN_RECIPE, load_recipe, resolve_files

        if (base is None) == (start is None):
            raise InvalidInput("give either --base with the base model, or --from with a reader", field="from")
        loaded = load_recipe(config or (OWN_RECIPE if start else BASE_RECIPE))
        recipe, folder = resolve_files(loaded if tokens is None else replace(loaded, tokens=tokens), data)
        settings = load_settings(reader=start)
        origin = Start(base or reader_folder(settings), is_base=base is not None)
        check_device(device)
        check_output(out, origin.folder)
        before = None
        # A recipe that names its files moves the logits too far to keep the calibration. A starting reader without a
        # calibration gives no answers to compare with.
        if not loaded.mixture and (origin.folder / CALIBRATION).exists():
            held_out = load_held_out(folder, recipe.mixture, recipe.held_out_percent)
            output.notes([f"{len(held_out.questions)} questions are held out"])
            before = evaluate_reader(held_out, settings)
        elif not measured_with:
            output.notes([_NO_MEASURED_WITH])
        threads = settings.threads or available_threads()
        report = partial(typer.echo, err=True)
        trained = train_reader(
            folder, measured_with or [], work, recipe, threads, report, origin, device, teacher or []
        )
        export_reader(trained, folder, out)
        if before is None:
            output.notes([_NO_CALIBRATION])
            return
        transfer_calibration(settings, out, held_out)
        write_card(out)
        after = evaluate_reader(held_out, load_settings(reader=str(out)))
        evaluation_output.reports([after.report])
        evaluation_output.comparisons([compare(before.report, after.report)], tolerance=0.0)
        evaluation_output.abstention("before", before)
        evaluation_output.abstention("after", after)
        if len(held_out.questions) < MIN_QUESTIONS:
            output.notes([f"fewer than {MIN_QUESTIONS} questions are held out: the comparison is mostly noise"])


@contextmanager
def _training_extra() -> Iterator[None]:
    """Name the extra to install if a library that only training needs is missing.

    Raises:
        ModelError: a library is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModelError(f"training needs {error.name}; run `pip install 'spanlight[training]'`") from error


@app.command("average")
def average_readers(
    readers: Annotated[list[Path], typer.Argument(help="Folders of readers; all others descend from the first.")],
    data: DataFolder,
    work: Annotated[Path, typer.Option(help="Folder for the averaged weights.")],
    out: Annotated[Path, typer.Option(help="Folder for the int8 reader and its model card.")],
    part: Annotated[
        list[float] | None, typer.Option(help="Weight of a reader, once for each in order. Default: equal weights.")
    ] = None,
) -> None:
    """Average the weights of several readers; the mean is usually better than each of them."""
    with reported_errors(), _training_extra():
        from qa.training.artifacts.reader_export import check_output, export_reader
        from qa.training.optim.averaging import average_readers

        check_output(out, None)
        export_reader(average_readers(readers, work, part or []), data, out)
        output.notes([_NO_CALIBRATION])


@app.command("embedder")
def train_embedder(
    data: DataFolder,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints; an interrupted run resumes from it.")],
    out: Annotated[Path, typer.Option(help="Folder for the int8 embedder.")],
    config: Annotated[
        str, typer.Option(help="A recipe of the package (an unknown name lists them) or a TOML file.")
    ] = "first",
    start: Annotated[
        str | None,
        typer.Option("--from", help="The embedder to start from: 'shipped' or a folder. Default: the published model."),
    ] = None,
    measured_with: MeasuredWith = None,
    passes: Annotated[
        float | None, typer.Option(min=0.01, help="Number of passes over the questions, instead of the recipe's.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="Questions in a batch, instead of the recipe's; fewer need less memory.")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Fine-tune an embedder on questions and the passages that answer them."""
    with reported_errors(), _training_extra():
        from qa.factory import embedder_folder
        from qa.training.artifacts.base_model import silence_transformers
        from qa.training.artifacts.embedder_export import export_embedder
        from qa.training.artifacts.reader_export import check_output
        from qa.training.optim.contrastive import train_embedder
        from qa.training.optim.device import check_device
        from qa.training.recipe import load_embedder_recipe

        recipe = load_embedder_recipe(config)
        recipe = replace(recipe, passes=passes or recipe.passes, batch=batch or recipe.batch)
        origin = embedder_folder(load_settings(embedder=start)) if start else None
        check_device(device)
        check_output(out, origin)
        if not measured_with:
            output.notes([_NO_MEASURED_WITH])
        report = partial(typer.echo, err=True)
        encoder = train_embedder(data, measured_with or [], work, recipe, report, device, origin)
        with silence_transformers():
            encoder.encoder.save_pretrained(work / "embedder")
        export_embedder(encoder, data, out)


@app.command("calibration")
def train_calibration(
    data: DataFolder,
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `calibration.json` is written there.")],
    labelled: Annotated[
        list[Path] | None, typer.Option(help="JSON file of labelled documents to fit on as well. Repeat for more.")
    ] = None,
    documents: Annotated[
        list[Path] | None, typer.Option(help="Folder of the documents of each such file, in the same order.")
    ] = None,
    held_out_percent: Annotated[
        int, typer.Option(min=1, max=50, help="Percentage of the labelled documents that training held out.")
    ] = 12,
) -> None:
    """Fit score weights, probabilities and the thresholds of answers on the held-out part of the training files."""
    with reported_errors(), _training_extra():
        from qa.evaluation.labelled_documents import load_documents
        from qa.training.calibration.fit import fit_calibration
        from qa.training.calibration.gathering import held_out_documents

        folders = documents or [path.parent / "docs" for path in labelled or []]
        if len(folders) != len(labelled or []):
            raise InvalidInput("give one folder for each --labelled file, in the same order", field="documents")
        questions = [
            question
            for path, folder in zip(labelled or [], folders, strict=True)
            for question in held_out_documents(load_documents(path, folder), held_out_percent, seed=1)
        ]
        output.lines(fit_calibration(data, reader, load_settings(), document_questions=questions))


@app.command("card")
def write_model_card(
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `README.md` is written there.")],
    reports: Annotated[list[Path] | None, typer.Argument(help="Files that `qa eval --json` wrote.")] = None,
) -> None:
    """Write the model card of a reader, with its figures."""
    with reported_errors(), _training_extra():
        from qa.evaluation.compare import load_figures
        from qa.training.artifacts.model_card import write_card

        write_card(reader, [report for path in reports or [] for report in load_figures(path)])
