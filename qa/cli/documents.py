"""Documents in, answers out, and what state it is all in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from qa.cli import output
from qa.cli.shared import (
    IndexOption,
    JsonFlag,
    MinConfidence,
    Question,
    TopK,
    UrlOption,
    errors_reported,
    meta_of,
    opened_client,
    opened_engine,
    report_all,
)
from qa.config import load_settings
from qa.indexing.indexer import Indexer

MetaOption = Annotated[
    list[str] | None, typer.Option("--meta", help="NAME=VALUE, kept with each document; may be given again.")
]
TextColumn = Annotated[str, typer.Option(help="The column of a table that holds the text.")]
TitleColumn = Annotated[str, typer.Option(help="The one that holds the title.")]
IdColumn = Annotated[str, typer.Option(help="The one that holds the document's id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (QA_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (QA_PORT).")] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen on more than this machine without any key (QA_INSECURE).")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that serve (QA_WORKERS).")] = None,
) -> None:
    """Serve over HTTP, with the page at / and the reference at /docs."""
    from qa.service.server import serve

    with errors_reported():
        serve(load_settings(host=host, port=port, insecure=insecure, workers=workers))


@app.command()
def add(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, patterns like 'reports/**/*.pdf', or - .")],
    index: IndexOption = "default",
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only if the index holds no document yet.")] = False,
    meta: MetaOption = None,
    text_column: TextColumn = "text",
    title_column: TitleColumn = "title",
    id_column: IdColumn = "id",
    dry_run: DryRun = False,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add files: text, Markdown, HTML, PDF, DOCX; CSV and JSON lines with a document in each row.

    What was added before is replaced if it has changed. A file that cannot be read is told in the end, and stops none.
    """
    from qa.documents.extract.tables import Columns
    from qa.documents.files import files_in
    from qa.indexing.ingestion import Ingestion

    columns = Columns(text_column, title_column, id_column)
    if url:
        if if_empty or meta or dry_run or columns != Columns():
            raise typer.BadParameter("files go to a server as they are", param_hint="--url")
        from qa.cli.sending import send

        send(paths, index, url, as_json)
        return
    with opened_engine() as engine:
        files, wrong = files_in(paths)
        intake = Ingestion(engine, index, columns, meta_of(meta or []), dry_run)
        if if_empty and engine.indexes.has(index) and engine.indexes.get(index).counts()[0]:
            files, wrong = [], []
        with output.progress("adding", len(files)) as advance:
            done = intake.add(files, advance)
        output.taken_in(done, [], as_json, dry_run=dry_run)
        report_all([*wrong, *done.failed.values()])


@app.command()
def sync(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder.")],
    index: IndexOption = "default",
    meta: MetaOption = None,
    text_column: TextColumn = "text",
    title_column: TitleColumn = "title",
    id_column: IdColumn = "id",
    dry_run: DryRun = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring an index to what a folder holds: add what is new, replace what has changed, remove what is gone.

    Only documents that came from this folder are removed. A second run does nothing.
    """
    from qa.documents.extract.tables import Columns
    from qa.documents.files import files_in
    from qa.indexing.ingestion import Ingestion

    with opened_engine() as engine:
        files, wrong = files_in([str(folder)])
        if wrong:
            # What is in a folder that cannot be read is not gone.
            raise wrong[0]
        intake = Ingestion(engine, index, Columns(text_column, title_column, id_column), meta_of(meta or []), dry_run)
        with output.progress("syncing", len(files)) as advance:
            done, gone = intake.sync(folder, files, advance)
        output.taken_in(done, gone, as_json, dry_run=dry_run)
        report_all([*done.failed.values()])


@app.command("list")
def list_documents(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """List the documents of an index."""
    with opened_engine() as engine:
        output.documents(list(engine.all_documents(index=index)), as_json)


@app.command()
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of documents, as `qa list` shows them.")],
    index: IndexOption = "default",
    as_json: JsonFlag = False,
) -> None:
    """Remove documents from an index, all or none."""
    with opened_engine() as engine:
        engine.remove(ids, index=index)
        removed = list(dict.fromkeys(ids))
        output.outcome({"removed": removed}, f"removed {len(removed)}", as_json)


@app.command()
def purge(index: IndexOption = "default") -> None:
    """Let nothing stay on disk of documents that were removed or replaced: texts, vectors, postings, ids, feedback."""
    from qa.feedback import purge_feedback
    from qa.service.jobs import Jobs
    from qa.service.service_db import ServiceDatabase

    with opened_engine() as engine:
        purge_feedback(engine, index=index)
        engine.indexes.get(index).purge()
        # What a server remembers of requests names documents, and holds files that were sent.
        Jobs(engine.indexes.folder).forget_ended()
        state = ServiceDatabase(engine.indexes.folder)
        state.forget()
        state.close()


@app.command()
def ask(
    question: Question,
    index: IndexOption = "default",
    top_k: TopK = 3,
    min_confidence: MinConfidence = None,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the documents of an index, here or on a running server."""
    if url:
        with opened_client(url) as client:
            asked = client.query(question, index=index, top_k=top_k, min_confidence=min_confidence)
            output.result(asked, as_json)
        return
    from qa.wire.convert import query_response

    with opened_engine() as engine:
        found = engine.ask(question, index=index, top_k=top_k, min_confidence=min_confidence)
        output.result(query_response(found), as_json)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="A file; '-' for standard input.")],
    question: Question,
    top_k: TopK = 3,
    min_confidence: MinConfidence = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask one file, without an index."""
    from qa.documents.extract.extractor import Extractor
    from qa.documents.files import text_of
    from qa.wire.convert import query_response

    with opened_engine() as engine:
        with closing(Extractor()) as extractor:
            given = text_of(file, extractor.extract)
        read = partial(engine.read, top_k=top_k, min_confidence=min_confidence)
        found = read(question, given.text, marks=given.marks, boxes=given.boxes)
        output.result(query_response(found), as_json)


@app.command()
def rebuild(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Split and embed all documents of an index anew, with the models of the settings; queries and writes go on.

    A rebuild that is broken off goes on where it was when it is started again; `qa rollback` brings back what was.
    """
    _activated(Indexer.rebuild, "rebuilding", index, as_json)


@app.command()
def rollback(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Bring back what answered before the last rebuild, with everything that was written since."""
    _activated(Indexer.rollback, "bringing back", index, as_json)


def _activated(activate: Callable[..., tuple[int, int]], what: str, index: str, as_json: bool) -> None:
    from qa.factory import build_low_priority_indexer

    with errors_reported():
        library = build_low_priority_indexer(load_settings())
        with closing(library.indexes.open_to_rebuild(index)) as opened:
            documents = opened.state().documents
        with output.progress(what, documents) as advance:
            generation, before = activate(library, index=index, advance=advance)
        told = {"generation": generation, "before": before}
        output.outcome(told, f"generation {generation} answers, {before} is kept", as_json)


@app.command("export")
def export_index(
    file: Annotated[Path, typer.Argument(help="The one file to write; it must not be there yet.")],
    index: IndexOption = "default",
) -> None:
    """Write an index to one file, from which `qa import` makes it again: the same documents, the same answers."""
    with opened_engine() as engine:
        engine.indexes.get(index).catalog.export(file)


@app.command("import")
def import_index(
    file: Annotated[Path, typer.Argument(help="What `qa export` wrote.")],
    index: IndexOption = "default",
    as_json: JsonFlag = False,
) -> None:
    """Make an index of an exported file; there must be none of that name."""
    with opened_engine() as engine:
        documents, passages = engine.indexes.restore(index, file).counts()
        told = {"documents": documents, "passages": passages}
        output.outcome(told, f"{documents} documents, {passages} passages", as_json)


@app.command()
def verify(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Check an index against what is promised, and mend what is derived. Exit 1 if the catalogue is damaged."""
    from qa.index.verification import verify_index

    with opened_engine() as engine:
        opened = engine.indexes.get(index)
        found = verify_index(opened)
        output.verification(found, as_json)
        if found.broken:
            if way_back := opened.catalog.way_back():
                typer.echo(way_back, err=True)
            raise typer.Exit(1)


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Tell versions, models and what the processor offers, and that the models load."""
    from qa.cli.doctor import diagnose

    with errors_reported():
        output.diagnosis(diagnose(load_settings()), as_json)
