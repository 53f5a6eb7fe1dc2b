from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qa.documents.splitting import MAX_CHARACTERS, MAX_TOKENS, split
from qa.text.boundaries import is_boundary
from qa.types import Document, Passage
from tests.conftest import EMBEDDER

PIECES = st.sampled_from(
    ["Hello world. ", "\r\n", "\n\n", "\t", "👩‍👩‍👧", "e\u0301", "שלום עולם. ", "a" * 700, "U.S. troops ", "-",
     "1,000.5 ", " ", "Same sentence here. ", "नमस्ते ", "🇬🇧🇫🇷", "\u200d", "x" * 3000, "word " * 120, "\u2028", "한국어 ",
     "a | b\n", "| |\r\n", " | "]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=30).map("".join))


def passages_of(text: str) -> list[Passage]:
    return split(Document("d", text), EMBEDDER.token_starts)


@given(TEXTS)
@example("")
@example("\r\n" * 50)
@example("no spaces" * 2000)
@settings(max_examples=300, deadline=None)
def test_offsets_and_limits_hold_for_any_text(text: str) -> None:
    passages = passages_of(text)
    for passage in passages:
        assert text[passage.span.start : passage.span.end] == passage.text
        assert passage.text.strip()
        assert len(passage.text) <= MAX_CHARACTERS
        assert len(EMBEDDER.token_starts(passage.text)) <= MAX_TOKENS
        assert passage.cut == (not is_boundary(text, passage.span.start), not is_boundary(text, passage.span.end))
    starts = [passage.span.start for passage in passages]
    assert starts == sorted(set(starts))


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_loses_only_white_space(text: str) -> None:
    covered = set[int]()
    for passage in passages_of(text):
        covered.update(range(passage.span.start, passage.span.end))
    assert all(text[position].isspace() for position in set(range(len(text))) - covered)


def test_splits_a_line_of_a_megabyte() -> None:
    text = "a" * 1_000_000
    passages = passages_of(text)
    assert "".join(p.text for p in passages) == text
    assert passages[0].cut == (False, True)
    assert passages[1].cut == (True, True)


def test_keeps_a_short_text_in_one_passage() -> None:
    text = "First sentence. Second one.\n\nAnother paragraph."
    assert [p.text for p in passages_of(text)] == [text]


def test_passages_begin_and_end_with_sentences() -> None:
    text = " ".join(f"Sentence number {i} says that Mr. Smith of the U.S. Navy was {i} years old." for i in range(80))
    passages = passages_of(text)
    assert len(passages) > 3
    assert all(re.fullmatch(r"Sentence number .* years old\.", p.text, re.DOTALL) for p in passages)


def test_neighbouring_passages_share_a_sentence() -> None:
    text = " ".join(f"Sentence number {i} is here." for i in range(120))
    passages = passages_of(text)
    assert all(a.span.end > b.span.start for a, b in pairwise(passages))


@pytest.mark.parametrize("separator", ["\n", "\r\n"])
def test_repeated_lines_get_distinct_offsets(separator: str) -> None:
    line = "The same line comes again and again in this document." + separator
    passages = passages_of(line * 200)
    assert len({p.span for p in passages}) == len(passages)
    assert passages[-1].span.end == len((line * 200).rstrip())


def table(rows: int, words: str = "Belt of rubber") -> str:
    return "\n".join(
        ["Part | Price | Stock", *(f"{words} {n}. Strong. | {n} euro | {n % 7} in hall {n}" for n in range(rows))]
    )


@pytest.mark.parametrize("separator", ["\n", "\r\n"])
def test_keeps_a_table_that_fits_in_one_passage(separator: str) -> None:
    before = " ".join(f"Sentence number {i} says what is sold here and who buys it." for i in range(12))
    small = table(10).replace("\n", separator)
    text = (separator * 2).join([before, small, before])
    passages = passages_of(text)
    assert len(passages) > 2
    assert any(small in passage.text for passage in passages)
    # A passage that has any row of the table has the whole table.
    assert all(small in p.text or "euro" not in p.text for p in passages)


def test_keeps_each_row_of_a_larger_table_whole() -> None:
    rows = table(80).split("\n")
    assert max(map(len, rows)) < 400
    passages = passages_of("\n".join(["Before it. And more.", "", *rows, "", "Behind it."]))
    assert len(passages) > 2
    lines = {line for passage in passages for line in passage.text.split("\n")}
    assert lines - {""} == {*rows, "Before it. And more.", "Behind it."}


@pytest.mark.parametrize("bars", ["Home | About\nLegal | Contact\n", "", "A | B\nC | D\n\n"])
def test_splits_prose_around_tables_at_sentences(bars: str) -> None:
    prose = "\n".join("The pump is oiled every six weeks without fail. " * 12 for _ in range(4))
    long_row = "Oil | " + "The pump is oiled every six weeks without fail. " * 60
    for text in (bars + prose, f"{bars}{long_row}\nBelt | It is new."):
        passages = passages_of(text)
        assert len(passages) > 2
        assert all(passage.text.endswith((".", "Contact", "D")) for passage in passages)


def test_a_single_line_with_a_bar_is_not_a_table() -> None:
    text = "One | two. " + "And so it continues for long. " * 60 + "\nThe end of it."
    assert len(passages_of(text)) > 1
    assert passages_of(text)[0].text.endswith("long.")


def test_importing_the_module_does_not_import_langchain() -> None:
    program = "import sys, qa.documents.splitting; sys.exit('langchain_text_splitters' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
