"""`qa extract`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from qa.cli import extract_output, output
from qa.cli.options import FilterOption, IndexOption, MinConfidence, UrlOption, parse_filters
from qa.cli.progress import progress_bar
from qa.cli.sessions import client_session, engine_session, reported_errors
from qa.errors import InvalidInput
from qa.rows import ExtractedRow, NamedQuestion, name_questions

app = typer.Typer(rich_markup_mode=None)

_STDOUT = "-"


@app.command()
def extract(
    questions: Annotated[list[str] | None, typer.Argument(help="Questions in plain language.")] = None,
    file: Annotated[
        Path | None, typer.Option("--questions", help="A CSV file of questions, with the columns name and question.")
    ] = None,
    index: IndexOption = "default",
    filter: FilterOption = None,
    min_confidence: MinConfidence = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write a table to this file, or to standard output with '-'.")
    ] = None,
    url: UrlOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a row as JSON on each line.")] = False,
) -> None:
    """Ask the same questions of every document of an index.

    With --url, a running server answers.
    """
    filters = parse_filters(filter or [])
    with reported_errors():
        named = [*(_read_questions(file) if file else ()), *name_questions(questions or [])]
    if not named:
        raise typer.BadParameter("write at least one question, or use --questions FILE", param_hint="QUESTIONS")
    with client_session(url) if url else engine_session() as engine:
        rows = engine.extract(named, index=index, filters=filters, min_confidence=min_confidence)
        names = [question.name for question in named]
        if table is None:
            extract_output.rows(rows, as_json)
        elif str(table) == _STDOUT:
            extract_output.table(names, rows)
        else:
            _write_table(table, names, rows)


def _write_table(path: Path, names: Sequence[str], rows: Iterator[ExtractedRow]) -> None:
    from qa.wire.row_csv import rows_to_csv

    with path.open("w", encoding="utf-8", newline="") as file, progress_bar("documents") as bar:
        # The first line is the header.
        for number, line in enumerate(rows_to_csv(names, rows)):
            file.write(line)
            bar.advance(min(number, 1))
    output.notes([f"{output.count(number, 'row')} written to {path}"])


def _read_questions(path: Path) -> list[NamedQuestion]:
    """Return the questions of a CSV file.

    Raises:
        InvalidInput: the file is not UTF-8 or not CSV, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = {"name", "question"} - set(reader.fieldnames or ())
            if missing:
                raise InvalidInput(
                    f"{path}: no column {' or '.join(sorted(missing))}; its first line must be: name,question",
                    field=str(path),
                )
            return [NamedQuestion(line["name"] or "", line["question"] or "") for line in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path}: not a CSV file in UTF-8 ({error})", field=str(path)) from error
