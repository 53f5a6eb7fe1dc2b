from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import GOLDEN


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ask", " "], 1, "question must not be blank"),
        (["ask", "x" * 100_000], 1, "at most 2,000 are allowed"),
        (["ask", "Who?"], 1, "index 'default' not found"),
        (["ask", "Who?", "--index", "../x"], 1, "index name '../x' is not valid"),
        (["ask", "Who?", "--top-k", "-1"], 2, "--top-k"),
        (["ask", "Who?", "--top-k", "100000"], 2, "--top-k"),
        (["ask"], 2, "question"),
        (["ask", "Who?", "--colour", "red"], 2, "--colour"),
        (["add", "none.txt"], 1, "none.txt: No such file"),
        (["add", "n" * 300], 1, "File name too long"),
        (["add", "old.doc"], 1, "old.doc: an OLE file of an unknown program; save it as"),
        (["add", "good.txt", "--meta", "=x"], 2, "'=x' is not NAME=VALUE"),
        (["sync", "none"], 2, "none"),
        (["add", "binary.bin"], 1, "binary.bin: binary file of an unknown format, not text"),
        (["add", "blank.txt"], 1, "blank.txt: the document has no text"),
        (["add", "empty"], 1, "empty: no files in this folder"),
        (["read", "none.txt", "Who?"], 1, "none.txt: No such file"),
        (["read", "old.doc", "Who?"], 1, "old.doc: an OLE file of an unknown program"),
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
        (
            ["eval", str(GOLDEN / "golden.json"), "--index", "x", "--mode", "reader"],
            1,
            "mode: with an index or a server",
        ),
        (["eval", str(GOLDEN / "golden.json"), "--index", "x", "--answers", "a"], 1, "answers: cannot be combined"),
        (
            ["eval", str(GOLDEN / "golden.json"), "--mode", "reranked", "--answers", "a"],
            1,
            "a predictions file has answers alone",
        ),
        (["eval", "empty.toml"], 1, "empty.toml: nothing to evaluate"),
        (["compare", "none.json", "good.txt"], 1, "none.json: No such file"),
        (["eval", "good.txt", "--mode", "other"], 2, "--mode"),
    ],
)
def test_rejects_bad_input(run: Run, tmp_path: Path, arguments: list[str], status: int, message: str) -> None:
    (tmp_path / "good.txt").write_text("Good text.")
    (tmp_path / "empty.toml").write_text('[[set]]\npath = "none.json"\nmode = "reader"\noptional = true\n')
    (tmp_path / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (tmp_path / "binary.bin").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "blank.txt").write_text("\n \n")
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == status
    assert message in result.stderr
    assert not (tmp_path / "indexes").exists()


def test_names_bad_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_PORT", "no")
    result = run("ask", "Who?")
    assert (result.exit_code, "QA_PORT" in result.stderr) == (1, True)
    monkeypatch.delenv("QA_PORT")
    monkeypatch.setenv("QA_STORE", "postgresql://x")
    assert "QA_STORE" in run("ask", "Who?").stderr


def test_names_bad_settings_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spanlight.toml").write_text("port = ")
    assert "not valid TOML" in run("ask", "Who?").stderr
    (tmp_path / "spanlight.toml").write_text("colour = 1")
    assert "spanlight.toml: unknown setting 'colour'" in run("ask", "Who?").stderr
    monkeypatch.setenv("QA_CONFIG", "none.toml")
    assert "none.toml: no such file" in run("ask", "Who?").stderr
    monkeypatch.delenv("QA_CONFIG")
    (tmp_path / "spanlight.toml").unlink()
    monkeypatch.setenv("QA_API_KEYS", " , ")
    assert "contains no key" in run("ask", "Who?").stderr


def test_serve_needs_key_to_listen_on_other_addresses(run: Run) -> None:
    rejected = run("serve", "--host", "0.0.0.0")
    assert (rejected.exit_code, "host: refusing to listen on 0.0.0.0" in rejected.stderr) == (1, True)
