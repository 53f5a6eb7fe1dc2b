"""What the commands print: text for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from qa.reports import describe_reading
from qa.types import mark_at

if TYPE_CHECKING:
    from rich.console import Console

    from qa.index.verification import Verification
    from qa.reports import IngestionReport
    from qa.results import Answer, Hit, QueryResult, SearchResult
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


def _print(text: str, style: str = "") -> None:
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


def answers(result: QueryResult, as_json: bool) -> None:
    """Print the answers to a question."""
    if as_json:
        from qa.wire.convert import query_response

        print_json(query_response(result).model_dump())
        return
    if not result.has_answer:
        lines(["The documents do not say."])
        if result.best_guess:
            _print("Best guess:", style="dim")
            _print_answer(result.best_guess)
    for answer in result.answers:
        _print_answer(answer)


def passages(question: str, index: str, result: SearchResult, as_json: bool) -> None:
    """Print the passages that a search found."""
    if as_json:
        from qa.wire.convert import search_response

        print_json(search_response(question, index, result).model_dump())
        return
    if not result.hits:
        lines(["No passages found."])
    for hit in result.hits:
        _print_passage(hit)


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


def _print_answer(answer: Answer) -> None:
    from rich.text import Text

    heading = Text(answer.text, style="bold")
    heading.append(f"  {answer.confidence:.0%} sure", style="not bold dim")
    stdout().print(heading)
    start, end = answer.context_span.start, answer.context_span.end
    context = Text(answer.context[:start])
    context.append(answer.context[start:end], style="reverse")
    context.append(answer.context[end:])
    stdout().print(context)
    characters = f"characters {answer.span.start} to {answer.span.end}"
    _print_location(
        [
            answer.title or answer.document_id,
            f"page {answer.page}" if answer.page else "",
            answer.section or "",
            f"cell {answer.cell}" if answer.cell else "",
            characters if answer.document_id else "",
            "recognised text (OCR)" if answer.ocr else "",
        ]
    )


def _print_passage(hit: Hit) -> None:
    passage = hit.passage
    _print(f"score {hit.score:.3f}", style="bold")
    _print(passage.text)
    mark = mark_at(passage.marks, passage.span.start)
    _print_location(
        [
            hit.title or passage.document_id,
            f"page {mark.page}" if mark and mark.page else "",
            mark.section or "" if mark else "",
            f"characters {passage.span.start} to {passage.span.end}",
        ]
    )


def _print_location(parts: Sequence[str]) -> None:
    """Print the location of a text in its document, then an empty line."""
    if any(parts):
        _print(", ".join(filter(None, parts)), style="dim")
    lines([""])


def print_json(content: object) -> None:
    """Print JSON."""
    print(json.dumps(content, indent=1, ensure_ascii=False))
