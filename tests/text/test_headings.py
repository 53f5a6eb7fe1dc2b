from __future__ import annotations

from qa.text.headings import headings_above, search_text
from qa.types import Mark


def test_returns_the_title_and_the_section_of_the_passage_start() -> None:
    marks = [Mark(0, None, "Descaling"), Mark(90, None, "Warranty")]
    assert headings_above("Use vinegar.", "Kettle manual", marks) == ["Kettle manual", "Descaling"]
    assert search_text("Use vinegar.", "Kettle manual", marks) == "Kettle manual\nDescaling\nUse vinegar."


def test_leaves_out_missing_and_repeated_headings() -> None:
    assert headings_above("Use vinegar.", None, []) == []
    assert headings_above("Use vinegar.", "Descaling", [Mark(0, 1, "Descaling")]) == ["Descaling"]
    assert headings_above("Descaling\n\nUse vinegar.", "Kettle manual", [Mark(0, 1, "Descaling")]) == ["Kettle manual"]


def test_shortens_a_long_title() -> None:
    assert headings_above("Use vinegar.", "kettle " * 40, []) == [("kettle " * 40)[:80]]
