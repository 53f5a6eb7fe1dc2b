from __future__ import annotations

import pytest

from qa.text.sentences import LONGEST_SENTENCE, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One ends. Two asks? Three", ["One ends", "Two asks", "Three"]),
        ("She said “stop.” Then she left.", ["She said “stop", "Then she left."]),
        (
            "Dr. Smith of the U.S. Navy met Mr. Lee. They sailed.",
            ["Dr. Smith of the U.S. Navy met Mr. Lee", "They sailed."],
        ),
        ("A heading\r\n\r\nA paragraph", ["A heading", "A paragraph"]),
        ("It costs 3.50 euros.", ["It costs 3.50 euros."]),
        ("", [""]),
    ],
)
def test_splits_text_into_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


def test_splits_a_piece_that_is_too_long_into_lines() -> None:
    line = "item, " * (LONGEST_SENTENCE // 10)
    assert list(sentences(f"{line}\n{line}")) == [line, line]
