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

from qa.cli import output
from qa.cli.shared import JsonFlag, Tolerance, errors_reported
from qa.config import Settings, load_settings
from qa.engine import Engine
from qa.errors import InvalidInput
from qa.index.durable import write_durably

if TYPE_CHECKING:
    from qa.evaluation.compare import Comparison
    from qa.evaluation.datasets import Dataset
    from qa.evaluation.plan import Plan, Target
    from qa.evaluation.runner import Evaluation
    from qa.evaluation.suite import Entry

app = typer.Typer()


@app.command("eval")
def evaluate(
    datasets: Annotated[
        list[Path], typer.Argument(help="SQuAD JSON, CSV, TSV or JSONL files, BEIR folders, suites (.toml).")
    ],
    mode: Annotated[str, typer.Option(help="end-to-end, reader, retrieval or reranked.")] = "end-to-end",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions, spread evenly.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON ('-': print).")] = None,
    figures_only: Annotated[bool, typer.Option(help="Leave the single questions out of the JSON.")] = False,
    predictions: Annotated[Path | None, typer.Option(help="Write {question id: answer}.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report that a browser shows, in one file.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Compare with an earlier --json; exit 3 if worse.")] = None,
    tolerance: Tolerance = 0.5,
    index: Annotated[str | None, typer.Option(help="Ask this index, not the sets' own contexts.")] = None,
    url: Annotated[str | None, typer.Option(help="Ask a running server; QA_API_KEYS has its key.")] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score these answers of any system: {question id: answer}.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the labels, and say what the sets hold.")] = False,
) -> None:
    """Measure how good answers are on labelled questions, and why they fail. Exit 3 if a gate is missed."""
    from qa.evaluation.dataset_loading import label_warnings, summarise
    from qa.evaluation.plan import Target, list_entries, load_datasets, plan
    from qa.evaluation.report import report_html
    from qa.evaluation.systems import Mode

    if mode not in {m.value for m in Mode}:
        raise typer.BadParameter(f"{mode!r} is not one of {', '.join(Mode)}", param_hint="--mode")
    outputs = [path for path in (json_file, predictions, html) if path]
    quiet = any(str(path) == "-" for path in outputs)
    if check and any((limit, *outputs, baseline, index, url, answers)):
        raise typer.BadParameter(
            "labels are checked, nothing is asked: name sets and nothing else", param_hint="--check"
        )
    with errors_reported():
        if check:
            entries, absent = list_entries(datasets, Mode(mode), limit)
            loaded = list(load_datasets(entries).values())
            output.lines([summarise(dataset) for dataset in loaded])
            output.notes([*absent, *label_warnings(loaded)])
            return
        settings = load_settings()
        target = Target(index, url, next(iter(settings.api_keys), None), answers)
        work = plan(datasets, Mode(mode), limit, target)
        before = _baseline(baseline, work) if baseline else None
        if predictions and len(work.runs) > 1:
            raise InvalidInput("the answers of one set in one mode can be written, not of several", field="predictions")
        if predictions and not work.runs[0][0].mode.gives_answers:
            raise InvalidInput(f"mode {work.runs[0][0].mode} gives no answers to write", field="predictions")
        for path in outputs:
            _checked_writable(path)
        output.notes(work.notes)
        try:
            done = list(_evaluations(work, target, settings, json_file))
        except KeyboardInterrupt:
            if json_file and str(json_file) != "-":
                output.notes(["stopped; the same command goes on from here"])
            raise
        reports = [evaluation.report for evaluation in done]
        if json_file:
            kept = [{k: v for k, v in r.items() if k != "questions" or not figures_only} for r in reports]
            _write(json_file, json.dumps(kept[0] if len(kept) == 1 else kept, indent=1))
            for entry, dataset in work.runs:
                _journal(json_file, entry, dataset).unlink(missing_ok=True)
        if predictions:
            _write(predictions, json.dumps(done[0].predictions, indent=1))
        if html:
            _write(html, report_html(done))
        comparisons = _compared(before, reports) if before else []
        if not quiet:
            output.reports(reports)
        output.comparisons(comparisons, tolerance, quiet=quiet)
        missed = [
            line
            for (entry, _), report in zip(work.runs, reports, strict=True)
            for line in entry.failures(report["metrics"])
        ]
        output.failures(missed)
        if missed or any(comparison.regressions(tolerance) for comparison in comparisons):
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

    with errors_reported():
        comparisons = _compared(load_reports(before), load_reports(after))
        output.comparisons(comparisons, tolerance, as_json=as_json)
        if any(comparison.regressions(tolerance) for comparison in comparisons):
            raise typer.Exit(3)


def _evaluations(work: Plan, target: Target, settings: Settings, json_file: Path | None) -> Iterator[Evaluation]:
    """Evaluate what is planned; where figures are written, an interrupted run goes on from a journal beside them."""
    from qa.evaluation.plan import count_steps, open_system
    from qa.evaluation.runner import evaluate
    from qa.factory import build_engine

    with ExitStack() as stack:

        @cache
        def engine() -> Engine:
            return stack.enter_context(closing(build_engine(settings)))

        for entry, dataset in work.runs:
            journal = _journal(json_file, entry, dataset) if json_file and str(json_file) != "-" else None
            with (
                output.progress(dataset.name, count_steps(entry, dataset, target)) as advance,
                open_system(entry, dataset, target, engine, advance) as system,
            ):
                yield evaluate(dataset, entry.mode, system, entry.limit, advance, journal)


def _journal(json_file: Path, entry: Entry, dataset: Dataset) -> Path:
    return json_file.with_name(f"{json_file.name}.{dataset.name}.{entry.mode}.part")


def _baseline(path: Path, work: Plan) -> list[dict[str, Any]]:
    """Read a baseline, and find out now, and not after an hour, that it is of other questions."""
    from qa.evaluation.compare import check_same_questions, find_report, load_reports

    reports = load_reports(path)
    for entry, dataset in work.runs:
        known = {str(question["id"]) for question in find_report(reports, dataset.name, entry.mode)["questions"]}
        asked = {question.id for question in dataset.head(entry.limit).questions}
        check_same_questions(known, asked, f"{path}: {dataset.name}, {entry.mode}")
    return reports


def _compared(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    from qa.evaluation.compare import compare, find_report

    return [compare(find_report(before, new["dataset"], new["mode"]), new) for new in after]


def _checked_writable(path: Path) -> None:
    if str(path) == "-":
        return
    new = not path.exists()
    path.open("a", encoding="utf-8").close()
    if new:
        path.unlink()


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        sys.stdout.write(text + "\n")
    else:
        write_durably(path, (text + "\n").encode())
