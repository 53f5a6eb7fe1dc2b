"""The check of the tests with damaged files: it fails for a fault of this package."""

from __future__ import annotations

import json

import pytest

from qa.documents.extract.office.number_formats import to_roman
from qa.errors import InvalidInput
from tests.documents.fuzzing import assert_rejects_file


def wrapped(cause: Exception) -> InvalidInput:
    error = InvalidInput(f"a.docx: damaged ({type(cause).__name__}: {cause}); save or download the file again")
    error.__cause__ = cause
    return error


def test_an_exception_of_the_package_is_no_fault_of_the_file() -> None:
    with pytest.raises(TypeError) as raised:
        to_roman("x")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="TypeError in qa/"):
        assert_rejects_file(wrapped(raised.value), "a.docx")


def test_an_exception_of_a_parser_is_a_fault_of_the_file() -> None:
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads("{")
    assert_rejects_file(wrapped(raised.value), "a.docx")
