"""The command line as a whole: help, version, completion, output streams and usage errors."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qa import __version__
from qa.cli.commands import COMMANDS, load_command
from qa.engine import Engine
from qa.types import Document
from tests.cli.conftest import Run

QA = str(Path(sys.executable).with_name("qa"))


def run_shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with bash, in which `$QA` is the command."""
    variables = {**os.environ, "QA": QA, "QA_INDEX_DIR": str(folder / "indexes"), **environment}
    command = ["bash", "-c", f"set -o pipefail; {script}"]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_prints_version(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"spanlight {__version__}\n")


def test_listing_agrees_with_help_of_each_command(run: Run) -> None:
    listing = run("--help").stdout
    for name, entry in COMMANDS.items():
        help = load_command(name).help
        assert help is not None
        assert help.split("\n\n")[0] == entry.help
        assert f"{name}  " in listing
        assert entry.help in listing


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["ask"], ["train"], ["train", "reader"], ["key", "list"], ["serve"]])
def test_help_option_works_everywhere(run: Run, command: list[str], option: str) -> None:
    result = run(*command, option)
    assert (result.exit_code, result.stdout.splitlines()[0].startswith("Usage: ")) == (0, True)
    assert "-h, --help" in result.stdout


def test_unknown_command_is_a_usage_error(run: Run) -> None:
    result = run("aks", "Who?")
    assert (result.exit_code, "No such command 'aks'" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "position", "completions"),
    [
        ("qa re", 1, ["read", "remove", "rebuild"]),
        ("qa key ", 2, ["create", "list", "revoke"]),
        ("qa ask --fi", 2, ["--filter"]),
    ],
)
def test_completes_commands_and_options(tmp_path: Path, words: str, position: int, completions: list[str]) -> None:
    variables = {"_QA_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    assert run_shell("$QA", tmp_path, **variables).stdout.split() == completions


def test_shows_completion_script(tmp_path: Path) -> None:
    result = run_shell("$QA --show-completion; exit $?", tmp_path)
    assert (result.returncode, "complete -o default" in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize("command", ["list", "list --json", "list --indexes", "--help", "key list"])
def test_closed_pipe_ends_quietly(engine: Engine, tmp_path: Path, command: str) -> None:
    # More output than fits into a pipe's buffer, so that the command writes after `true` has ended.
    engine.add([Document(f"document-{number}", "Text.", "t" * 900) for number in range(100)])
    result = run_shell(f"$QA {command} | true", tmp_path)
    assert result.stderr == ""
    assert result.returncode in (0, 1)


def test_full_disk_is_reported_in_one_line(tmp_path: Path) -> None:
    result = run_shell("$QA --version > /dev/full", tmp_path)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_respects_no_color(tmp_path: Path) -> None:
    script = f"{sys.executable} -c \"from qa.cli.evaluation_output import failures; failures(['f1'])\""
    coloured = run_shell(script, tmp_path, FORCE_COLOR="1", NO_COLOR="", TERM="xterm")
    plain = run_shell(script, tmp_path, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")
    assert "31m" in coloured.stderr
    assert "31m" not in plain.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["reader", "--data", "d", "--work", "w", "--out", "o"],
        ["embedder", "--data", "d", "--work", "w", "--out", "o"],
        ["average", "a", "b", "--data", "d", "--work", "w", "--out", "o"],
        ["calibration", "--data", "d", "--reader", "r"],
    ],
    ids=lambda command: command[0],
)
def test_train_names_missing_extra(run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    real_import = builtins.__import__

    def import_without_training(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("qa.training."):
            raise ModuleNotFoundError("No module named 'nncf'", name="nncf")
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", import_without_training)
    result = run("train", *command)
    assert result.exit_code == 1
    assert result.stderr == "error: training needs nncf; run `pip install 'spanlight[training]'`\n"
