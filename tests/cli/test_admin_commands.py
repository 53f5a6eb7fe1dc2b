from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, parse


def test_doctor_reports_versions_and_models(run: Run) -> None:
    diagnosis = parse(run("doctor", "--json"))
    assert diagnosis["reader"].startswith("spanlight-reader-int8@")
    assert diagnosis["versions"]["openvino"]


def test_creates_lists_and_revokes_keys(run: Run) -> None:
    key = run("key", "create", "desk", "--scope", "write", "--index", "books").stdout.strip()
    assert key.startswith("sl_")
    (listed,) = parse(run("key", "list", "--json"))
    assert (listed["name"], listed["scope"], listed["index"]) == ("desk", "write", "books")
    assert key not in run("key", "list", "--json").stdout
    assert "desk" in run("key", "list").stdout
    assert run("key", "revoke", "desk").exit_code == 0
    assert parse(run("key", "list", "--json")) == []
    rejected = run("key", "revoke", "desk")
    assert (rejected.exit_code, "key 'desk' not found" in rejected.stderr) == (1, True)


def test_exports_and_imports_feedback(run: Run, tmp_path: Path) -> None:
    text = "The kettle is blue."
    (tmp_path / "kitchen.txt").write_text(text)
    run("add", "kitchen.txt")
    entry = {"id": "k", "question": "What colour is it?", "answers": [{"text": "blue", "answer_start": 14}]}
    labels = {"data": [{"title": "k", "paragraphs": [{"context": text, "qas": [entry]}]}]}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    assert run("feedback", "import", "labels.json").stdout == "1 questions\n"
    assert run("feedback", "export", "out.json").exit_code == 0
    (article,) = json.loads((tmp_path / "out.json").read_text())["data"]
    (exported,) = article["paragraphs"][0]["qas"]
    assert (exported["question"], exported["answers"]) == (entry["question"], entry["answers"])
    evaluated = parse(run("eval", "out.json", "--mode", "reader", "--json", "-"))
    assert evaluated["n"] == 1
