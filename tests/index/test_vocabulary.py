from __future__ import annotations

from pathlib import Path

import pytest

from qa.index.lexical import LexicalIndex
from qa.index.local import LocalIndex
from tests.conftest import SPECIFICATION, prepare_document, put

TEXTS = {1: "The calendar shows months. Calendars print.", 2: "A calendar, a café and a data-base.", 3: "Two2 cats"}


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    index = LexicalIndex(tmp_path / "lexical", create=True)
    index.apply([], TEXTS.items(), 3, "m")
    return index


def test_counts_the_passages_of_each_spelling(lexical: LexicalIndex) -> None:
    vocabulary = lexical.searcher().vocabulary()
    words = ("calendar", "calendars", "base", "two2", "month", "cats")
    assert [vocabulary.frequency(word) for word in words] == [2, 1, 1, 0, 0, 1]
    assert vocabulary.words_with_prefix("cal", 9) == ["calendar", "calendars"]
    assert vocabulary.words_with_prefix("cal", 1) == ["calendar"]


def test_a_word_occurs_in_any_inflection(lexical: LexicalIndex) -> None:
    vocabulary = lexical.searcher().vocabulary()
    assert all(map(vocabulary.occurs, ("month", "CALENDAR", "printing", "Café", "the")))
    assert not any(map(vocabulary.occurs, ("calender", "dog")))
    assert vocabulary.stem("calendars") == vocabulary.stem("calendar") != vocabulary.stem("calender")


def test_words_of_deleted_passages_no_longer_count(lexical: LexicalIndex) -> None:
    lexical.apply([1], [(3, "dogs")], 4, "m")
    vocabulary = lexical.searcher().vocabulary()
    assert [vocabulary.frequency(word) > 0 for word in ("calendar", "months", "cats", "dogs")] == [
        True,
        False,
        False,
        True,
    ]
    assert [vocabulary.occurs(word) for word in ("calendar", "months", "cats", "dogs")] == [True, False, False, True]


def no_common_words(text: str) -> list[int]:
    return list(range(len(text)))


def test_corrections_follow_writes_deletions_and_restarts(index: LocalIndex) -> None:
    def correct() -> str | None:
        return index.correct_spelling("print the calender", no_common_words)

    assert correct() is None
    put(index, prepare_document("a", "You can print the calendar."))
    assert correct() == "print the calendar"
    put(index, prepare_document("b", "The calender presses paper."))
    assert correct() is None
    index.remove(["b"])
    assert correct() == "print the calendar"
    index.close()
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert reopened.correct_spelling("print the calender", no_common_words) == "print the calendar"
    put(reopened, prepare_document("a", "You can print the colander."))
    assert reopened.correct_spelling("print the calender", no_common_words) is None
    reopened.close()


def test_postings_of_the_earlier_format_are_rebuilt(index: LocalIndex) -> None:
    put(index, prepare_document("a", "Release 4.6.1 has a calendar."))
    assert index.correct_spelling("calender", no_common_words) == "calendar"
    index.close()
    state = index.folder / "lexical-1" / "REVISION"
    state.write_text("5" + state.read_text(encoding="ascii").removeprefix("6"), encoding="ascii")
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert reopened.correct_spelling("calender", no_common_words) == "calendar"
    assert state.read_text(encoding="ascii").startswith("6 ")
    reopened.close()


def test_damaged_postings_are_rebuilt_for_a_correction(index: LocalIndex) -> None:
    put(index, prepare_document("a", "You can print the calendar."))
    assert index.correct_spelling("calender", no_common_words) == "calendar"
    index.close()
    for path in index.folder.glob("lexical-*/*"):
        path.write_bytes(b"damaged")
    reopened = LocalIndex(index.folder, SPECIFICATION)
    assert reopened.correct_spelling("calender", no_common_words) == "calendar"
    reopened.close()
