from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Run, parse
from tests.conftest import GOLDEN


def test_rebuild_and_rollback_switch_generations(run: Run) -> None:
    run("add", GOLDEN / "documents")
    question = "When does the library open on Sundays?"
    before = parse(run("ask", question, "--json", "--min-confidence", 0))
    assert run("rollback").exit_code == 1
    assert run("rebuild").stdout == "generation 2 is live; generation 1 is kept for `qa rollback`\n"
    after = parse(run("ask", question, "--json", "--min-confidence", 0))
    assert after["generation"] == 2
    assert [(a["answer"], a["score"]) for a in after["answers"]] == [
        (a["answer"], a["score"]) for a in before["answers"]
    ]
    assert run("rollback").stdout == "generation 1 is live; generation 2 is kept for `qa rollback`\n"
    assert parse(run("ask", question, "--json", "--min-confidence", 0))["generation"] == 1
    assert parse(run("rollback", "--json")) == {"generation": 2, "before": 1}
    assert parse(run("rebuild", "--json")) == {"generation": 3, "before": 2}
    assert run("rebuild", "--index", "none").exit_code == 1


def test_imported_index_gives_same_answers(run: Run, tmp_path: Path) -> None:
    run("add", GOLDEN / "documents")
    run("export", "all.spanlight")
    assert all(word in (tmp_path / "all.spanlight").read_bytes() for word in (b"NATO", b"nato-iraq"))
    (added,) = parse(run("add", GOLDEN / "documents" / "nato-iraq.txt", "--json"))
    run("remove", added["id"])
    question = "When does the library open on Sundays?"
    before = parse(run("ask", question, "--json", "--min-confidence", 0))
    assert run("export", "kept.spanlight").exit_code == 0
    assert not any(word in (tmp_path / "kept.spanlight").read_bytes() for word in (b"NATO", b"nato-iraq"))
    assert run("export", "kept.spanlight").exit_code == 1
    result = run("import", "kept.spanlight", "--index", "copy")
    assert (result.exit_code, result.stdout.split()[1]) == (0, "documents,")
    after = parse(run("ask", question, "--index", "copy", "--json", "--min-confidence", 0))
    assert [(a["answer"], a["score"], a["document_offset"]) for a in after["answers"]] == [
        (a["answer"], a["score"], a["document_offset"]) for a in before["answers"]
    ]
    assert run("verify", "--index", "copy").exit_code == 0
    assert "index 'copy' already exists" in run("import", "kept.spanlight", "--index", "copy").stderr
    damaged = bytearray((tmp_path / "kept.spanlight").read_bytes())
    damaged[4096:20_000] = bytes(20_000 - 4096)
    (tmp_path / "damaged").write_bytes(damaged)
    (tmp_path / "text").write_text("no index")
    for file, script in (("foreign", "CREATE TABLE t (x)"), ("empty", "PRAGMA user_version = 2")):
        with closing(sqlite3.connect(tmp_path / file)) as connection:
            connection.execute(script)
    for file, message in (
        ("damaged", "damaged: "),
        ("text", "text: cannot be imported: damaged, or not a catalogue"),
        ("foreign", "foreign: cannot be imported: not a catalogue"),
        ("empty", "empty: cannot be imported: "),
        ("none", "none: no such file"),
    ):
        rejected = run("import", file, "--index", "other")
        assert (rejected.exit_code, message in rejected.stderr) == (1, True), rejected.stderr
    assert sorted(p.name for p in (tmp_path / "indexes").iterdir()) == ["copy", "default"]


def test_purge_erases_removed_documents_from_all_files(run: Run, tmp_path: Path) -> None:
    secret, public = "The vault code is Zanzibar.", "The kettle is blue."
    for name, text in (("vault.txt", secret), ("kitchen.txt", public), ("old.txt", "It was Zanzibar once.")):
        (tmp_path / name).write_text(text)
    ids = [document["id"] for document in parse(run("add", "vault.txt", "kitchen.txt", "old.txt", "--json"))]
    run("rebuild")
    for question, answer, text in (
        ("What is the code?", "Zanzibar", secret),
        ("Which colour?", "blue", public),
        ("What was it once?", "Zanzibar", "It was Zanzibar once."),
    ):
        entry = {"id": "x", "question": question, "answers": [{"text": answer, "answer_start": text.index(answer)}]}
        labels = {"data": [{"title": "t", "paragraphs": [{"context": text, "qas": [entry]}]}]}
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        assert run("feedback", "import", "labels.json").exit_code == 0
    run("remove", ids[0])
    (tmp_path / "old.txt").write_text("It is another one now.")
    run("add", "old.txt")
    before = parse(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))["answers"][0]

    def revealing_files() -> set[str]:
        files = [path for path in (tmp_path / "indexes").rglob("*") if path.is_file()]
        return {path.name for path in files for word in (b"anzibar", b"vault") if word in path.read_bytes()}

    assert revealing_files()
    assert run("purge").exit_code == 0
    assert revealing_files() == set()
    after = parse(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))["answers"][0]
    assert (after["answer"], after["document_offset"]) == (before["answer"], before["document_offset"])
    assert run("verify").exit_code == 0
    run("feedback", "export", "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text())["data"]) == 1
