"""The commands of `qa` and the modules that define them, which are imported only to run a command or show its help."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Entry(NamedTuple):
    """A command in the listing.

    Attributes:
        module: the module of `qa.cli` that defines it.
        help: the first paragraph of its help.
    """

    module: str
    help: str


COMMANDS = {
    "serve": Entry("serve", "Serve the indexes over HTTP."),
    "ask": Entry("questions", "Answer a question from the documents of an index."),
    "search": Entry("questions", "Find the passages that most likely answer a question."),
    "read": Entry("questions", "Answer a question from one file, without an index."),
    "highlight": Entry("highlight", "Highlight the words of files that answer a question."),
    "verify-quote": Entry("quotations", "Find a quotation in the documents, or the nearest text."),
    "extract": Entry("extract", "Ask the same questions of every document of an index."),
    "add": Entry("files", "Add files to an index."),
    "sync": Entry("files", "Make an index match a folder."),
    "list": Entry("documents", "List the documents of an index, or all indexes."),
    "remove": Entry("documents", "Remove documents from an index, all or none."),
    "rebuild": Entry("indexes", "Split and embed every document of an index again."),
    "rollback": Entry("indexes", "Return to the generation before the last rebuild."),
    "export": Entry("indexes", "Write an index to one file, which `qa import` restores."),
    "import": Entry("indexes", "Create an index from a file that `qa export` wrote."),
    "purge": Entry("indexes", "Permanently erase deleted and replaced documents from disk."),
    "verify": Entry("indexes", "Check an index, and repair its derived files."),
    "doctor": Entry("doctor", "Show versions, models and processor; check that models load."),
    "eval": Entry("evaluation", "Measure answers on labelled questions."),
    "compare": Entry("evaluation", "Compare two evaluations of the same questions."),
    "train": Entry("training", "Train a reader on your labels, or the shipped models again."),
    "feedback": Entry("feedback", "Export and import feedback on answers as SQuAD labels."),
    "key": Entry("keys", "Manage the API keys of the service."),
}
# Commands with subcommands, such as `qa key list`.
_GROUPS = {"train", "feedback", "key"}


def load_command(name: str) -> TyperCommand | TyperGroup:
    """Import the module of a command, and return the command."""
    group = get_group(import_module(f"qa.cli.{COMMANDS[name].module}").app)
    command: Any = group if name in _GROUPS else group.commands[name]
    command.name = name
    return command  # type: ignore[no-any-return]  # the class depends on Typer's version


class LazyGroup(TyperGroup):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command that has only its name and help; None if there is no such command."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name].help) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the command and the remaining arguments."""
        name, command, remaining = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, remaining
