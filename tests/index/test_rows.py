from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.index.rows import (
    content_hash,
    marks_json,
    parse_marks,
    parse_tables,
    parse_unread,
    tables_json,
    unread_json,
)
from qa.types import Document, Mark, SourceFile, Table, Unread

# Hashes that version 0.1.0 stored. A document that changes its hash is embedded again.
HASHES_OF_EARLIER_VERSIONS = {
    "4378862d": Document("a", "The mill.", "Mill", "file:///mill.txt", {"year": 2024}),
    "91a0b540": Document("a", "The mill.", marks=(Mark(0, 1, None), Mark(4, 2, "Oil")), boxes=b"16 bytes, a word"),
}
TABLE = Table(4, ((5, 0), (1, 2)), ("Part", "Price"), 1, True, (3, 5), 2)
SIZES = st.lists(st.integers(0, 99), max_size=4).map(tuple)


@pytest.mark.parametrize("start", HASHES_OF_EARLIER_VERSIONS)
def test_documents_of_earlier_versions_keep_their_hash(start: str) -> None:
    assert content_hash(HASHES_OF_EARLIER_VERSIONS[start]).startswith(start)


def test_everything_that_extraction_returns_changes_the_hash() -> None:
    document = Document("a", "The mill.", marks=(Mark(0, 1),))
    file = SourceFile("mill.pdf", "application/pdf", "a" * 64, 9)
    others = [
        replace(document, marks=(Mark(0, 1, kind="ocr"),)),
        replace(document, tables=(TABLE,)),
        replace(document, tables=(replace(TABLE, labelled=False),)),
        replace(document, unread=(Unread(2, "a picture"),)),
        replace(document, file=file),
        replace(document, file=replace(file, sha256="b" * 64)),
    ]
    assert len({content_hash(other) for other in [document, *others]}) == len(others) + 1
    # The name of a file and its data are not content.
    assert content_hash(replace(document, file=replace(file, name="b.pdf", data=b"x"))) == content_hash(others[4])


def test_only_fields_without_their_default_are_stored() -> None:
    assert json.loads(marks_json([Mark(0, 1, "Oil"), Mark(9, None, None, "ocr")])) == [
        [0, 1, "Oil"],
        [9, None, None, "ocr"],
    ]
    assert json.loads(tables_json([Table(7, [[1, 2]])])) == [{"start": 7, "rows": [[1, 2]]}]
    assert json.loads(tables_json([Table(0, ((1,),), first_column=3)])) == [
        {"start": 0, "rows": [[1]], "first_column": 3}
    ]


@given(
    st.builds(
        Table,
        st.integers(0, 999),
        st.lists(SIZES, min_size=1, max_size=3).map(tuple),
        st.lists(st.text(max_size=3), max_size=3).map(tuple),
        st.integers(0, 2),
        st.booleans(),
        SIZES,
        st.integers(1, 30),
    )
)
def test_tables_are_read_back_as_stored(table: Table) -> None:
    assert parse_tables(tables_json([table])) == (table,)


def test_marks_and_unread_parts_are_read_back_as_stored() -> None:
    marks = (Mark(0, 1, "Ö"), Mark(4, None, None, "contents"), Mark(9, 2, None, "ocr"))
    unread = (Unread(3, "a picture of text; run `pip install 'spanlight[ocr]'`"), Unread(None, "an embedded object"))
    assert parse_marks(marks_json(marks)) == marks
    assert parse_unread(unread_json(unread)) == unread
