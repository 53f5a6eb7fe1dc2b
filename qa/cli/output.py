"""What the command prints: for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from qa.types import DocumentInfo

if TYPE_CHECKING:
    from qa.cli.doctor import Diagnosis
    from qa.evaluation.compare import Comparison
    from qa.evaluation.runner import Evaluation
    from qa.index.verification import Verification
    from qa.indexing.ingestion import IngestionReport
    from qa.service.keys import Key
    from qa.wire.documents import UploadedOut
    from qa.wire.questions import AnswerOut, QueryResponse

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True)
_SLICES_SHOWN = 8
# Smaller slices say more about chance than about the system.
_SLICE_SHOWN = 10


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while it lasts; yields what to call with how much more is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, disable=not _err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)


def lines(texts: Sequence[str]) -> None:
    """Print lines."""
    for text in texts:
        _out.print(Text(text))


def outcome(told: Mapping[str, object], text: str, as_json: bool) -> None:
    """Print what was done, in a line."""
    if as_json:
        _json(told)
    else:
        lines([text])


def taken_in(done: IngestionReport, removed: Sequence[str], as_json: bool, *, dry_run: bool) -> None:
    """Print what became of documents."""
    if as_json:
        _json(
            [
                *(
                    {"id": a.id, "status": a.change, "passages": a.passages, "characters": a.characters}
                    for a in done.added
                ),
                *({"id": id, "status": "removed"} for id in removed),
                *({"file": str(path), "status": "skipped"} for path in done.skipped),
                *({"file": str(path), "status": "failed", "error": e.message} for path, e in done.failed.items()),
            ]
        )
        return
    if dry_run:
        notes(["nothing was written"])
    lines([f"{a.change}  {a.id}  ({a.passages} passages)" for a in done.added])
    lines([f"removed  {id}" for id in removed])
    if done.skipped:
        notes([f"{len(done.skipped)} files of formats that are not read: {done.skipped[0]}, …"])


def documents(infos: Sequence[DocumentInfo], as_json: bool) -> None:
    """Print a list of documents."""
    if as_json:
        _json([{**asdict(info), "meta": dict(info.meta)} for info in infos])
    else:
        lines([f"{i.id}  {i.title or ''}  ({i.characters} characters, {i.passages} passages)" for i in infos])


def result(found: QueryResponse, as_json: bool) -> None:
    """Print the answers to a question."""
    if as_json:
        _json(found.model_dump())
        return
    if not found.has_answer:
        _out.print("The documents do not say.")
        if found.best_guess:
            _out.print(Text(f"Best guess, {found.best_guess.confidence:.0%} sure:", style="dim"))
            _answer(found.best_guess)
    for answer in found.answers:
        _answer(answer)


def uploaded(files: Sequence[UploadedOut], as_json: bool) -> None:
    """Print what became of files that a server was given."""
    if as_json:
        _json([file.model_dump() for file in files])
        return
    lines([f"{one.status:9}  {one.id}  ({one.passages} passages)" for file in files for one in file.documents])


def keys(made: Sequence[Key], as_json: bool) -> None:
    """Print keys by what they may do."""
    if as_json:
        _json([{"name": k.name, "scope": k.scope, "index": k.index, "created_at": k.created_at} for k in made])
        return
    table = Table("name", "scope", "index", "created", box=None)
    for key in made:
        table.add_row(Text(key.name), key.scope, key.index or "all", key.created_at)
    _out.print(table)


def verification(found: Verification, as_json: bool) -> None:
    """Print what was found wrong with an index."""
    if as_json:
        _json(asdict(found))
        return
    lines([f"broken: {wrong}" for wrong in found.broken])
    lines([f"made again: {wrong}" for wrong in found.repaired])
    state = "damaged" if found.broken else "sound"
    lines(
        [f"{found.index}: {state}, revision {found.revision}, {found.documents} documents, {found.passages} passages"]
    )


def notes(texts: Sequence[str]) -> None:
    """Print what a user should know on standard error."""
    for text in texts:
        _err.print(Text(f"note: {text}", style="dim"))


def failures(texts: Sequence[str]) -> None:
    """Print which gates are missed on standard error."""
    for text in texts:
        _err.print(Text(f"missed: {text}", style="bold red"))


def reports(figures: Sequence[dict[str, Any]]) -> None:
    """Print evaluations: for each its metrics, where its errors are born, and its worst slices.

    Args:
        figures: reports of `qa.evaluation.runner`.
    """
    for f in figures:
        table = Table("metric", "", "95 % interval", title=Text(f"{f['dataset']}, {f['mode']}, {f['n']} questions"))
        for name, value in f["metrics"].items():
            if value is not None:
                table.add_row(name, f"{value:.4g}", _interval(f["intervals"].get(name)))
        for name, time in f["latency_ms"].items():
            if time is not None:
                table.add_row(f"latency {name}, ms", f"{time:.1f}", _interval(f["latency_intervals"].get(name)))
        _out.print(table)
        if f["index"] and f["index"].get("contexts_missing"):
            notes([f"{f['index']['contexts_missing']} contexts of the set are no document of the index"])
        faults = [f"{kind} {count}" for kind, count in f["faults"].items() if count]
        if faults:
            lines([f"errors: {', '.join(faults)}"])
        worst = [part for part in f["slices"] if part["n"] >= _SLICE_SHOWN][:_SLICES_SHOWN]
        lines([f"F1 {w['f1']:5.1f}  {w['by']}: {w['slice']}  ({w['n']} questions)" for w in worst])


def comparisons(found: Sequence[Comparison], tolerance: float, *, as_json: bool = False, quiet: bool = False) -> None:
    """Print what changed between evaluations; if `quiet`, only what got worse, on standard error."""
    if as_json:
        _json([{**asdict(c), "regressions": [r.measure for r in c.regressions(tolerance)]} for c in found])
        return
    for comparison in found:
        if not quiet:
            title = Text(f"{comparison.dataset}, {comparison.mode}")
            table = Table("measure", "before", "after", "difference", "p", title=title)
            for c in comparison.changes:
                table.add_row(c.measure, f"{c.before:.2f}", f"{c.after:.2f}", f"{c.difference:+.2f}", f"{c.p:.4f}")
            _out.print(table)
            lines([f"{comparison.questions} questions: {len(comparison.won)} won, {len(comparison.lost)} lost"])
        worse = [f"{comparison.dataset}, {comparison.mode}: {c.measure}" for c in comparison.regressions(tolerance)]
        failures([f"{name} fell by more than {tolerance:g} points and by more than chance" for name in worse])


def abstentions(when: str, made: Evaluation) -> None:
    """Print how many answers are given, and how far confidence is off."""
    told = []
    for answerable, words in ((True, "of the answerable are answered"), (False, "of the others too")):
        given = [row.outcome.given for row in made.rows if row.question.answerable is answerable]
        if given:
            told.append(f"{sum(given) / len(given):.0%} {words}")
    told.append(f"calibration error {made.report['metrics']['ece']:.3f}")
    lines([f"{when}: {', '.join(told)}"])


def _interval(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else ""


def diagnosis(found: Diagnosis, as_json: bool) -> None:
    """Print what an installation runs with."""
    fields = asdict(found)
    if as_json:
        _json(fields)
        return
    versions = fields.pop("versions")
    for name, value in {**fields, **versions}.items():
        shown = " ".join(value) if isinstance(value, list | tuple) else value
        lines([f"{name:28} {shown}"])


def _answer(answer: AnswerOut) -> None:
    heading = Text(answer.answer, style="bold")
    heading.append(f"  {answer.confidence:.0%} sure", style="not bold dim")
    _out.print(heading)
    start, end = answer.context_offset.start, answer.context_offset.end
    context = Text(answer.context[:start])
    context.append(answer.context[start:end], style="reverse")
    context.append(answer.context[end:])
    _out.print(context)
    if answer.document_id:
        places = [answer.title or answer.document_id, _page_and_section(answer)]
        places.append(f"characters {answer.document_offset.start} to {answer.document_offset.end}")
    else:
        places = [_page_and_section(answer)]
    if any(places):
        _out.print(Text(", ".join(filter(None, places)), style="dim"))
    _out.print()


def _page_and_section(answer: AnswerOut) -> str:
    return ", ".join(filter(None, [f"page {answer.page}" if answer.page else "", answer.section or ""]))


def _json(content: object) -> None:
    # Not through the console: it would wrap and colour.
    print(json.dumps(content, indent=1, ensure_ascii=False))
