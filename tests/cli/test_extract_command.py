from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qa import factory
from qa.cli import app
from qa.config import Settings
from qa.engine import Engine
from tests.answering.test_extraction import contract
from tests.cli.conftest import Run, parse
from tests.conftest import serving

FILE = "name,question\nfee,What is the yearly fee?\n\ncap,Is liability capped?\n"


@pytest.fixture
def run_on_contracts(word_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `qa` on three contracts, with a reader that answers with the units that share a word with the question."""
    word_engine.add([contract(n) for n in range(3)])
    (tmp_path / "questions.csv").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(factory, "build_engine", lambda _: word_engine)
    return lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)


def read_table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_prints_the_cells_of_each_document(run_on_contracts: Run) -> None:
    done = run_on_contracts("extract", "yearly fee", "liability cap", "--filter", "even=true")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:4] == [
        "Contract 0",
        "yearly fee: The yearly fee is 000 euros.  95% sure, 33-61",
        "liability cap: not found",
        "",
    ]
    assert [line for line in done.stdout.splitlines() if line.startswith("Contract")] == ["Contract 0", "Contract 2"]


def test_prints_a_row_of_json_on_each_line(run_on_contracts: Run) -> None:
    done = run_on_contracts("extract", "notice period", "--questions", "questions.csv", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["document_id"] for row in rows] == ["c00", "c01", "c02"]
    assert list(rows[0]["cells"]) == ["fee", "cap", "notice period"]
    assert rows[1]["cells"]["fee"]["answer"]["answer"] == "The yearly fee is 100 euros."


def test_writes_a_table(run_on_contracts: Run, tmp_path: Path) -> None:
    done = run_on_contracts("extract", "yearly fee", "--csv", "out.csv")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 rows written to out.csv" in done.stderr
    header, *lines = read_table((tmp_path / "out.csv").read_bytes().decode())
    assert header == [
        *("document_id", "title", "uri", "meta"),
        *("yearly fee", "yearly fee status", "yearly fee confidence", "yearly fee place"),
    ]
    assert [line[4] for line in lines] == [f"The yearly fee is {n}00 euros." for n in range(3)]
    printed = run_on_contracts("extract", "yearly fee", "--csv", "-")
    assert read_table(printed.stdout_bytes.decode()) == [header, *lines]


def test_asks_a_running_server(run_on_contracts: Run, word_engine: Engine) -> None:
    with serving(word_engine, Settings(index_dir=word_engine.indexes.folder)) as url:
        remote = run_on_contracts("extract", "yearly fee", "--json", "--url", url)
    assert remote.stdout == run_on_contracts("extract", "yearly fee", "--json").stdout != ""


def test_groups_answers_by_document(run_on_contracts: Run) -> None:
    answers = parse(run_on_contracts("ask", "yearly fee", "--group-by", "document", "--json"))["answers"]
    assert sorted(answer["document_id"] for answer in answers) == ["c00", "c01", "c02"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"question\nWhat?\n", "no column name; its first line must be: name,question"),
        (b"a;b\n1;2\n", "no column name or question"),
        (b"", "no column name or question"),
        (b"name,question\nfee,\xff\n", "not a CSV file in UTF-8"),
        (b"name,question\nfee,\n", "questions.0.question must not be blank"),
        (b"name,question\nfee,Fee?\nfee,Cap?\n", "questions.1.name 'fee' is also the name of questions.0"),
        (b"name,question\n" + b"".join(b"%d,Fee?\n" % n for n in range(33)), "must have 1 to 32 entries, got 33"),
    ],
)
def test_reports_what_is_wrong_with_a_file_of_questions(
    run_on_contracts: Run, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "wrong.csv").write_bytes(content)
    done = run_on_contracts("extract", "--questions", "wrong.csv", "--csv", "out.csv")
    assert done.exit_code == 1, done.output
    assert message in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_exit_status_says_whether_the_call_failed_or_was_wrong(run_on_contracts: Run) -> None:
    assert run_on_contracts("extract").exit_code == 2
    assert run_on_contracts("extract", "fee", "--filter", "even").exit_code == 2
    assert run_on_contracts("extract", "--questions", "missing.csv").exit_code == 1
    assert run_on_contracts("extract", "fee", "--index", "nowhere").exit_code == 1
    assert run_on_contracts("extract", "fee", "--csv", "nowhere/out.csv").exit_code == 1
    assert run_on_contracts("ask", "fee", "--group-by", "page").exit_code == 2
