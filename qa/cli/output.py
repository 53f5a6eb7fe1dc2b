"""What the commands print: text for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from qa.reports import describe_reading

if TYPE_CHECKING:
    from rich.console import Console

    from qa.index.verification import Verification
    from qa.reports import IngestionReport
    from qa.service.keys import Key
    from qa.types import DocumentInfo


# Rich takes longer to import than most commands take to run, so only coloured output loads it.
@cache
def stdout() -> Console:
    """Return the console for standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def stderr() -> Console:
    """Return the console for standard error."""
    from rich.console import Console

    return Console(stderr=True)


def styled(text: str, style: str = "") -> None:
    """Print a text as it is, without markup, in a style of Rich."""
    from rich.text import Text

    stdout().print(Text(text, style=style))


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 passage` or `2 passages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lines(texts: Sequence[str]) -> None:
    """Print lines."""
    for text in texts:
        print(text)


def notes(texts: Sequence[str]) -> None:
    """Print notes for the user on standard error."""
    from rich.text import Text

    for text in texts:
        stderr().print(Text(f"note: {text}", style="dim"), soft_wrap=True)


def outcome(fields: Mapping[str, object], text: str, as_json: bool) -> None:
    """Print the outcome of a command in one line, or its fields as JSON."""
    if as_json:
        print_json(fields)
    else:
        lines([text])


def ingestion(report: IngestionReport, as_json: bool, *, dry_run: bool = False) -> None:
    """Print the outcome of adding files, on this machine or on a server."""
    if as_json:
        print_json(
            [
                *(
                    {
                        "id": d.id,
                        "status": d.change,
                        "passages": d.passages,
                        "characters": d.characters,
                        "unread": [asdict(part) for part in d.unread],
                        "ocr_pages": list(d.ocr_pages),
                    }
                    for d in report.documents
                ),
                *({"id": id, "status": "removed"} for id in report.removed),
                *(
                    {"file": file.file, "status": "skipped", "reason": file.reason}
                    for file in report.files
                    if file.skipped
                ),
                *(
                    {"file": file.file, "status": "failed", "error": file.error.message}
                    for file in report.files
                    if file.error
                ),
            ]
        )
        return
    if dry_run:
        notes(["dry run: nothing was written"])
    lines([f"{d.change}  {d.id}  ({count(d.passages, 'passage')})" for d in report.documents])
    lines([f"removed  {id}" for id in report.removed])
    notes([f"{file.file}: {line}" for file in report.files for line in describe_reading(file)])
    notes([f"skipped {file.reason}" for file in report.files if file.skipped])


def documents(infos: Sequence[DocumentInfo], as_json: bool) -> None:
    """Print a list of documents."""
    if as_json:
        from qa.wire.convert import document_out

        print_json([document_out(info).model_dump() for info in infos])
    else:
        lines([f"{info.id}  {info.title or ''}  ({', '.join(_describe_size(info))})" for info in infos])


def _describe_size(info: DocumentInfo) -> Iterator[str]:
    yield count(info.characters, "character")
    yield count(info.passages, "passage")
    if info.unread:
        yield f"{count(len(info.unread), 'part')} not read"


def indexes(counts: Mapping[str, tuple[int, int]], as_json: bool) -> None:
    """Print indexes with their numbers of documents and passages."""
    if as_json:
        print_json([{"name": name, "documents": d, "passages": p} for name, (d, p) in counts.items()])
    else:
        lines([f"{name}  ({count(d, 'document')}, {count(p, 'passage')})" for name, (d, p) in counts.items()])


def keys(stored: Sequence[Key], as_json: bool) -> None:
    """Print keys with their scopes."""
    if as_json:
        print_json([{"name": k.name, "scope": k.scope, "index": k.index, "created_at": k.created_at} for k in stored])
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "scope", "index", "created", box=None)
    for key in stored:
        table.add_row(Text(key.name), key.scope, key.index or "all", key.created_at)
    stdout().print(table)


def verification(result: Verification, as_json: bool) -> None:
    """Print the damage found in an index, and its state."""
    if as_json:
        print_json(asdict(result))
        return
    lines([f"broken: {damage}" for damage in result.broken])
    lines([f"repaired: {damage}" for damage in result.repaired])
    state = "damaged" if result.broken else "sound"
    counts = f"revision {result.revision}, {result.documents} documents, {result.passages} passages"
    lines([f"{result.index}: {state}, {counts}"])


def fields(values: Mapping[str, object], as_json: bool) -> None:
    """Print names and values."""
    if as_json:
        print_json(values)
    else:
        lines([f"{name:28} {' '.join(value) if isinstance(value, tuple) else value}" for name, value in values.items()])


def print_json(content: object) -> None:
    """Print JSON."""
    print(json.dumps(content, indent=1, ensure_ascii=False))
