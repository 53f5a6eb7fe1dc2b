"""`qa add` and `qa sync`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from qa.cli import output
from qa.cli.options import IndexOption, JsonFlag, UrlOption, parse_meta
from qa.cli.progress import progress_bar
from qa.cli.sessions import client_session, engine_session, exit_on_errors, extractor_session, print_errors

# A file whose index was in use is synced again after this time.
_RETRY_SECONDS = 5.0

MetaOption = Annotated[
    list[str] | None, typer.Option("--meta", help="NAME=VALUE to store with each document. Repeat for more names.")
]
TextColumn = Annotated[str | None, typer.Option(help="Column of a table that holds the text.")]
TitleColumn = Annotated[str | None, typer.Option(help="Column of a table that holds the title.")]
IdColumn = Annotated[str | None, typer.Option(help="Column of a table that holds the document's id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would change, without writing.")]

app = typer.Typer(rich_markup_mode=None)


@app.command()
def add(
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, folders, patterns such as 'reports/**/*.pdf', or '-' for standard input."),
    ],
    index: IndexOption = "default",
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing if the index has documents.")] = False,
    meta: MetaOption = None,
    text_column: TextColumn = None,
    title_column: TitleColumn = None,
    id_column: IdColumn = None,
    dry_run: DryRun = False,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add files to an index.

    Formats: PDF, HTML, Markdown, office documents, workbooks, tables, mail, EPUB, notebooks, text, and with the extra
    'ocr' scans and pictures. A table gives a document for each row.

    A file that was added before is replaced if it has changed. A file that cannot be read does not stop the others; its
    error is printed at the end, and the exit status is 1.
    """
    from qa.documents.extract.tables.columns import Columns
    from qa.indexing.ingestion import Ingestion, find_sources

    columns = Columns(text_column, title_column, id_column)
    if url:
        if if_empty or meta or dry_run:
            raise typer.BadParameter("cannot be combined with --if-empty, --meta and --dry-run", param_hint="--url")
        with client_session(url) as client, progress_bar("adding") as progress:
            names = {"text_column": text_column, "title_column": title_column, "id_column": id_column}
            report = client.add_files(paths, index=index, progress=progress.advance, **names)
        output.ingestion(report, as_json)
        exit_on_errors(report.errors)
        return
    fields = parse_meta(meta or [])
    with engine_session() as engine, extractor_session() as extractor:
        sources, unmatched = find_sources(paths, columns, fields, [engine.indexes.folder.resolve()])
        if if_empty and engine.indexes.has(index) and engine.indexes.get(index).counts()[0]:
            sources, unmatched = [], []
        with progress_bar("adding", len(sources)) as progress:
            report = Ingestion(
                engine.documents, partial(extractor.extract, progress=progress.show_page), index, dry_run
            ).add(sources, progress.advance)
        output.ingestion(report, as_json, dry_run=dry_run)
        exit_on_errors([*(path.error for path in unmatched if path.error), *report.errors])


@app.command()
def sync(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder with the files.")],
    index: IndexOption = "default",
    meta: MetaOption = None,
    text_column: TextColumn = None,
    title_column: TitleColumn = None,
    id_column: IdColumn = None,
    dry_run: DryRun = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running, and follow the changes of the folder until Ctrl-C.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an index match a folder.

    New files are added, changed files are replaced, and the documents of files that are gone are removed. Only
    documents that came from this folder are removed. A second run changes nothing. If the folder is empty, its
    documents are kept, as it may be unmounted.

    With --watch, a file is added once it has stopped growing.
    """
    from qa.documents.extract.tables.columns import Columns
    from qa.documents.files import InputFile
    from qa.errors import Unavailable
    from qa.indexing.ingestion import Ingestion, PathSource, find_sources
    from qa.indexing.watching import watch_folder
    from qa.reports import IngestionReport

    if watch and dry_run:
        raise typer.BadParameter("cannot be combined with --dry-run", param_hint="--watch")
    columns, fields = Columns(text_column, title_column, id_column), parse_meta(meta or [])
    with engine_session() as engine, extractor_session() as extractor:
        excluded = [engine.indexes.folder.resolve()]

        def synchronise(changed: Sequence[Path] | None = None) -> IngestionReport:
            """Sync the changed files, or the whole folder, and print the outcome."""
            if changed is None:
                sources, unmatched = find_sources([str(folder)], columns, fields, excluded)
                if unmatched:
                    # A folder that is empty or cannot be listed may be unmounted.
                    return IngestionReport(unmatched)
            else:
                sources = [PathSource(InputFile(p, explicit=False), columns, fields) for p in changed if p.is_file()]
            with progress_bar("syncing", len(sources)) as progress:
                extract = partial(extractor.extract, progress=progress.show_page)
                ingestion = Ingestion(engine.documents, extract, index, dry_run)
                report = ingestion.sync(folder, sources, progress.advance, changed)
            output.ingestion(report, as_json, dry_run=dry_run)
            sys.stdout.flush()
            return report

        if not watch:
            exit_on_errors(synchronise().errors)
            return
        with suppress(KeyboardInterrupt):
            for settled in watch_folder(folder, excluded):
                report = synchronise(settled or None)
                print_errors(report.errors)
                while busy := [Path(file.file) for file in report.files if isinstance(file.error, Unavailable)]:
                    time.sleep(_RETRY_SECONDS)
                    report = synchronise(busy)
                    print_errors(report.errors)
