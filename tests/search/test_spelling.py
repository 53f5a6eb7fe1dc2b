from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa.search.spelling import correct_spelling, error_cost, is_known

COMMON = {"how", "much", "does", "the", "dog", "price", "key", "stroke", "book", "wing", "known", "custom", "digitize"}


class CountedWords:
    """A vocabulary whose words and their frequencies are given; inflection adds an "s"."""

    def __init__(self, frequencies: dict[str, int]) -> None:
        self._frequencies = frequencies

    def occurs(self, word: str) -> bool:
        return any(self.stem(word) == self.stem(other) for other in self._frequencies)

    def frequency(self, word: str) -> int:
        return self._frequencies.get(word, 0)

    def words_with_prefix(self, prefix: str, limit: int) -> Sequence[str]:
        words = [word for word in self._frequencies if word.startswith(prefix)]
        return sorted(words, key=lambda word: -self._frequencies[word])[:limit]

    def stem(self, word: str) -> str:
        return word.removesuffix("s")


def corrected(question: str, **frequencies: int) -> str | None:
    return correct_spelling(question, CountedWords(frequencies), lambda word: [0] if word in COMMON else [0, 1])


@pytest.mark.parametrize(
    ("typed", "intended"),
    [
        ("frist", "first"),
        ("lenght", "length"),
        ("adress", "address"),
        ("hardshipp", "hardship"),
        ("batery", "battery"),
        ("comand", "command"),
        ("calender", "calendar"),
        ("silense", "silence"),
        ("begginnig", "beginning"),
        ("tempreture", "temperature"),
        ("wich", "which"),
        ("eror", "error"),
    ],
)
def test_corrects_what_people_mistype(typed: str, intended: str) -> None:
    assert corrected(f"how much does the {typed}?", **{intended: 3}) == f"how much does the {intended}?"


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("dog", "log"),
        ("abort", "about"),
        ("paternity", "maternity"),
        ("keystroke", "keystrike"),
        ("wings", "winds"),
        ("lino", "line"),
        ("soot", "shoot"),
        ("dont", "done"),
        ("customise", "customs"),
        ("digitised", "digital"),
        ("Maria", "Mario"),
        ("Martinez", "Martines"),
    ],
)
def test_does_not_change_words_that_are_not_in_the_documents(typed: str, other: str) -> None:
    assert corrected(f"how much does the {typed}?", **{other: 50}) is None


@pytest.mark.parametrize(
    "name", ["comand-3", "comand_line", "comand.conf", "v2comand", "comand's", "comand't", "/comand"]
)
def test_leaves_identifiers_alone(name: str) -> None:
    assert corrected(f"price of {name}", command=9) == ("price of command's" if name == "comand's" else None)


def test_a_word_that_occurs_is_right_however_rare() -> None:
    assert corrected("comand", comand=1, command=900) is None


@pytest.mark.parametrize(
    ("typed", "frequencies", "intended"),
    [
        ("gest", {"guest": 4, "gets": 4}, None),
        ("strage", {"storage": 5, "strange": 3}, None),
        ("strage", {"storage": 6, "strange": 3}, "storage"),
        ("keybord", {"keyboard": 2, "keyboards": 2}, "keyboard"),
        # A doubled letter is a likelier error than another letter.
        ("proces", {"process": 1, "prices": 90}, "process"),
    ],
)
def test_chooses_the_likeliest_error_then_a_clearly_more_frequent_word(
    typed: str, frequencies: dict[str, int], intended: str | None
) -> None:
    assert corrected(typed, **frequencies) == intended


def test_keeps_capitals_and_everything_else_of_the_question() -> None:
    assert corrected("  Tempreture of THE ADRESS,\n(comand)!", address=1, command=1, temperature=1) == (
        "  Tempreture of THE ADDRESS,\n(command)!"
    )
    assert corrected("Adress of Wakefeild", address=1, wakefield=1) == "Address of Wakefield"


def test_cost_of_errors() -> None:
    assert error_cost("same", "same") == 0
    assert error_cost("coment", "comment") == error_cost("commment", "comment") == 0.8
    assert error_cost("teh", "the") == error_cost("nme", "name") == 1.0
    assert error_cost("seperate", "separate") == 1.2
    assert error_cost("dog", "log") == error_cost("spews", "sews") == error_cost("dark", "park") == 3.0
    assert error_cost("anohtre", "another") == 2.0


@pytest.mark.parametrize(
    "word", ["dog", "dogs", "unknown", "keystroke", "keystrokes", "bookings", "isnt", "customised"]
)
def test_words_formed_from_common_words_are_known(word: str) -> None:
    assert is_known(word, COMMON.__contains__) == (word not in ("keystrokes", "dogs"))


def test_corrects_a_limited_number_of_words() -> None:
    words = ["seperate" + letter for letter in "abcdefghijkl"]
    right = ["separate" + letter for letter in "abcdefghijkl"]
    assert corrected(" ".join(words), **dict.fromkeys(right, 1)) == " ".join([*right[:10], *words[10:]])
