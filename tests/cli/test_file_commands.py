from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from qa.config import Settings
from qa.engine import Engine
from tests.cli.conftest import Run, parse
from tests.conftest import GOLDEN, serving
from tests.service.test_file_downloads import MANUAL


def test_add_replaces_changed_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The kettle is blue.")
    run("add", path)
    path.write_text("The kettle is green.")
    assert parse(run("add", path, "--json"))[0]["status"] == "replaced"
    assert len(parse(run("list", "--json"))) == 1


def test_if_empty_adds_to_empty_index_only(run: Run) -> None:
    documents = GOLDEN / "documents"
    assert len(parse(run("add", "--if-empty", documents / "nato-iraq.txt", "--json"))) == 1
    assert parse(run("add", "--if-empty", documents, "--json")) == []
    assert len(parse(run("list", "--json"))) == 1


def test_unreadable_file_does_not_stop_others(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.md").write_text("# Kitchen\n\nThe kettle is blue.")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    result = run("add", folder, "nowhere.txt", "--json", "--meta", "year=2020", "--meta", "source=a=b")
    assert result.exit_code == 1
    assert [d["status"] for d in json.loads(result.stdout)] == ["created", "skipped", "failed"]
    assert "bad.pdf: not a PDF, or damaged" in result.stderr
    assert "nowhere.txt: No such file" in result.stderr
    assert "photo.png" not in result.stderr
    (listed,) = parse(run("list", "--json"))
    assert listed["meta"] == {"year": 2020, "source": "a=b"}
    assert run("add", folder / "photo.png").exit_code == 1
    assert "'year' is not NAME=VALUE" in run("add", folder, "--meta", "year").stderr


def test_sync_makes_index_match_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("keep.txt", "change.txt", "go.txt"):
        (folder / name).write_text(f"The {name} is here.")
    (folder / "rows.csv").write_text("id,text\nr1,One row.\nr2,Another row.\n")
    (tmp_path / "other.txt").write_text("Not of the folder.")
    run("add", "other.txt")
    assert {d["status"] for d in parse(run("sync", "docs", "--json"))} == {"created"}
    assert {d["status"] for d in parse(run("sync", "docs", "--json"))} == {"unchanged"}
    (folder / "change.txt").write_text("It has changed.")
    (folder / "go.txt").unlink()
    (folder / "new.txt").write_text("It is new.")
    (folder / "rows.csv").write_text("id,text\nr2,Another row.\n")
    dry_run = {d["id"].rsplit("-", 1)[0]: d["status"] for d in parse(run("sync", "docs", "--json", "--dry-run"))}
    assert dry_run == {
        "keep.txt": "unchanged",
        "change.txt": "replaced",
        "new.txt": "created",
        "r2": "unchanged",
        "go.txt": "removed",
        "r1": "removed",
    }
    before = {d["id"] for d in parse(run("list", "--json"))}
    assert len(before) == 6
    synced = {d["id"].rsplit("-", 1)[0]: d["status"] for d in parse(run("sync", "docs", "--json"))}
    assert synced == dry_run
    names = sorted(d["id"].rsplit("-", 1)[0] for d in parse(run("list", "--json")))
    assert names == ["change.txt", "keep.txt", "new.txt", "other.txt", "r2"]


def test_reports_broken_link(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("It is here.")
    (folder / "b.txt").symlink_to(tmp_path / "b.txt")
    (tmp_path / "b.txt").write_text("It is elsewhere.")
    run("sync", "docs")
    (tmp_path / "b.txt").unlink()
    for command in ("add", "sync"):
        result = run(command, "docs")
        assert (result.exit_code, f"{folder}/b.txt: No such file" in result.stderr) == (1, True)
    assert len(parse(run("list", "--json"))) == 2


def test_sync_keeps_documents_of_unreadable_file(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"id": "r1", "text": "One row."}')
    run("sync", "docs")
    (folder / "a.jsonl").write_text('{"id": "r1", "text": ')
    result = run("sync", "docs", "--json")
    assert result.exit_code == 1
    assert "line 1: not valid JSON" in result.stderr
    assert [d["id"] for d in parse(run("list", "--json"))] == ["r1"]
    (folder / "a.jsonl").unlink()
    assert "no files in this folder" in run("sync", "docs").stderr
    assert [d["id"] for d in parse(run("list", "--json"))] == ["r1"]


def test_rows_of_two_files_cannot_share_an_id(run: Run, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"id,text\n1,That is {name}.\n")
    result = run("add", "a.csv", "b.csv")
    assert result.exit_code == 1
    assert "b.csv: document id '1' is already used by" in result.stderr
    assert len(parse(run("list", "--json"))) == 1


def test_lists_what_could_not_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_OCR", "off")
    (tmp_path / "manual.pdf").write_bytes(MANUAL)
    for command in (("add", "manual.pdf"), ("sync", ".")):
        result = run(*command)
        assert result.exit_code == 0
        assert re.search(r"^note: \S*manual\.pdf: page 3 not read: a picture", result.stderr, re.MULTILINE)
    for added in (*parse(run("add", "manual.pdf", "--json")), *parse(run("add", "manual.pdf", "--json", "--dry-run"))):
        assert [part["page"] for part in added["unread"]] == [3]
        assert "picture" in added["unread"][0]["reason"]
    assert "1 part not read)" in run("list").stdout
    (listed,) = parse(run("list", "--json"))
    assert [part["page"] for part in listed["unread"]] == [3]
    assert listed["file"] == {"name": "manual.pdf", "media_type": "application/pdf", "size": len(MANUAL)}
    assert "page 3 not read" in run("read", "manual.pdf", "What colour is the pump?").stderr


def test_keeps_no_originals_if_the_setting_is_off(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The kettle is blue.")
    qa = str(Path(sys.executable).with_name("qa"))
    for keep_files, kept in (("false", False), ("true", True)):
        environment = {**os.environ, "QA_KEEP_FILES": keep_files}
        subprocess.run([qa, "add", "a.txt"], env=environment, cwd=tmp_path, check=True, capture_output=True)
        (listed,) = parse(run("list", "--json"))
        assert bool(listed["file"]) is kept


def test_running_server_answers_and_takes_files(run: Run, shipped: Engine, tmp_path: Path) -> None:
    engine = shipped.in_folder(tmp_path / "elsewhere")
    engine.indexes.get_or_create("default")
    (tmp_path / "kitchen.md").write_text("# Kitchen\n\nThe kettle is blue.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url:
        added = run("add", "kitchen.md", "broken.pdf", "--url", url)
        assert (added.exit_code, "created" in added.stdout, "broken.pdf" in added.stderr) == (1, True, True)
        (unchanged,) = parse(run("add", "kitchen.md", "--url", url, "--json"))
        assert {**unchanged, "id": ""} == {
            "id": "",
            "status": "unchanged",
            "passages": 1,
            "characters": 28,
            "unread": [],
            "ocr_pages": [],
        }
        question = ("ask", "What colour is the kettle?", "--min-confidence", 0)
        over_http, text = parse(run(*question, "--url", url, "--json")), run(*question, "--url", url).stdout
        answer = over_http["answers"][0]
        assert (answer["answer"], answer["section"]) == ("blue", "Kitchen")
        assert "blue" in text
        (tmp_path / "faq.csv").write_text("q,a,nr\nWho oils the belt?,The keeper oils it.,q7\n")
        (row,) = parse(run("add", "faq.csv", "--url", url, "--id-column", "nr", "--text-column", "a", "--json"))
        assert (row["id"], engine.documents.get("q7")[0].text) == ("q7", "The keeper oils it.")
        engine.remove("q7")
        rejected = run("ask", "Who?", "--url", url, "--index", "nowhere")
        assert (rejected.exit_code, "index 'nowhere' not found" in rejected.stderr) == (1, True)
        assert run("add", "kitchen.md", "--url", url, "--meta", "a=b").exit_code == 2
        # On the server, the second file of a name would replace the first.
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "kitchen.md").write_text("Another kitchen.")
        (tmp_path / "other" / "pan.txt").write_text("The pan is red.")
        duplicate = run("add", "kitchen.md", "other", "-", "--url", url)
        assert (duplicate.exit_code, "pan.txt-" in duplicate.stdout) == (1, True)
        assert "kitchen.md: has the same name as" in duplicate.stderr
        assert "standard input" in duplicate.stderr
        assert len(engine.documents()) == 2
    # Nothing was written locally.
    assert not (tmp_path / "indexes").exists()


@pytest.mark.slow
def test_sync_with_watch_follows_the_folder(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "old.txt").write_text("The ferry leaves at nine.")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("qa")), "sync", "docs", "--watch"],
        cwd=tmp_path,
        env={**os.environ, "QA_INDEX_DIR": str(tmp_path / "docs" / "indexes")},
        stdout=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background makes them and their children ignore SIGINT.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("created  old.txt-")
        (docs / "new.csv").write_text("id,text\na,The harbour is closed.\nb,The crane is red.\n")
        assert {process.stdout.readline().split()[:2][1] for _ in range(2)} == {"a", "b"}
        (docs / "new.csv").write_text("id,text\na,The harbour is open.\n")
        assert process.stdout.readline().startswith("replaced  a ")
        assert process.stdout.readline() == "removed  b\n"
        (tmp_path / "outside.txt").write_text("The lighthouse is white.")
        (docs / "link.txt").symlink_to(tmp_path / "outside.txt")
        assert process.stdout.readline().startswith("created  link.txt-"), "a link keeps its own name"
        (docs / "link.txt").unlink()
        assert process.stdout.readline().startswith("removed  link.txt-")
        (docs / "old.txt").unlink()
        assert process.stdout.readline().startswith("removed  old.txt-")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_every_skipped_file_is_named_with_its_reason(run: Run, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("The ferry leaves at nine.")
    for name in ("b.zip", "c.zip"):
        (docs / name).write_bytes(b"PK\5\6" + bytes(18))
    result = run("add", "docs")
    assert result.exit_code == 0
    notes = [line for line in result.stderr.replace("\n", " ").split("note: ") if line.startswith("skipped")]
    assert [name for note in notes for name in ("b.zip", "c.zip") if name in note] == ["b.zip", "c.zip"]
    skipped = [entry for entry in parse(run("add", "docs", "--json")) if entry["status"] == "skipped"]
    assert all("archive" in entry["reason"] for entry in skipped)
    assert len(skipped) == 2
