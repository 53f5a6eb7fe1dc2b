"""Documents in, answers out, and what state it is all in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa import presentation as show
from qa.cli.shared import IndexOption, JsonFlag, MinConfidence, Question, TopK, errors_told, opened_engine
from qa.config import load_settings
from qa.engine import Added

app = typer.Typer()


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

    with errors_told():
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

    with opened_engine() as engine:
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
    with opened_engine() as engine:
        show.documents(list(engine.all_documents(index=index)), as_json)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents, as `qa list` shows them.")],
    index: IndexOption = "default",
) -> None:
    """Remove documents from an index, all or none."""
    with opened_engine() as engine:
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
    with opened_engine() as engine:
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

    with opened_engine() as engine:
        show.result(engine.read(question, text_of(file), top_k=top_k, min_confidence=min_confidence), as_json)


@app.command()
def verify(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Check an index against what is promised, and mend what is derived. Exit 1 if the catalogue is damaged."""
    from qa.index.verification import verify_index

    with opened_engine() as engine:
        found = verify_index(engine.indexes.get(index))
        show.verification(found, as_json)
        if found.broken:
            raise typer.Exit(1)


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Tell versions, models and what the processor offers, and that the models load."""
    from qa.diagnosis import diagnose

    with errors_told():
        show.diagnosis(diagnose(load_settings()), as_json)
