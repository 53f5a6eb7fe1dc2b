"""Records of JSON files, and JSON that is text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.formats import extract
from qa.documents.extract.tables.columns import Columns
from qa.errors import InvalidInput, QAError
from tests.documents.fuzzing import assert_rejects_file


def texts(data: str, name: str = "a.jsonl", columns: Columns | None = None) -> list[str]:
    return [document.text for document in extract(data.encode(), name, columns)]


def test_a_mark_at_the_start_is_no_part_of_the_first_line() -> None:
    assert texts('\ufeff{"text":"The pump is oiled."}\n') == ["The pump is oiled."]


def test_the_text_may_be_in_content() -> None:
    assert texts('{"content":"The pump is oiled every six weeks."}\n') == ["The pump is oiled every six weeks."]


def test_objects_without_text_are_a_line_for_each_value() -> None:
    first, second = extract(b'{"name": "Ann", "age": 3, "of": {"a": 1}, "on": true}\n{"name": "Bob"}\n', "a.jsonl")
    assert first.text == 'name: Ann\nage: 3\nof: {"a": 1}\non: true'
    assert (first.title, first.meta["age"], second.text) == ("Ann", 3, "name: Bob")


def test_a_number_in_the_text_field_is_its_text() -> None:
    assert texts('{"text": 5}\n{"text": 2.5}\n{"text": "Oil."}\n') == ["5", "2.5", "Oil."]


def test_a_number_that_is_not_finite_is_not_metadata() -> None:
    (document,) = extract(b'{"text": "Oil.", "rate": NaN, "age": 3}\n', "a.jsonl")
    assert document.meta == {"age": 3}
    assert [part.reason for part in document.unread] == [
        "columns with values that are too many, too long or not finite: rate"
    ]


def test_a_text_field_that_the_caller_names_must_exist() -> None:
    with pytest.raises(InvalidInput, match=r"a\.jsonl: line 1: no column 'body'; name the text column, one of: name"):
        texts('{"name": "Ann"}\n', columns=Columns(text="body"))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_list_of_objects_is_a_document_for_each(name: str) -> None:
    data = '[{"text": "The pump is oiled.", "title": "Pump"},\n {"text": "The belt is changed."}]'
    assert texts(data, name) == ["The pump is oiled.", "The belt is changed."]


def test_lines_of_objects_named_json_are_a_document_for_each() -> None:
    assert texts('{"text": "One."}\n{"text": "Two."}\n', "a.json") == ["One.", "Two."]


@pytest.mark.parametrize(
    "data", ['{"pump": {"oil": "weekly"}}', '{\n "pump": 3\n}', "[1, 2]", "[]", '// note\n{"a": 1,}', "", "[" * 100_000]
)
def test_other_json_is_text_as_it_is(data: str) -> None:
    assert texts(data, "a.json") == [data]


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"deep\.jsonl: line 1: "):
        texts("[" * 100_000, "deep.jsonl")


values = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda v: st.lists(v, max_size=3))


@settings(max_examples=200, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["text", "id", "a"]), values), max_size=4),
    name=st.sampled_from(["a.json", "a.jsonl"]),
    cut=st.integers(0, 200),
)
def test_any_records_give_documents_or_a_clear_error(records: list[dict[str, object]], name: str, cut: int) -> None:
    rejection = None
    try:
        read = texts("\n".join(map(json.dumps, records))[:cut], name)
    except QAError as error:
        rejection, read = error, [""]
    assert read
    if rejection:
        assert_rejects_file(rejection, name)
