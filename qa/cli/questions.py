"""`qa ask`, `qa search` and `qa read`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qa.cli import answer_output, output
from qa.cli.options import FilterOption, IndexOption, JsonFlag, MinConfidence, Question, TopK, UrlOption, parse_filters
from qa.cli.sessions import client_session, engine_session, extractor_session
from qa.reports import describe_unread

app = typer.Typer(rich_markup_mode=None)


@app.command()
def ask(
    question: Question,
    index: IndexOption = "default",
    top_k: TopK = 3,
    filter: FilterOption = None,
    min_confidence: MinConfidence = None,
    group_by: Annotated[
        Literal["document"] | None,
        typer.Option("--group-by", help="document: print the best answer of each of the best documents."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from the documents of an index.

    With --url, a running server answers.
    """
    filters = parse_filters(filter or [])
    with client_session(url) if url else engine_session() as engine:
        result = engine.ask(
            question, index=index, top_k=top_k, filters=filters, min_confidence=min_confidence, group_by=group_by
        )
        answer_output.answers(result, as_json)


@app.command()
def search(
    question: Question,
    index: IndexOption = "default",
    top_k: TopK = 10,
    filter: FilterOption = None,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Reorder the first passages with the reader, which is slower.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Find the passages that most likely answer a question.

    With --url, a running server searches.
    """
    filters = parse_filters(filter or [])
    with client_session(url) if url else engine_session() as engine:
        result = engine.search(question, index=index, top_k=top_k, filters=filters, rerank=rerank)
        answer_output.passages(question, index, result, as_json)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="A file, or '-' for standard input.")],
    question: Question,
    top_k: TopK = 3,
    min_confidence: MinConfidence = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a question from one file, without an index."""
    from qa.documents.files import read_text

    with engine_session() as engine:
        with extractor_session() as extractor:
            extracted = read_text(file, extractor.extract)
        result = engine.read(
            question,
            extracted.text,
            top_k=top_k,
            min_confidence=min_confidence,
            marks=extracted.marks,
            boxes=extracted.boxes,
            tables=extracted.tables,
        )
        output.notes([f"{file}: {line}" for line in describe_unread(extracted.unread)])
        answer_output.answers(result, as_json)
