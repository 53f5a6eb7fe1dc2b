from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.highlighting.acl_verbatim import Row, count_words, load_rows, measure, score
from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.evidence import Counts
from qa.types import Span

OPENING = "## Hours\n\nThe library opens at nine. It closes\nat six."
CAT = "The cat sleeps."
# As in the published file: further keys, gold spans in capitals, and none where the passage is not relevant.
QUERY = {
    "query": "library opening",
    "gold_paper": "W06-1805",
    "results": [
        {
            "chunk": OPENING,
            "document_id": "W06-3917",
            "relevance_label": "r",
            "gold_extraction": ["THE LIBRARY OPENS AT NINE.", "It closes at six."],
        },
        {"chunk": CAT, "document_id": "W06-3918", "relevance_label": "n", "gold_extraction": []},
    ],
}


def write(folder: Path, *entries: object) -> Path:
    path = folder / "gold.json"
    path.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    return path


def test_rows_have_the_places_of_their_gold_spans(tmp_path: Path) -> None:
    first, second = load_rows(write(tmp_path, QUERY))
    assert [span.of(OPENING) for span in first.gold] == ["The library opens at nine.", "It closes\nat six."]
    assert second == Row("library opening", CAT, ())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"query": "q"}, r"line 1: not a row of ACL-Verbatim \(KeyError\('results'\)\)"),
        ({"query": "q", "results": [{"chunk": CAT, "gold_extraction": ["A dog."]}]}, "'A dog.' is not in its passage"),
        ({"query": "q", "results": [{"chunk": None, "gold_extraction": ["A dog."]}]}, "not a row of ACL-Verbatim"),
    ],
)
def test_a_file_of_another_format_is_an_error(tmp_path: Path, entry: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        load_rows(write(tmp_path, entry))


def test_words_count_if_a_span_overlaps_them() -> None:
    text = "one two three four"
    assert count_words(text, [Span(1, 5)], [Span(4, 13)]) == Counts(1, 2, 1, 2)
    assert count_words(text, [Span(3, 4)], []) == Counts(0, 0, 0, 0)


def test_the_words_of_all_rows_count_together() -> None:
    rows = [Row("q", "one two three four", (Span(0, 7),)), Row("q", "five six", ()), Row("q", "seven", ())]
    figures = {name: estimate.value for name, estimate in measure(rows, [[Span(4, 13)], [Span(0, 8)], []]).items()}
    assert figures == {
        "word F1, all rows": pytest.approx(2 * 0.25 * 0.5 / 0.75),
        "precision, all rows": 0.25,
        "recall, all rows": 0.5,
        "word F1, rows with gold spans": 0.5,
        "other rows without highlights": 0.5,
    }


def test_the_passages_of_each_query_are_highlighted(marking: Engine, tmp_path: Path) -> None:
    cat = {"query": "Where sleeps the cat?", "results": [{"chunk": CAT, "gold_extraction": [CAT]}]}
    title, all_rows, precision, recall, *_ = score(load_rows(write(tmp_path, QUERY, cat)), marking).splitlines()
    assert title == "ACL-Verbatim: 3 rows, 2 of them with gold spans, 3 gold spans"
    # The reader marks the sentence with "library", and the one with "sleeps": 8 of 12 gold words.
    assert (precision.split()[3], recall.split()[3]) == ("1.000", "0.667")
    assert all_rows.split()[4] == "0.800"
