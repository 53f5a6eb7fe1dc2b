"""Superscripts have one form in all formats: exponents, ordinals and marks of notes differ."""

from __future__ import annotations

import pytest

from qa.documents.extract.scripts import subscript, superscript


@pytest.mark.parametrize(
    ("before", "raised", "shown"),
    [
        ("10", "6", "^6"),
        ("10", "\N{MINUS SIGN}3", "^\N{MINUS SIGN}3"),
        ("m", "2 ", "^2 "),
        ("x", "n", "^n"),
        ("x", "n+1", "^(n+1)"),
        ("x", "2n", "^(2n)"),
        ("x", "1/2", "^(1/2)"),
        ("e", "\N{MINUS SIGN}kt", "^(\N{MINUS SIGN}kt)"),
        ("Ca", "2+", "^2+"),
        ("5", "th", "th"),
        ("1", "er", "er"),
        ("M", "me", "me"),
        ("Wren", "TM", "TM"),
        ("2", "xy", "^xy"),
        ("deep.", "12", "[12]"),
        ("deep.", "1, 2", "[1, 2]"),
        ("deep", "*", "*"),
        ("deep", "[3]", "[3]"),
        ("f", "\N{PRIME}", "\N{PRIME}"),
        ("", "3", "3"),
        ("see ", "3", "3"),
        ("deep", " ", " "),
    ],
)
def test_superscripts_have_one_form(before: str, raised: str, shown: str) -> None:
    assert superscript(before, raised) == shown


def test_a_link_is_the_mark_of_a_note() -> None:
    assert superscript("1998", "1", is_link=True) == "[1]"
    assert superscript("1998", "a", is_link=True) == "[a]"
    assert superscript("1998", "note 1", is_link=True) == " note 1"


def test_subscripts_are_joined_unless_two_numbers_would_be_one() -> None:
    assert ("H" + subscript("H", "2"), "101" + subscript("101", "2")) == ("H2", "101_2")
