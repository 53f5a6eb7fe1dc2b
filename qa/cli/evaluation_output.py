"""What `qa eval`, `qa compare` and `qa train reader` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from qa.cli.output import lines, notes, print_json, stderr, stdout

if TYPE_CHECKING:
    from qa.evaluation.compare import Comparison
    from qa.evaluation.runner import Evaluation

_SLICES_SHOWN = 8
# The score of a smaller slice depends more on chance than on the system.
_MIN_SLICE = 10


def failures(texts: Sequence[str]) -> None:
    """Print the quality gates that were missed on standard error."""
    for text in texts:
        stderr().print(Text(f"missed: {text}", style="bold red"))


def reports(evaluations: Sequence[dict[str, Any]]) -> None:
    """Print evaluation reports: their metrics, the stages that cause errors, and the worst slices.

    Args:
        evaluations: reports of `qa.evaluation.runner`.
    """
    for report in evaluations:
        title = Text(f"{report['dataset']}, {report['mode']}, {report['n']} questions")
        table = Table("metric", "", "95 % interval", title=title)
        for name, value in report["metrics"].items():
            if value is not None:
                table.add_row(name, f"{value:.4g}", _format_interval(report["intervals"].get(name)))
        for name, value in report["latency_ms"].items():
            if value is not None:
                interval = _format_interval(report["latency_intervals"].get(name))
                table.add_row(f"latency {name}, ms", f"{value:.1f}", interval)
        stdout().print(table)
        if report["index"] and report["index"].get("contexts_missing"):
            notes([f"{report['index']['contexts_missing']} contexts of the data set are not documents of the index"])
        faults = [f"{kind} {count}" for kind, count in report["faults"].items() if count]
        if faults:
            lines([f"errors: {', '.join(faults)}"])
        for answerable, counts in report.get("statuses", {}).items():
            lines([f"{answerable}: {', '.join(f'{status} {count}' for status, count in counts.items() if count)}"])
        if report.get("parts"):
            _print_parts(report)
            continue
        worst = [part for part in report["slices"] if part["n"] >= _MIN_SLICE][:_SLICES_SHOWN]
        lines([f"F1 {w['f1']:5.1f}  {w['by']}: {w['slice']}  ({w['n']} questions)" for w in worst])


def _print_parts(report: Mapping[str, Any]) -> None:
    """Print the metrics of each genre, kind and style; a column for each metric that any of them has."""
    parts = report["parts"]
    names = [name for name in parts[0]["metrics"] if any(part["metrics"][name] is not None for part in parts)]
    table = Table("", "n", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for part in parts:
        values = [part["metrics"][name] for name in names]
        table.add_row(
            f"{part['by']}: {part['part']}",
            str(part["n"]),
            *("" if v is None else f"{v:.{2 if v < 1 else 1}f}" for v in values),
        )
    stdout().print(table)


def comparisons(results: Sequence[Comparison], tolerance: float, *, as_json: bool = False, quiet: bool = False) -> None:
    """Print the changes between evaluations; if `quiet`, only the regressions, on standard error."""
    if as_json:
        print_json([{**asdict(c), "regressions": [r.measure for r in c.regressions(tolerance)]} for c in results])
        return
    for comparison in results:
        if not quiet:
            _print_comparison(comparison)
        worse = [f"{comparison.dataset}, {comparison.mode}: {c.measure}" for c in comparison.regressions(tolerance)]
        failures([f"{name} fell by more than {tolerance:g} points and by more than chance" for name in worse])


def _print_comparison(comparison: Comparison) -> None:
    title = Text(f"{comparison.dataset}, {comparison.mode}")
    table = Table("measure", "before", "after", "difference", "p", title=title)
    for c in comparison.changes:
        table.add_row(c.measure, f"{c.before:.2f}", f"{c.after:.2f}", f"{c.difference:+.2f}", f"{c.p:.4f}")
    stdout().print(table)
    lines([f"{comparison.questions} questions: {len(comparison.won)} won, {len(comparison.lost)} lost"])


def abstention(label: str, evaluation: Evaluation) -> None:
    """Print the shares of questions that were answered, and the calibration error."""
    parts = []
    for answerable, kind in ((True, "answerable"), (False, "unanswerable")):
        answered = [row.outcome.given for row in evaluation.rows if row.question.answerable is answerable]
        if answered:
            parts.append(f"{sum(answered) / len(answered):.0%} of the {kind} questions are answered")
    parts.append(f"calibration error {evaluation.report['metrics']['ece']:.3f}")
    lines([f"{label}: {', '.join(parts)}"])


def _format_interval(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else ""
