"""The command `qa`. Exit status: 0, 1 (failed), 2 (usage), 3 (a regression gate)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from qa import presentation as show
from qa.config import Settings, load_settings
from qa.engine import Added, Engine
from qa.errors import QAError
from qa.limits import MAX_TOP_K

app = typer.Typer(
    help="Answers that are exact spans of your documents, or an honest 'no answer'.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train = typer.Typer(help="Make the shipped models again.", no_args_is_help=True)
app.add_typer(train, name="train")

IndexOption = Annotated[str, typer.Option("--index", help="Name of the index.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=MAX_TOP_K, help="At most so many answers.")]
MinConfidence = Annotated[
    float | None,
    typer.Option("--min-confidence", min=0, max=1, help="Give answers from this confidence on; 0: every guess."),
]
Question = Annotated[str, typer.Argument(help="In plain language.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (QA_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (QA_PORT).")] = None,
) -> None:
    """Serve over HTTP, with the page at / and the reference at /docs."""
    import uvicorn

    from qa.assembly import build_engine
    from qa.index.registry import DEFAULT_INDEX
    from qa.service.app import create_app

    with _errors_told():
        settings = load_settings(host=host, port=port)
        # All that can be wrong with models and index is told before the port is opened.
        engine = build_engine(settings)
        engine.indexes.get_or_create(DEFAULT_INDEX).catch_up()
        uvicorn.run(create_app(settings, engine), host=settings.host, port=settings.port, log_level="info")


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.")],
    index: IndexOption = "default",
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only if the index holds no document yet.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add text files. A file that was added before is replaced; nothing is written if one cannot be read."""
    from qa.documents.files import documents_in, in_batches

    with _engine() as engine:
        documents = documents_in(paths)
        present, _ = engine.indexes.get_or_create(index).counts()
        added: list[Added] = []
        if if_empty and present:
            documents = []
        with show.progress("adding", sum(len(d.text) for d in documents)) as advance:
            for batch in in_batches(documents):
                added += engine.add(batch, index=index)
                advance(sum(len(d.text) for d in batch))
        show.added(added, as_json)


@app.command("list")
def list_documents(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """List the documents of an index."""
    with _engine() as engine:
        show.documents(list(engine.all_documents(index=index)), as_json)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents, as `qa list` shows them.")],
    index: IndexOption = "default",
) -> None:
    """Remove documents from an index, all or none."""
    with _engine() as engine:
        engine.remove(ids, index=index)
        typer.echo(f"removed {len(ids)}")


@app.command()
def ask(
    question: Question,
    index: IndexOption = "default",
    top_k: TopK = 3,
    min_confidence: MinConfidence = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the documents of an index."""
    with _engine() as engine:
        show.result(engine.ask(question, index=index, top_k=top_k, min_confidence=min_confidence), as_json)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="A text file; '-' for standard input.")],
    question: Question,
    top_k: TopK = 3,
    min_confidence: MinConfidence = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask one file, without an index."""
    from qa.documents.files import text_of

    with _engine() as engine:
        show.result(engine.read(question, text_of(file), top_k=top_k, min_confidence=min_confidence), as_json)


@app.command()
def verify(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Check an index against what is promised, and mend what is derived. Exit 1 if the catalogue is damaged."""
    from qa.index.verification import verify_index

    with _engine() as engine:
        found = verify_index(engine.indexes.get(index))
        show.verification(found, as_json)
        if found.broken:
            raise typer.Exit(1)


@app.command("eval")
def evaluate(
    datasets: Annotated[list[Path], typer.Argument(help="SQuAD 1.1 or 2.0 JSON files.")],
    mode: Annotated[str, typer.Option(help="end-to-end, reader or retrieval.")] = "end-to-end",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions, spread evenly.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON ('-': print).")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Write {question id: answer}.")] = None,
) -> None:
    """Measure the models on labelled questions."""
    from qa.evaluation.datasets import load_squad
    from qa.evaluation.runner import Mode, evaluate, steps

    if mode not in {m.value for m in Mode}:
        raise typer.BadParameter(f"{mode!r} is not one of {', '.join(Mode)}", param_hint="--mode")
    with _engine() as engine:
        loaded = [load_squad(path) for path in datasets]
        for path in (json_file, predictions):
            if path and str(path) != "-":
                # Better now than after an hour.
                path.open("a", encoding="utf-8").close()
        done = []
        for dataset in loaded:
            with show.progress(dataset.name, steps(dataset, Mode(mode), limit)) as advance:
                done.append(evaluate(dataset, Mode(mode), engine, limit, advance))
        reports = [evaluation.report for evaluation in done]
        show.reports(reports, quiet=str(json_file) == "-")
        if json_file:
            _write(json_file, json.dumps(reports[0] if len(reports) == 1 else reports, indent=1))
        if predictions:
            _write(predictions, json.dumps({k: v for e in done for k, v in e.predictions.items()}, ensure_ascii=False))


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Tell versions, models and what the processor offers, and that the models load."""
    from qa.diagnosis import diagnose

    with _errors_told():
        show.diagnosis(diagnose(_settings()), as_json)


@train.command("reader")
def train_reader(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    work: Annotated[Path, typer.Option(help="Checkpoints and results; an interrupted run goes on from here.")],
    measured_with: Annotated[list[Path], typer.Option(help="SQuAD files that must stay unseen.")],
    tokens: Annotated[int | None, typer.Option(min=1, help="How long to train.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the int8 model here.")] = None,
) -> None:
    """Train the reader, and export it as static int8."""
    from qa.training.reader import ReaderRecipe, train_reader
    from qa.training.reader_export import export_reader

    with _errors_told():
        recipe = ReaderRecipe() if tokens is None else ReaderRecipe(tokens=tokens)
        settings = _settings()
        finished = train_reader(
            data, measured_with, work, recipe, settings.threads or 2, lambda line: typer.echo(line, err=True)
        )
        if out:
            export_reader(finished, data, out)


@train.command("embedder")
def train_embedder(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    out: Annotated[Path, typer.Option(help="Folder of the int8 model.")],
) -> None:
    """Make the shipped embedder from the published weights."""
    from qa.training.embedder import export_embedder

    with _errors_told():
        export_embedder(data, out)


@train.command("calibration")
def train_calibration(
    data: Annotated[Path, typer.Option(help="Folder of the training files.")],
    reader: Annotated[Path, typer.Option(help="Folder of the int8 reader; `calibration.json` is written there.")],
) -> None:
    """Fit weights, probabilities and thresholds on the held-out part of the training files."""
    from qa.training.calibration import fit_calibration

    with _errors_told():
        show.lines(fit_calibration(data, reader, _settings()))


def _settings() -> Settings:
    return load_settings()


@contextmanager
def _errors_told() -> Iterator[None]:
    """Tell an error in one line on standard error, and end with status 1."""
    try:
        yield
    except OSError as error:
        typer.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error
    except QAError as error:
        where = f"{error.field}: " if error.field and not error.message.startswith(error.field) else ""
        message = f"error: {where}{error.message}".encode("utf-8", "backslashreplace").decode()
        typer.echo(message, err=True)
        raise typer.Exit(1) from error


@contextmanager
def _engine() -> Iterator[Engine]:
    from qa.assembly import build_engine

    with _errors_told():
        engine = build_engine(_settings())
        try:
            yield engine
        finally:
            engine.close()


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text + "\n")
    else:
        path.write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> Any:
    """Run the command."""
    return app(arguments)
