"""Commands on whole indexes: `qa rebuild`, `rollback`, `export`, `import`, `purge` and `verify`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa.cli import output
from qa.cli.options import IndexOption, JsonFlag
from qa.cli.progress import progress_bar
from qa.cli.sessions import documents_session, reported_errors
from qa.config import load_settings

if TYPE_CHECKING:
    from qa.indexing.indexer import Indexer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def rebuild(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Split and embed every document of an index again.

    The new generation is built with the models of the settings. Queries and writes continue meanwhile. A rebuild that
    was interrupted resumes where it stopped. `qa rollback` returns to the previous generation.
    """
    with reported_errors():
        indexer = _open_indexer()
        with progress_bar("rebuilding", _count_documents(indexer, index)) as progress:
            live, previous = indexer.rebuild(index=index, progress=progress.advance)
        _print_generations(live, previous, as_json)


@app.command()
def rollback(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Return to the generation before the last rebuild.

    Every write since the rebuild is kept.
    """
    with reported_errors():
        indexer = _open_indexer()
        with progress_bar("rolling back", _count_documents(indexer, index)) as progress:
            live, previous = indexer.rollback(index=index, progress=progress.advance)
        _print_generations(live, previous, as_json)


def _open_indexer() -> Indexer:
    from qa.factory import build_low_priority_indexer

    return build_low_priority_indexer(load_settings())


def _count_documents(indexer: Indexer, index: str) -> int:
    with closing(indexer.indexes.open_to_rebuild(index)) as opened:
        return opened.state().documents


def _print_generations(live: int, previous: int, as_json: bool) -> None:
    text = f"generation {live} is live; generation {previous} is kept for `qa rollback`"
    output.outcome({"generation": live, "before": previous}, text, as_json)


@app.command("export")
def export_index(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    index: IndexOption = "default",
) -> None:
    """Write an index to one file, which `qa import` restores.

    The restored index has the same documents and gives the same answers.
    """
    with documents_session() as documents:
        documents.indexes.get(index).catalog.export(file)


@app.command("import")
def import_index(
    file: Annotated[Path, typer.Argument(help="A file that `qa export` wrote.")],
    index: IndexOption = "default",
    as_json: JsonFlag = False,
) -> None:
    """Create an index from a file that `qa export` wrote.

    No index of that name may exist.
    """
    with documents_session() as session:
        documents, passages = session.indexes.restore(index, file).counts()
        counts = {"documents": documents, "passages": passages}
        output.outcome(counts, f"{documents} documents, {passages} passages", as_json)


@app.command()
def purge(index: IndexOption = "default") -> None:
    """Permanently erase deleted and replaced documents from disk.

    This covers their texts, vectors, postings, ids and feedback, and the replies and uploads that a server stored.
    """
    from qa.feedback import purge_feedback
    from qa.service.jobs import Jobs
    from qa.service.service_db import ServiceDatabase

    with documents_session() as documents:
        purge_feedback(documents, index=index)
        documents.indexes.get(index).purge()
        folder = documents.indexes.folder
        # Jobs contain uploaded files, and stored replies contain the ids of documents.
        Jobs(folder).delete_ended()
        with closing(ServiceDatabase(folder)) as database:
            database.erase_replies()


@app.command()
def verify(index: IndexOption = "default", as_json: JsonFlag = False) -> None:
    """Check an index, and repair its derived files.

    Exit 1 if the catalogue is damaged.
    """
    from qa.index.verification import verify_index

    with documents_session() as documents:
        opened = documents.indexes.get(index)
        verification = verify_index(opened)
        output.verification(verification, as_json)
        if verification.broken:
            if hint := opened.catalog.restore_hint():
                typer.echo(hint, err=True)
            raise typer.Exit(1)
