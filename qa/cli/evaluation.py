"""`qa eval` and `qa compare`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qa.cli import evaluation_output, output
from qa.cli.options import JsonFlag, Tolerance
from qa.cli.progress import progress_bar
from qa.cli.sessions import reported_errors
from qa.config import load_settings
from qa.errors import InvalidInput

if TYPE_CHECKING:
    from qa.config import Settings
    from qa.engine import Engine
    from qa.evaluation.compare import Comparison
    from qa.evaluation.datasets import Dataset
    from qa.evaluation.plan import Plan, Target
    from qa.evaluation.runner import Evaluation
    from qa.evaluation.suite import Entry

app = typer.Typer(rich_markup_mode=None)


@app.command("eval")
def evaluate(
    datasets: Annotated[
        list[Path],
        typer.Argument(help="SQuAD JSON, CSV, TSV or JSON Lines files, BEIR folders, or suites (.toml)."),
    ],
    mode: Annotated[
        str, typer.Option(help="end-to-end, within-document, evidence, reader, retrieval or reranked.")
    ] = "end-to-end",
    documents: Annotated[
        Path | None,
        typer.Option(help="Folder of the files that a data set names; by default the folder docs beside it."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of questions of each data set, evenly spaced.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report as JSON to a file, or to standard output ('-').")
    ] = None,
    figures_only: Annotated[bool, typer.Option(help="Leave the list of questions out of the JSON.")] = False,
    predictions: Annotated[Path | None, typer.Option(help="Write {question id: answer} as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Compare with an earlier --json file. Exit 3 if a measure fell.")
    ] = None,
    tolerance: Tolerance = 0.5,
    index: Annotated[
        str | None, typer.Option(help="Ask this index, instead of one built from the data set's contexts.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Ask a running server; its API key is the first of QA_API_KEYS.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score the answers of any system: a JSON file of {question id: answer}.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the labels and summarise the data sets; ask no question.")
    ] = False,
) -> None:
    """Measure answers on labelled questions.

    The report also shows which stage causes errors. Exit 3 if a gate is missed or a measure fell below the baseline.
    """
    from qa.evaluation.dataset_loading import label_warnings, summarise
    from qa.evaluation.parts import gated_metrics
    from qa.evaluation.plan import Target, list_entries, load_datasets, plan
    from qa.evaluation.report import report_html
    from qa.evaluation.systems import Mode

    if mode not in {m.value for m in Mode}:
        raise typer.BadParameter(f"{mode!r} is not one of {', '.join(Mode)}", param_hint="--mode")
    outputs = [path for path in (json_file, predictions, html) if path]
    quiet = any(str(path) == "-" for path in outputs)
    if check and any((limit, *outputs, baseline, index, url, answers)):
        raise typer.BadParameter(
            "cannot be combined with other options except --mode and --documents", param_hint="--check"
        )
    with reported_errors():
        if check:
            entries, missing = list_entries(datasets, Mode(mode), limit, documents)
            loaded = list(load_datasets(entries).values())
            output.lines([summarise(dataset) for dataset in loaded])
            output.notes([*missing, *label_warnings(loaded)])
            return
        settings = load_settings()
        target = Target(index, url, next(iter(settings.api_keys), None), answers)
        work = plan(datasets, Mode(mode), limit, target, documents)
        before = _load_baseline(baseline, work) if baseline else None
        if predictions and len(work.runs) > 1:
            raise InvalidInput("give one data set and one mode to write its answers", field="predictions")
        if predictions and not work.runs[0][0].mode.gives_answers:
            raise InvalidInput(f"mode {work.runs[0][0].mode} gives no answers to write", field="predictions")
        for path in outputs:
            _check_writable(path)
        output.notes(work.notes)
        try:
            evaluations = list(_run(work, target, settings, json_file))
        except KeyboardInterrupt:
            if json_file and str(json_file) != "-":
                output.notes(["interrupted; run the same command to resume"])
            raise
        reports = [evaluation.report for evaluation in evaluations]
        if json_file:
            figures = [{k: v for k, v in r.items() if k != "questions" or not figures_only} for r in reports]
            _write(json_file, json.dumps(figures[0] if len(figures) == 1 else figures, indent=1))
            for entry, dataset in work.runs:
                _journal(json_file, entry, dataset).unlink(missing_ok=True)
        if predictions:
            _write(predictions, json.dumps(evaluations[0].predictions, indent=1))
        if html:
            _write(html, report_html(evaluations))
        comparisons = _compare(before, reports) if before else []
        if not quiet:
            evaluation_output.reports(reports)
        evaluation_output.comparisons(comparisons, tolerance, quiet=quiet)
        missed = [
            line
            for (entry, _), report in zip(work.runs, reports, strict=True)
            for line in entry.failures(gated_metrics(report))
        ]
        evaluation_output.failures(missed)
        if missed or any(comparison.regressions(tolerance) for comparison in comparisons):
            raise typer.Exit(3)


@app.command("compare")
def compare_reports(
    before: Annotated[Path, typer.Argument(help="A file that `qa eval --json` wrote.")],
    after: Annotated[Path, typer.Argument(help="Another such file, on the same questions.")],
    tolerance: Tolerance = 0.5,
    as_json: JsonFlag = False,
) -> None:
    """Compare two evaluations of the same questions.

    Exit 3 if a measure fell by more than the tolerance and by more than chance.
    """
    from qa.evaluation.compare import load_reports

    with reported_errors():
        comparisons = _compare(load_reports(before), load_reports(after))
        evaluation_output.comparisons(comparisons, tolerance, as_json=as_json)
        if any(comparison.regressions(tolerance) for comparison in comparisons):
            raise typer.Exit(3)


def _run(work: Plan, target: Target, settings: Settings, json_file: Path | None) -> Iterator[Evaluation]:
    """Run the planned evaluations. With a JSON file, an interrupted run resumes from a journal beside that file."""
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
                progress_bar(dataset.name, count_steps(entry, dataset, target)) as progress,
                open_system(entry, dataset, target, engine, progress.advance) as system,
            ):
                yield evaluate(dataset, entry.mode, system, entry.limit, progress.advance, journal)


def _journal(json_file: Path, entry: Entry, dataset: Dataset) -> Path:
    return json_file.with_name(f"{json_file.name}.{dataset.name}.{entry.mode}.part")


def _load_baseline(path: Path, work: Plan) -> list[dict[str, Any]]:
    """Load a baseline, and check before the evaluation, which may take an hour, that its questions are the same."""
    from qa.evaluation.compare import check_same_questions, find_report, load_reports
    from qa.evaluation.systems import sample

    reports = load_reports(path)
    for entry, dataset in work.runs:
        before = {str(question["id"]) for question in find_report(reports, dataset.name, entry.mode)["questions"]}
        after = {question.id for question in sample(dataset, entry.mode, entry.limit).questions}
        check_same_questions(before, after, f"{path}: {dataset.name}, {entry.mode}")
    return reports


def _compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    from qa.evaluation.compare import compare, find_report

    return [compare(find_report(before, report["dataset"], report["mode"]), report) for report in after]


def _check_writable(path: Path) -> None:
    """Check that a file can be written; leave none behind."""
    if str(path) == "-":
        return
    is_new = not path.exists()
    path.open("a", encoding="utf-8").close()
    if is_new:
        path.unlink()


def _write(path: Path, text: str) -> None:
    from qa.index.durable import write_durably

    if str(path) == "-":
        sys.stdout.write(text + "\n")
    else:
        write_durably(path, (text + "\n").encode())
