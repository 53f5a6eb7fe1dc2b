from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner, Result

from qa import factory
from qa.cli import app
from qa.config import Settings
from qa.engine import Engine
from tests.conftest import GOLDEN, golden_articles, serving

Run = Callable[..., Result]


@pytest.fixture
def run(shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `qa` in an empty folder; the models are loaded once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(factory, "build_engine", lambda settings: shipped.in_folder(settings.index_dir))
    return lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_from_a_file_to_an_answer(run: Run, tmp_path: Path) -> None:
    text = "The kettle is blue.\r\nThe cup is red.\r\n"
    (tmp_path / "kitchen.txt").write_bytes(text.encode())
    (added,) = parsed(run("add", "kitchen.txt", "--json"))
    assert added["status"] == "created"
    assert parsed(run("add", "kitchen.txt", "--json"))[0]["status"] == "unchanged"
    result = parsed(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))
    answer = result["answers"][0]
    assert answer["answer"] == "blue"
    assert text[answer["document_offset"]["start"] : answer["document_offset"]["end"]] == "blue"
    assert "blue" in run("ask", "What colour is the kettle?", "--min-confidence", 0).stdout
    assert [d["id"] for d in parsed(run("list", "--json"))] == [added["id"]]
    assert run("verify").exit_code == 0
    assert run("remove", added["id"]).exit_code == 0
    assert parsed(run("list", "--json")) == []


def test_a_changed_file_replaces_itself(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The kettle is blue.")
    run("add", path)
    path.write_text("The kettle is green.")
    assert parsed(run("add", path, "--json"))[0]["status"] == "replaced"
    assert len(parsed(run("list", "--json"))) == 1


def test_samples_are_added_to_an_empty_index_only(run: Run) -> None:
    documents = GOLDEN / "documents"
    assert len(parsed(run("add", "--if-empty", documents / "nato-iraq.txt", "--json"))) == 1
    assert parsed(run("add", "--if-empty", documents, "--json")) == []
    assert len(parsed(run("list", "--json"))) == 1


def test_one_bad_file_stops_no_other(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.md").write_text("# Kitchen\n\nThe kettle is blue.")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    done = run("add", folder, "nowhere.txt", "--json", "--meta", "year=2020", "--meta", "source=a=b")
    assert done.exit_code == 1
    assert [d["status"] for d in json.loads(done.stdout)] == ["created", "skipped", "failed"]
    assert "bad.pdf: not a PDF, or damaged" in done.stderr
    assert "nowhere.txt: No such file" in done.stderr
    assert "photo.png" not in done.stderr
    (listed,) = parsed(run("list", "--json"))
    assert listed["meta"] == {"year": 2020, "source": "a=b"}
    assert run("add", folder / "photo.png").exit_code == 1
    assert "'year' is not NAME=VALUE" in run("add", folder, "--meta", "year").stderr


def test_an_answer_tells_its_section(run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.md").write_text("# Kitchen\n\nThe kettle is blue.\n\n# Garden\n\nThe gate is green.\n")
    run("add", "house.md")
    question = "What colour is the gate?"
    for asked in (run("ask", question, "--json", "--min-confidence", 0), run("read", "house.md", question, "--json")):
        result = parsed(asked)
        best = result["answers"][0] if result["answers"] else result["best_guess"]
        assert (best["answer"], best["section"], best["page"]) == ("green", "Garden", None)
    assert "house.md, Garden, characters" in run("ask", question, "--min-confidence", 0).stdout.replace(
        "Kitchen,", "house.md,"
    )


def test_an_answer_from_a_pdf_tells_its_page(run: Run, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "house.pdf"))
    for words in ("The kettle is blue.", "The gate is green."):
        canvas.drawString(80, 700, words)
        canvas.showPage()
    canvas.save()
    run("add", "house.pdf")
    for question, expected in (("What colour is the kettle?", ("blue", 1)), ("What colour is the gate?", ("green", 2))):
        for asked in (("ask", question), ("read", "house.pdf", question)):
            best = parsed(run(*asked, "--json", "--min-confidence", 0))["answers"][0]
            assert (best["answer"], best["page"]) == expected


def test_sync_brings_an_index_to_what_a_folder_holds(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("keep.txt", "change.txt", "go.txt"):
        (folder / name).write_text(f"The {name} is here.")
    (folder / "rows.csv").write_text("id,text\nr1,One row.\nr2,Another row.\n")
    (tmp_path / "other.txt").write_text("Not of the folder.")
    run("add", "other.txt")
    assert {d["status"] for d in parsed(run("sync", "docs", "--json"))} == {"created"}
    assert {d["status"] for d in parsed(run("sync", "docs", "--json"))} == {"unchanged"}
    (folder / "change.txt").write_text("It has changed.")
    (folder / "go.txt").unlink()
    (folder / "new.txt").write_text("It is new.")
    (folder / "rows.csv").write_text("id,text\nr2,Another row.\n")
    told = {d["id"].rsplit("-", 1)[0]: d["status"] for d in parsed(run("sync", "docs", "--json", "--dry-run"))}
    assert told == {
        "keep.txt": "unchanged",
        "change.txt": "replaced",
        "new.txt": "created",
        "r2": "unchanged",
        "go.txt": "removed",
        "r1": "removed",
    }
    before = {d["id"] for d in parsed(run("list", "--json"))}
    assert len(before) == 6
    again = {d["id"].rsplit("-", 1)[0]: d["status"] for d in parsed(run("sync", "docs", "--json"))}
    assert again == told
    names = sorted(d["id"].rsplit("-", 1)[0] for d in parsed(run("list", "--json")))
    assert names == ["change.txt", "keep.txt", "new.txt", "other.txt", "r2"]


def test_a_link_that_points_nowhere_is_told(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("It is here.")
    (folder / "b.txt").symlink_to(tmp_path / "b.txt")
    (tmp_path / "b.txt").write_text("It is elsewhere.")
    run("sync", "docs")
    (tmp_path / "b.txt").unlink()
    for command in ("add", "sync"):
        done = run(command, "docs")
        assert (done.exit_code, f"{folder}/b.txt: No such file" in done.stderr) == (1, True)
    assert len(parsed(run("list", "--json"))) == 2


def test_sync_keeps_what_came_from_a_file_that_cannot_be_read_now(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.csv").write_text("id,text\nr1,One row.\n")
    run("sync", "docs")
    (folder / "a.csv").write_text("id,text\nr1,One row,too many,fields\n")
    done = run("sync", "docs", "--json")
    assert done.exit_code == 1
    assert "row 1: more fields" in done.stderr
    assert [d["id"] for d in parsed(run("list", "--json"))] == ["r1"]
    (folder / "a.csv").write_bytes(b"id,text\0")
    run("sync", "docs")
    (folder / "a.csv").unlink()
    assert "no files in this folder" in run("sync", "docs").stderr
    assert [d["id"] for d in parsed(run("list", "--json"))] == ["r1"]


def test_rows_of_two_files_do_not_share_an_id(run: Run, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"id,text\n1,That is {name}.\n")
    done = run("add", "a.csv", "b.csv")
    assert done.exit_code == 1
    assert "b.csv: id '1' is that of a document in" in done.stderr
    assert len(parsed(run("list", "--json"))) == 1


def test_rebuild_and_rollback(run: Run) -> None:
    run("add", GOLDEN / "documents")
    question = "When does the library open on Sundays?"
    before = parsed(run("ask", question, "--json", "--min-confidence", 0))
    assert run("rollback").exit_code == 1
    assert run("rebuild").stdout == "generation 2 answers, 1 is kept\n"
    after = parsed(run("ask", question, "--json", "--min-confidence", 0))
    assert after["generation"] == 2
    assert [(a["answer"], a["score"]) for a in after["answers"]] == [
        (a["answer"], a["score"]) for a in before["answers"]
    ]
    assert run("rollback").stdout == "generation 1 answers, 2 is kept\n"
    assert parsed(run("ask", question, "--json", "--min-confidence", 0))["generation"] == 1
    assert parsed(run("rollback", "--json")) == {"generation": 2, "before": 1}
    assert parsed(run("rebuild", "--json")) == {"generation": 3, "before": 2}
    assert run("rebuild", "--index", "none").exit_code == 1


def test_an_exported_index_gives_the_same_answers_where_it_is_imported(run: Run, tmp_path: Path) -> None:
    run("add", GOLDEN / "documents")
    run("export", "all.spanlight")
    assert all(word in (tmp_path / "all.spanlight").read_bytes() for word in (b"NATO", b"nato-iraq"))
    (gone,) = parsed(run("add", GOLDEN / "documents" / "nato-iraq.txt", "--json"))
    run("remove", gone["id"])
    question = "When does the library open on Sundays?"
    before = parsed(run("ask", question, "--json", "--min-confidence", 0))
    assert run("export", "kept.spanlight").exit_code == 0
    assert not any(word in (tmp_path / "kept.spanlight").read_bytes() for word in (b"NATO", b"nato-iraq"))
    assert run("export", "kept.spanlight").exit_code == 1
    done = run("import", "kept.spanlight", "--index", "copy")
    assert (done.exit_code, done.stdout.split()[1]) == (0, "documents,")
    after = parsed(run("ask", question, "--index", "copy", "--json", "--min-confidence", 0))
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
    for file, says in (
        ("damaged", "damaged: "),
        ("text", "text: cannot be imported: damaged, or not a catalogue"),
        ("foreign", "foreign: cannot be imported: not a catalogue"),
        ("empty", "empty: cannot be imported: "),
        ("none", "none: no such file"),
    ):
        refused = run("import", file, "--index", "other")
        assert (refused.exit_code, says in refused.stderr) == (1, True), refused.stderr
    assert sorted(p.name for p in (tmp_path / "indexes").iterdir()) == ["copy", "default"]


def test_read_a_file_or_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The kettle is blue.")
    question = "What colour is the kettle?"
    assert parsed(run("read", "a.txt", question, "--json", "--min-confidence", 0))["answers"][0]["answer"] == "blue"
    piped = run("read", "-", question, "--json", "--min-confidence", 0, input="The kettle is red.")
    assert parsed(piped)["answers"][0]["answer"] == "red"
    assert not (tmp_path / "indexes").exists()


def test_evaluation_writes_figures_and_predictions(run: Run, tmp_path: Path) -> None:
    golden = GOLDEN / "golden.json"
    done = run("eval", golden, "--mode", "reader", "--limit", 9, "--json", "f.json", "--predictions", "p.json")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text())
    assert (figures["mode"], figures["n"]) == ("reader", 9)
    assert len(json.loads((tmp_path / "p.json").read_text())) == 9
    assert parsed(run("eval", golden, "--mode", "retrieval", "--limit", 9, "--json", "-"))["metrics"]["recall@5"] > 0.5


def test_evaluation_of_an_index_and_of_predictions(run: Run, tmp_path: Path) -> None:
    golden = GOLDEN / "golden.json"
    assert run("add", GOLDEN / "documents").exit_code == 0
    asked = run("eval", golden, "--index", "default", "--limit", 9, "--json", "i.json", "--predictions", "p.json")
    assert asked.exit_code == 0, asked.output
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


def test_labels_are_checked_without_asking_anything(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = GOLDEN / "golden.json"
    shouted = golden.read_text(encoding="utf-8")
    for context in {p["context"] for article in golden_articles() for p in article["paragraphs"]}:
        shouted = shouted.replace(json.dumps(context)[1:-1], json.dumps(context.upper())[1:-1])
    (tmp_path / "shouted.json").write_text(json.dumps(without_answers(json.loads(shouted))))
    monkeypatch.setattr(factory, "build_engine", None)
    checked = run("eval", golden, "shouted.json", "--check")
    assert checked.exit_code == 0, checked.output
    assert "golden: 136 questions, 8 contexts, 40 unanswerable" in checked.stdout
    assert "golden and shouted share 8 contexts" in " ".join(checked.stderr.split())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "golden.json").write_bytes(golden.read_bytes())
    assert run("eval", golden, "other/golden.json", "--check").exit_code == 0
    refused = run("eval", golden, "--check", "--json", "labels.json")
    assert refused.exit_code == 2
    assert not (tmp_path / "labels.json").exists()


def without_answers(squad: dict[str, Any]) -> dict[str, Any]:
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                question.update(answers=[], is_impossible=True)
    return squad


def test_gates_and_baselines_decide_the_exit_status(run: Run, tmp_path: Path) -> None:
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
    (made,) = json.loads(run("compare", "a.json", "worse.json", "--json").stdout)
    assert made["regressions"] == ["f1", "exact_match"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["ask", " "], 1, "question: the question is blank"),
        (["ask", "x" * 100_000], 1, "at most 2,000 characters"),
        (["ask", "Who?"], 1, "index 'default' not found"),
        (["ask", "Who?", "--index", "../x"], 1, "index: a name has"),
        (["ask", "Who?", "--top-k", "-1"], 2, "--top-k"),
        (["ask", "Who?", "--top-k", "100000"], 2, "--top-k"),
        (["ask"], 2, "question"),
        (["ask", "Who?", "--colour", "red"], 2, "--colour"),
        (["add", "none.txt"], 1, "none.txt: No such file"),
        (["add", "n" * 300], 1, "File name too long"),
        (["add", "old.doc"], 1, "old.doc: .doc files are not supported; convert it"),
        (["add", "good.txt", "--meta", "=x"], 2, "'=x' is not NAME=VALUE"),
        (["sync", "none"], 2, "none"),
        (["add", "binary.bin"], 1, "binary.bin: binary file, not text"),
        (["add", "blank.txt"], 1, "blank.txt: the document has no text"),
        (["add", "empty"], 1, "empty: no files in this folder"),
        (["read", "none.txt", "Who?"], 1, "none.txt: No such file"),
        (["read", "old.doc", "Who?"], 1, "old.doc: .doc files are not supported"),
        (["remove", "none"], 1, "index 'default' not found"),
        (["list", "--index", "none"], 1, "index 'none' not found"),
        (["verify"], 1, "index 'default' not found"),
        (["eval", "none.json"], 1, "none.json: No such file"),
        (["eval", "good.txt"], 1, "good.txt: not a SQuAD JSON file"),
        (["eval", "good.txt", "--baseline", "none.json"], 1, "good.txt: not a SQuAD JSON file"),
        (["eval", str(GOLDEN / "golden.json"), "--baseline", "good.txt"], 1, "good.txt: not JSON"),
        (["eval", str(GOLDEN / "golden.json"), "--index", "none"], 1, "index 'none' not found"),
        (
            ["eval", str(GOLDEN / "golden.json"), "--mode", "retrieval", "--predictions", "p.json"],
            1,
            "predictions: mode retrieval gives no answers to write",
        ),
        (["eval", str(GOLDEN / "golden.json"), "--url", "http://127.0.0.1:1"], 1, "http://127.0.0.1:1"),
        (["eval", str(GOLDEN / "golden.json"), "--index", "x", "--mode", "reader"], 1, "mode: with an index or a server"),
        (["eval", str(GOLDEN / "golden.json"), "--index", "x", "--answers", "a"], 1, "answers: cannot be combined"),
        (
            ["eval", str(GOLDEN / "golden.json"), "--mode", "reranked", "--answers", "a"],
            1,
            "a predictions file has no rankings",
        ),
        (["eval", "empty.toml"], 1, "empty.toml: nothing to evaluate"),
        (["compare", "none.json", "good.txt"], 1, "none.json: No such file"),
        (["eval", "good.txt", "--mode", "other"], 2, "--mode"),
    ],
)
def test_bad_input(run: Run, tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    (tmp_path / "good.txt").write_text("Good text.")
    (tmp_path / "empty.toml").write_text('[[set]]\npath = "none.json"\nmode = "reader"\noptional = true\n')
    (tmp_path / "old.doc").write_bytes(b"\xd0\xcf")
    (tmp_path / "binary.bin").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == status
    assert says in result.stderr
    assert not (tmp_path / "indexes").exists()


def test_bad_settings_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_PORT", "no")
    result = run("ask", "Who?")
    assert (result.exit_code, "QA_PORT" in result.stderr) == (1, True)
    monkeypatch.delenv("QA_PORT")
    monkeypatch.setenv("QA_STORE", "postgresql://x")
    assert "QA_STORE" in run("ask", "Who?").stderr


def test_a_settings_file_that_cannot_be_used_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spanlight.toml").write_text("port = ")
    assert "not TOML" in run("ask", "Who?").stderr
    (tmp_path / "spanlight.toml").write_text("colour = 1")
    assert "QA_COLOUR" in run("ask", "Who?").stderr
    monkeypatch.setenv("QA_CONFIG", "none.toml")
    assert "none.toml: no such file" in run("ask", "Who?").stderr
    monkeypatch.delenv("QA_CONFIG")
    (tmp_path / "spanlight.toml").unlink()
    monkeypatch.setenv("QA_API_KEYS", " , ")
    assert "leave the server open" in run("ask", "Who?").stderr


def test_doctor_tells_what_it_runs_with(run: Run) -> None:
    found = parsed(run("doctor", "--json"))
    assert found["reader"].startswith("spanlight-reader-int8@")
    assert found["versions"]["openvino"]


def test_keys_are_made_listed_and_revoked(run: Run) -> None:
    made = run("key", "create", "desk", "--scope", "write", "--index", "books").stdout.strip()
    assert made.startswith("sl_")
    (listed,) = parsed(run("key", "list", "--json"))
    assert (listed["name"], listed["scope"], listed["index"]) == ("desk", "write", "books")
    assert made not in run("key", "list", "--json").stdout
    assert "desk" in run("key", "list").stdout
    assert run("key", "revoke", "desk").exit_code == 0
    assert parsed(run("key", "list", "--json")) == []
    refused = run("key", "revoke", "desk")
    assert (refused.exit_code, "key 'desk' not found" in refused.stderr) == (1, True)


def test_the_server_does_not_listen_to_others_without_a_key(run: Run) -> None:
    refused = run("serve", "--host", "0.0.0.0")
    assert (refused.exit_code, "host: 0.0.0.0 can be reached" in refused.stderr) == (1, True)


def test_feedback_goes_out_and_in(run: Run, tmp_path: Path) -> None:
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
    evaluated = parsed(run("eval", "out.json", "--mode", "reader", "--json", "-"))
    assert evaluated["n"] == 1


def test_a_running_server_is_asked_and_given_files(run: Run, shipped: Engine, tmp_path: Path) -> None:
    engine = shipped.in_folder(tmp_path / "elsewhere")
    engine.indexes.get_or_create("default")
    (tmp_path / "kitchen.md").write_text("# Kitchen\n\nThe kettle is blue.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url:
        added = run("add", "kitchen.md", "broken.pdf", "--url", url)
        assert (added.exit_code, "created" in added.stdout, "broken.pdf" in added.stderr) == (1, True, True)
        assert parsed(run("add", "kitchen.md", "--url", url, "--json"))[0]["documents"][0]["status"] == "unchanged"
        question = ("ask", "What colour is the kettle?", "--min-confidence", 0)
        over_http, text = parsed(run(*question, "--url", url, "--json")), run(*question, "--url", url).stdout
        answer = over_http["answers"][0]
        assert (answer["answer"], answer["section"]) == ("blue", "Kitchen")
        assert "blue" in text
        refused = run("ask", "Who?", "--url", url, "--index", "nowhere")
        assert (refused.exit_code, "index 'nowhere' not found" in refused.stderr) == (1, True)
        assert run("add", "kitchen.md", "--url", url, "--meta", "a=b").exit_code == 2
        # The server would take the second for the first.
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "kitchen.md").write_text("Another kitchen.")
        (tmp_path / "other" / "pan.txt").write_text("The pan is red.")
        doubled = run("add", "kitchen.md", "other", "-", "--url", url)
        assert (doubled.exit_code, "pan.txt-" in doubled.stdout) == (1, True)
        assert "has the name of" in doubled.stderr
        assert "standard input" in doubled.stderr
        assert len(engine.documents()) == 2
    # Nothing was done here.
    assert not (tmp_path / "indexes").exists()


def test_what_was_removed_leaves_every_file(run: Run, tmp_path: Path) -> None:
    secret, kept = "The vault code is Zanzibar.", "The kettle is blue."
    for name, text in (("vault.txt", secret), ("kitchen.txt", kept), ("old.txt", "It was Zanzibar once.")):
        (tmp_path / name).write_text(text)
    ids = [one["id"] for one in parsed(run("add", "vault.txt", "kitchen.txt", "old.txt", "--json"))]
    run("rebuild")
    for question, answer, text in (
        ("What is the code?", "Zanzibar", secret),
        ("Which colour?", "blue", kept),
        ("What was it once?", "Zanzibar", "It was Zanzibar once."),
    ):
        entry = {"id": "x", "question": question, "answers": [{"text": answer, "answer_start": text.index(answer)}]}
        labels = {"data": [{"title": "t", "paragraphs": [{"context": text, "qas": [entry]}]}]}
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        assert run("feedback", "import", "labels.json").exit_code == 0
    run("remove", ids[0])
    (tmp_path / "old.txt").write_text("It is another one now.")
    run("add", "old.txt")
    before = parsed(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))["answers"][0]

    def telling() -> set[str]:
        files = [path for path in (tmp_path / "indexes").rglob("*") if path.is_file()]
        return {path.name for path in files for word in (b"anzibar", b"vault") if word in path.read_bytes()}

    assert telling()
    assert run("purge").exit_code == 0
    assert telling() == set()
    after = parsed(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))["answers"][0]
    assert (after["answer"], after["document_offset"]) == (before["answer"], before["document_offset"])
    assert run("verify").exit_code == 0
    run("feedback", "export", "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text())["data"]) == 1
