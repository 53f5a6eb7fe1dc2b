"""How good the answers are, and whether they got worse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa import presentation as show
from qa.cli.shared import JsonFlag, Tolerance, errors_told
from qa.config import Settings, load_settings
from qa.engine import Engine

if TYPE_CHECKING:
    from qa.evaluation.plan import Plan, Target
    from qa.evaluation.runner import Evaluation

app = typer.Typer()


@app.command("eval")
def evaluate(
    datasets: Annotated[
        list[Path], typer.Argument(help="SQuAD JSON, CSV, TSV or JSONL files, BEIR folders, suites (.toml).")
    ],
    mode: Annotated[str, typer.Option(help="end-to-end, reader or retrieval.")] = "end-to-end",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions, spread evenly.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON ('-': print).")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Write {question id: answer}.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report that a browser shows, in one file.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Compare with an earlier --json; exit 3 if worse.")] = None,
    tolerance: Tolerance = 0.5,
    index: Annotated[str | None, typer.Option(help="Ask this index, not the sets' own contexts.")] = None,
    url: Annotated[str | None, typer.Option(help="Ask a running server; QA_API_KEYS has its key.")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score these answers of any system: {question id: answer}.")
    ] = None,
) -> None:
    """Measure how good answers are on labelled questions, and why they fail. Exit 3 if a gate is missed."""
    from qa.evaluation.compare import load_reports
    from qa.evaluation.plan import Target, plan
    from qa.evaluation.report import report_html
    from qa.evaluation.runner import Mode

    if mode not in {m.value for m in Mode}:
        raise typer.BadParameter(f"{mode!r} is not one of {', '.join(Mode)}", param_hint="--mode")
    with errors_told():
        settings = load_settings()
        work = plan(datasets, Mode(mode), limit)
        before = load_reports(baseline) if baseline else None
        for path in (json_file, predictions, html):
            if path and str(path) != "-":
                # Better now than after an hour.
                path.open("a", encoding="utf-8").close()
        show.notes(work.notes)
        target = Target(index, url, next(iter(settings.api_keys), None), answers)
        done = list(_evaluations(work, target, settings, json_file))
        reports = [evaluation.report for evaluation in done]
        show.reports(reports, quiet=str(json_file) == "-")
        if json_file:
            _write(json_file, json.dumps(reports[0] if len(reports) == 1 else reports, indent=1))
        if predictions:
            _write(predictions, json.dumps({k: v for e in done for k, v in e.predictions.items()}, ensure_ascii=False))
        if html:
            _write(html, report_html(done))
        missed = [
            line
            for (entry, _), report in zip(work.work, reports, strict=True)
            for line in entry.failures(report["metrics"])
        ]
        show.failures(missed)
        worse = _compared(before, reports, tolerance, as_json=False) if before else False
        if missed or worse:
            raise typer.Exit(3)


@app.command("compare")
def compare_reports(
    before: Annotated[Path, typer.Argument(help="What `qa eval --json` wrote.")],
    after: Annotated[Path, typer.Argument(help="Likewise, on the same questions.")],
    tolerance: Tolerance = 0.5,
    as_json: JsonFlag = False,
) -> None:
    """Tell what changed between two evaluations. Exit 3 if a measure fell by more than tolerance and chance."""
    from qa.evaluation.compare import load_reports

    with errors_told():
        if _compared(load_reports(before), load_reports(after), tolerance, as_json=as_json):
            raise typer.Exit(3)


def _evaluations(work: Plan, target: Target, settings: Settings, json_file: Path | None) -> Iterator[Evaluation]:
    """Evaluate what is planned; where figures are written, an interrupted run goes on from a journal beside them."""
    from qa.assembly import build_engine
    from qa.evaluation.plan import opened, steps
    from qa.evaluation.runner import evaluate

    with ExitStack() as stack:

        @cache
        def engine() -> Engine:
            return stack.enter_context(closing(build_engine(settings)))

        for entry, dataset in work.work:
            journal = None
            if json_file and str(json_file) != "-":
                journal = json_file.with_name(f"{json_file.name}.{dataset.name}.{entry.mode}.part")
            with (
                show.progress(dataset.name, steps(entry, dataset, target)) as advance,
                opened(dataset, entry.mode, target, engine, advance) as system,
            ):
                yield evaluate(dataset, entry.mode, system, entry.limit, advance, journal)


def _compared(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], tolerance: float, *, as_json: bool
) -> bool:
    """Show what changed; tell whether anything got worse."""
    from qa.evaluation.compare import compare, pairs

    comparisons = [compare(old, new) for old, new in pairs(before, after)]
    show.comparisons(comparisons, tolerance, as_json)
    return any(comparison.regressions(tolerance) for comparison in comparisons)


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text + "\n")
    else:
        path.write_text(text + "\n", encoding="utf-8")
