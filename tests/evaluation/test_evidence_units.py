from __future__ import annotations

from qa.evaluation.evidence_units import find_units
from qa.types import Table


def test_units_are_rows_and_the_sentences_of_lines() -> None:
    text = "Plot | Owner\n4 | Ann Hale\n\n  Ring the office. Then wait for Dr. Hale\nLast line. \n"
    units = find_units(text, [Table(0, ((4, 5), (1, 8)))])
    assert [unit.of(text) for unit in units] == [
        "Plot | Owner",
        "4 | Ann Hale",
        "Ring the office.",
        "Then wait for Dr. Hale",
        "Last line.",
    ]
    assert find_units("") == []
