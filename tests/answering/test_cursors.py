from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.cursors import Begun, Cursor
from qa.errors import InvalidInput


@given(st.integers(0, 2**63 - 1), st.text(min_size=1, max_size=200))
def test_a_cursor_is_read_back_as_it_was(revision: int, after: str) -> None:
    cursor = Cursor(Begun(revision, "mark"), after, "0123")
    assert Cursor.decode(cursor.encode()) == cursor


def _encode(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "é",
        _encode([]),
        _encode({"after": "a"}),
        _encode([1, "mark", "a"]),
        _encode(["1", "mark", "a", "0123"]),
        _encode([True, "mark", "a", "0123"]),
        _encode([-1, "mark", "a", "0123"]),
        _encode([2**63, "mark", "a", "0123"]),
        _encode([1, "mark", "", "0123"]),
        _encode([1, "mark", "\ud800", "0123"]),
        _encode([1, "mark", 7, "0123"]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_rejects_what_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidInput, match="invalid cursor; send the `next_cursor`") as error:
        Cursor.decode(text)
    assert error.value.field == "cursor"
