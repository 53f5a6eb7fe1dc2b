from __future__ import annotations

from pathlib import Path

import pytest

from qa import factory
from qa.cli import highlight_output, output
from qa.engine import Engine
from qa.results import Highlight, HighlightResult
from qa.types import Document, Span
from tests.cli.conftest import Run, parse

HOUSE = "# Kitchen\n\nThe kettle is blue. The cup is red.\n\n# Garden\n\nThe gate is green.\n"
QUESTION = "What colour is the kettle?"


@pytest.fixture
def run_marking(run: Run, marking: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `qa` with a reader that marks units that share a word with the question."""
    (tmp_path / "house.md").write_text(HOUSE)
    (tmp_path / "cat.txt").write_text("The cat sleeps.\n")
    monkeypatch.setattr(factory, "build_engine", lambda _: marking)
    return run


def test_prints_the_lines_with_highlights_of_each_file(run_marking: Run) -> None:
    done = run_marking("highlight", QUESTION, "house.md", "cat.txt")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == [
        "house.md",
        "The kettle is blue. The cup is red.",
        "95% sure, Kitchen, characters 9 to 28",
    ]
    assert done.stdout.endswith("cat.txt: not found\n\n")


def test_prints_json_in_the_order_of_the_files(run_marking: Run) -> None:
    results = parse(run_marking("highlight", QUESTION, "cat.txt", "house.md", "--json"))["results"]
    assert [(result["id"], result["status"]) for result in results] == [("cat.txt", "not_found"), ("house.md", "found")]
    assert [part["text"] for part in results[1]["highlights"]] == ["The kettle is blue."]


def test_prints_what_is_kept_of_a_file(run_marking: Run) -> None:
    done = run_marking("highlight", QUESTION, "house.md", "--prune")
    assert done.stdout == "Kitchen\n\nThe kettle is blue.\n\n"
    (result,) = parse(run_marking("highlight", QUESTION, "house.md", "--prune", "--json"))["results"]
    assert result["pruned_text"] == "Kitchen\n\nThe kettle is blue."
    assert f"kept {result['kept']:.0%} of the text" in done.stderr


def test_highlights_spans_with_the_shipped_reader(run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.md").write_text(HOUSE)
    options = ("--granularity", "span", "--threshold", 0, "--max-highlights", 1, "--json")
    (result,) = parse(run("highlight", QUESTION, "house.md", *options))["results"]
    assert [(part["text"], part["kind"]) for part in result["highlights"]] == [("blue", "answer")]


def test_exit_status_says_whether_the_call_failed_or_was_wrong(run_marking: Run) -> None:
    missing = run_marking("highlight", QUESTION, "missing.txt")
    assert (missing.exit_code, missing.stderr.startswith("error: missing.txt: ")) == (1, True)
    assert run_marking("highlight", " ", "cat.txt").exit_code == 1
    assert run_marking("highlight", QUESTION).exit_code == 2
    assert run_marking("highlight", QUESTION, "cat.txt", "--threshold", 2).exit_code == 2
    assert run_marking("highlight", QUESTION, "cat.txt", "--granularity", "word").exit_code == 2


@pytest.mark.parametrize("no_color", [False, True])
def test_colour_is_for_terminals_and_can_be_turned_off(
    no_color: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    output.stdout.cache_clear()
    try:
        part = Highlight(Span(4, 10), "kettle", 0.9, "answer")
        result = HighlightResult("house", "found", (part,))
        highlight_output.highlights([Document("house", "The kettle is blue.")], [result], as_json=False, prune=False)
    finally:
        output.stdout.cache_clear()
    printed = capsys.readouterr().out
    # 43 is the yellow background.
    assert (";43m" in printed) is not no_color
    assert "kettle" in printed
