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
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(
        '"""Nobody reads this."""\n\n# It is made\n# anew.\ndef test_that_nobody_calls() -> None:\n'
        '    raise ValueError(f"{1} was told twice")\n'
    )
    (tmp_path / "page.md").write_text("# Page\n\n```\nnobody\n```\n\nIt goes\non and on.\n")
    (tmp_path / "Makefile").write_text("all:\n\techo  # somebody\n")
    places = [(hit.path.name, hit.line, hit.text.lower()) for hit in hits([Path(p) for p in sorted(
        ("Makefile", "module.py", "page.md")
    )])]  # fmt: skip
    assert places == [
        ("Makefile", 2, "somebody"),
        ("module.py", 4, "anew"),
        ("module.py", 5, "nobody"),
        ("module.py", 1, "nobody"),
        ("module.py", 6, "told"),
        ("page.md", 7, "goes on"),
    ]


def test_code_blocks_tables_and_headings_are_not_sentences() -> None:
    text = (
        "# A heading of five words\n\nOne two three. Four five.\n\n| a | table |\n\n```\nsome code here\n```\n"
        "- six `x y` seven\n"
    )
    assert sentence_lengths(text) == [3, 2, 3]
