from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qa import factory
from tests.cli.conftest import Run, parse
from tests.conftest import GOLDEN, golden_articles

pytestmark = pytest.mark.slow


def test_eval_writes_report_and_predictions(run: Run, tmp_path: Path) -> None:
    golden = GOLDEN / "golden.json"
    result = run("eval", golden, "--mode", "reader", "--limit", 9, "--json", "f.json", "--predictions", "p.json")
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "f.json").read_text())
    assert (figures["mode"], figures["n"]) == ("reader", 9)
    assert len(json.loads((tmp_path / "p.json").read_text())) == 9
    assert parse(run("eval", golden, "--mode", "retrieval", "--limit", 9, "--json", "-"))["metrics"]["recall@5"] > 0.5


def test_evaluates_index_and_predictions(run: Run, tmp_path: Path) -> None:
    golden = GOLDEN / "golden.json"
    assert run("add", GOLDEN / "documents").exit_code == 0
    indexed = run("eval", golden, "--index", "default", "--limit", 9, "--json", "i.json", "--predictions", "p.json")
    assert indexed.exit_code == 0, indexed.output
    scored = run("eval", golden, "--answers", "p.json", "--json", "a.json")
    assert scored.exit_code == 1
    assert "p.json: no answer for" in scored.stderr
    assert run("eval", golden, "--answers", "p.json", "--limit", 9).exit_code == 0
    questions = json.loads(golden.read_text(encoding="utf-8"))
    (tmp_path / "all.json").write_text(
        json.dumps({q["id"]: "" for a in questions["data"] for p in a["paragraphs"] for q in p["qas"]})
    )
    scored = run("eval", golden, "--answers", "all.json", "--json", "a.json", "--html", "a.html")
    assert scored.exit_code == 0, scored.output
    assert json.loads((tmp_path / "a.json").read_text())["metrics"]["no_answer_accuracy"] == 100
    assert "</html>" in (tmp_path / "a.html").read_text()


def test_check_option_asks_no_question(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = GOLDEN / "golden.json"
    upper_case = golden.read_text(encoding="utf-8")
    for context in {p["context"] for article in golden_articles() for p in article["paragraphs"]}:
        upper_case = upper_case.replace(json.dumps(context)[1:-1], json.dumps(context.upper())[1:-1])
    (tmp_path / "upper.json").write_text(json.dumps(remove_answers(json.loads(upper_case))))
    monkeypatch.setattr(factory, "build_engine", None)
    result = run("eval", golden, "upper.json", "--check")
    assert result.exit_code == 0, result.output
    assert "golden: 136 questions, 8 contexts, 40 unanswerable" in result.stdout
    assert "golden and upper share 8 contexts" in " ".join(result.stderr.split())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "golden.json").write_bytes(golden.read_bytes())
    assert run("eval", golden, "other/golden.json", "--check").exit_code == 0
    rejected = run("eval", golden, "--check", "--json", "labels.json")
    assert rejected.exit_code == 2
    assert not (tmp_path / "labels.json").exists()


def remove_answers(squad: dict[str, Any]) -> dict[str, Any]:
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                question.update(answers=[], is_impossible=True)
    return squad


def test_gates_and_baselines_decide_exit_status(run: Run, tmp_path: Path) -> None:
    (tmp_path / "golden.json").write_bytes((GOLDEN / "golden.json").read_bytes())
    gate = '[[set]]\npath = "golden.json"\nmode = "reader"\nlimit = 20\nat_least = {f1 = %s}\n'
    (tmp_path / "easy.toml").write_text(gate % 1)
    (tmp_path / "hard.toml").write_text(gate % 101)
    assert run("eval", "easy.toml", "--json", "a.json").exit_code == 0
    missed = run("eval", "hard.toml", "--json", "b.json")
    assert missed.exit_code == 3
    assert "f1 is" in missed.stderr
    assert "below the gate of 101" in missed.stderr
    assert run("eval", "easy.toml", "--baseline", "a.json").exit_code == 0
    assert run("compare", "a.json", "b.json").exit_code == 0
    worse = json.loads((tmp_path / "a.json").read_text())
    for question in worse["questions"]:
        question.update(exact_match=0.0, f1=0.0)
    (tmp_path / "worse.json").write_text(json.dumps(worse))
    assert run("compare", "worse.json", "a.json").exit_code == 0
    compared = run("compare", "a.json", "worse.json")
    assert compared.exit_code == 3
    assert "f1 fell by more than 0.5 points" in compared.stderr
    (comparison,) = json.loads(run("compare", "a.json", "worse.json", "--json").stdout)
    assert comparison["regressions"] == ["f1", "exact_match"]


def test_evaluates_documents_within_a_suite_and_prints_their_genres(run: Run, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    texts = {"a.md": "# Pool\n\nThe pool opens at 9:15.\n", "b.md": "# Lift\n\nThe lift stops at 22:40.\n"}
    articles = []
    for (file, text), question, answer in zip(
        texts.items(), ("When does the pool open?", "When does the lift stop?"), ("9:15", "22:40"), strict=True
    ):
        (tmp_path / "files" / file).write_text(text)
        labels = [{"text": answer, "answer_start": text.index(answer)}]
        entry = {"id": file, "question": question, "answers": labels, "is_impossible": False, "kind": "number"}
        paragraphs = [{"context": text, "qas": [entry]}]
        articles.append({"file": file, "genre": f"genre {file[0]}", "paragraphs": paragraphs})
    (tmp_path / "set.json").write_text(json.dumps({"data": articles}))
    arguments = ("eval", "set.json", "--mode", "within-document", "--documents", "files")
    result = run(*arguments, "--json", "a.json")
    assert result.exit_code == 0, result.output
    assert "right_given@worst_genre" in result.stdout
    assert "genre: genre a" in result.stdout
    assert "answerable: answered" in result.stdout
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["metrics"]["right_guess"] == 100
    gate = '[[set]]\npath = "set.json"\ndocuments = "files"\nmode = "within-document"\nat_least = {"%s" = 101}\n'
    (tmp_path / "hard.toml").write_text(gate % "right_guess[genre=genre b]")
    missed = run("eval", "hard.toml")
    assert missed.exit_code == 3
    assert "right_guess[genre=genre b] is 100, below the gate of 101" in " ".join(missed.stderr.split())
    assert run("eval", "set.json", "--check").exit_code == 1
    checked = run("eval", "set.json", "--check", "--documents", "files")
    assert "-set: 2 questions, 2 contexts, 0 unanswerable" in checked.stdout
