"""The repository's prose follows the house style; `python -m tests.prose PATH` prints hits while you write."""

from __future__ import annotations

import statistics
import tomllib
from pathlib import Path

import pytest

from tests import prose
from tests.prose import ROOT, RULES, hits, sentence_lengths, tracked_files

LENGTHS = tomllib.loads(RULES.read_text(encoding="utf-8"))["longest_mean_sentence"]
DOCUMENTS = sorted(path for pattern in LENGTHS["files"] for path in ROOT.glob(pattern))


def test_prose_has_no_forbidden_words() -> None:
    broken = hits(tracked_files())
    assert not broken, "\n" + "\n".join(map(str, broken))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_have_short_sentences(path: Path) -> None:
    assert statistics.mean(sentence_lengths(path.read_text(encoding="utf-8"))) <= LENGTHS["words"]


def test_finds_hits_in_every_kind_of_prose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules.toml").write_text("[patterns]\n'\\bfoo\\b' = \"bar\"\n'\\bgo foos\\b' = \"go bars\"\n")
    monkeypatch.setattr(prose, "RULES", tmp_path / "rules.toml")
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(
        '"""A foo."""\n\n# A comment of two\n# lines with Foo.\ndef test_that_foo_is_found() -> None:\n'
        '    raise ValueError(f"{1} is no foo")\n    foo = "foo"\n'
    )
    (tmp_path / "page.md").write_text("# Page\n\n```\nfoo\n```\n\nThey go\nfoos.\n")
    (tmp_path / "Makefile").write_text("all:\n\techo  # foo\n")
    breaches = hits([Path("Makefile"), Path("module.py"), Path("page.md")])
    assert sorted((hit.path.name, hit.line, hit.text, hit.advice) for hit in breaches) == [
        ("Makefile", 2, "foo", "bar"),
        ("module.py", 1, "foo", "bar"),
        ("module.py", 4, "Foo", "bar"),
        ("module.py", 5, "foo", "bar"),
        ("module.py", 6, "foo", "bar"),
        ("page.md", 7, "go foos", "go bars"),
    ]


def test_code_blocks_tables_and_headings_are_not_sentences() -> None:
    text = (
        "# A heading of five words\n\nOne two three. Four five.\n\n| a | table |\n\n```\nsome code here\n```\n"
        "- six `x y` seven\n"
    )
    assert sentence_lengths(text) == [3, 2, 3]
