from __future__ import annotations

import math

import pytest

from qa.search.analysis import bm25_ceiling, identifiers, question_terms, term_pairs, term_weights


def analyze(text: str) -> list[str]:
    return [word for word in text.lower().replace("?", " ").replace(".", " ").split() if word != "the"]


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("What is the boiling point?", ["is", "boiling", "point"]),
        ("point point boiling", ["point", "boiling"]),
        ("Who?", ["who"]),
        ("Where did the Who play in May?", ["who", "play", "in", "may"]),
        ("may it rain", ["it", "rain"]),
        ("It rained. May it rain?", ["it", "rained", "rain"]),
        ("WHICH PARADE MAY IT BE?", ["parade", "it", "be"]),
        ("", []),
    ],
)
def test_drops_question_words_unless_they_are_names_or_the_only_words(question: str, terms: list[str]) -> None:
    assert question_terms(question, analyze) == terms


def test_pairs_are_neighbouring_terms() -> None:
    assert term_pairs(["a", "b", "c"]) == ["a_b", "b_c"]
    assert term_pairs(["a"]) == []


def test_weights_are_inverse_document_frequencies() -> None:
    weights = term_weights({"rare": 1, "absent": 0, "common": 10}, 10)
    assert weights == {
        "rare": math.log(1 + 9.5 / 1.5),
        "absent": math.log(1 + 10.5 / 0.5),
        "common": math.log(1 + 0.5 / 10.5),
    }
    assert bm25_ceiling(weights) == pytest.approx(2.2 * sum(weights.values()))
    assert bm25_ceiling({}) == 0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Since version 4.6.1, set max_connections.", ["4.6.1", "max_connections"]),
        ("`--no-cache` (or -n) in docker.conf", ["--no-cache", "-n", "docker.conf"]),
        ("Error E-17 at 9:30 on 2024-03-01", ["e-17", "9:30", "2024-03-01"]),
        ("A well-known and/or F7 e.g. U.S. - end.", []),
        ("x_" * 60, []),
    ],
)
def test_identifiers_are_words_joined_by_marks(text: str, names: list[str]) -> None:
    assert identifiers(text) == names
