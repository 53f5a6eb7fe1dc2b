"""The command `qa`. Exit status: 0, 1 (failed), 2 (usage), 3 (a regression gate)."""

from __future__ import annotations

from typing import Any

import typer

from qa.cli import documents, evaluation, feedback, keys, training

app = typer.Typer(
    help="Answers that are exact spans of your documents, or an honest 'no answer'.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(documents.app)
app.add_typer(evaluation.app)
app.add_typer(training.app, name="train")
app.add_typer(feedback.app, name="feedback")
app.add_typer(keys.app, name="key")


def main(arguments: list[str] | None = None) -> Any:
    """Run the command."""
    return app(arguments)
