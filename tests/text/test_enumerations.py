from __future__ import annotations

import pytest

from qa.text.enumerations import split_enumeration


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tea, coffee and juice", ["tea", "coffee", "juice"]),
        ("tea, coffee, and juice", ["tea", "coffee", "juice"]),
        ("tea or coffee", ["tea", "coffee"]),
        ("dusk, paper, mono", ["dusk", "paper", "mono"]),
        ("red (S, M); blue; green", ["red (S, M)", "blue", "green"]),
        ("both the lamp and the rope", ["the lamp", "the rope"]),
        ("A4 & A5", ["A4", "A5"]),
        ("F1,\n  Esc and\n  Ctrl+S", ["F1", "Esc", "Ctrl+S"]),
    ],
)
def test_splits_an_enumeration(text: str, parts: list[str]) -> None:
    assert [part.of(text) for part in split_enumeration(text)] == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tea",
        "Depot, Sallow Lane",
        "May 3, 2024",
        "Monday, May 3, 2024",
        "22 and 23 May",
        "one and a half days",
        "1,000",
        "they have been charged twice and the difference is refunded at once",
        "oil (tea, coffee and juice)",
        "and",
        " , ",
    ],
)
def test_one_thing_has_no_parts(text: str) -> None:
    assert split_enumeration(text) == []
