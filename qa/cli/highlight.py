"""`qa highlight`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qa.cli import highlight_output, output
from qa.cli.options import JsonFlag, Question
from qa.cli.sessions import engine_session, extractor_session
from qa.reports import describe_unread
from qa.results import Granularity
from qa.types import Document
from qa.validation import MAX_TOP_K

app = typer.Typer(rich_markup_mode=None)


@app.command()
def highlight(
    question: Question,
    files: Annotated[list[Path], typer.Argument(help="Files, or '-' for standard input.")],
    granularity: Annotated[
        Granularity, typer.Option(help="Highlight sentences, list items and rows, or short spans.")
    ] = "sentence",
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Minimum score of a highlight; by default the calibrated one.")
    ] = None,
    max_highlights: Annotated[
        int, typer.Option(min=1, max=MAX_TOP_K, help="Maximum number of highlights in each file.")
    ] = 10,
    prune: Annotated[
        bool, typer.Option("--prune", help="Print each file cut down to its highlights and the headings above them.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Highlight the words of files that answer a question.

    Up to 64 files with 200,000 characters in all are read whole.
    """
    from qa.documents.files import read_text

    with engine_session() as engine:
        documents = []
        with extractor_session() as extractor:
            for file in files:
                extracted = read_text(file, extractor.extract)
                output.notes([f"{file}: {line}" for line in describe_unread(extracted.unread)])
                text, title, marks, tables = extracted.text, extracted.title, extracted.marks, extracted.tables
                documents.append(Document(str(file), text, title, marks=marks, tables=tables))
        results = engine.highlight(
            question,
            documents,
            granularity=granularity,
            threshold=threshold,
            max_highlights=max_highlights,
            prune=prune,
        )
        highlight_output.highlights(documents, results, as_json, prune=prune)
