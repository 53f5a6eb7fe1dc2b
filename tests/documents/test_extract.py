"""Extraction from each format: the text, sections and pages that a reader of the file sees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.formats import extract
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, TooLarge
from qa.types import Mark
from tests.documents.files import docx_with_compressed_text
from tests.documents.fuzzing import assert_rejects_file


def extract_one(data: bytes, name: str) -> ExtractedText:
    (extracted,) = extract(data, name)
    return extracted


def test_marks_begin_where_the_section_changes() -> None:
    extracted = extract_one(b"Intro.\n\n# A\n\nText.\n\n# B\n\n# C\n\nMore.", "a.md")
    assert extracted.marks == (Mark(8, None, "A"), Mark(18, None, "B"), Mark(21, None, "C"))
    assert all(extracted.text[mark.start :].startswith(mark.section or "") for mark in extracted.marks)


def assert_text_or_clear_error(data: bytes, name: str) -> None:
    rejection = None
    try:
        documents = extract(data, name)
    except InvalidInput as error:
        rejection = error
    if rejection:
        assert_rejects_file(rejection, name)
    else:
        assert all(isinstance(document.text, str) for document in documents)


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "pdf", "docx", "csv", "jsonl", "unknown", ""])
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_text_or_a_clear_error(suffix: str, data: bytes) -> None:
    for prefix in (b"", b"%PDF-1.4\n", b"---\na: ", b"<table><tr>", b"text\n"):
        assert_text_or_clear_error(prefix + data, f"some.{suffix}")


def test_rejects_small_files_that_expand_to_large_ones() -> None:
    bomb = docx_with_compressed_text(301)
    assert len(bomb) < 1_000_000
    with pytest.raises(TooLarge, match="when unpacked"):
        extract(bomb, "bomb.docx")
