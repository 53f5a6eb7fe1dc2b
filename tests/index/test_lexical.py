from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from qa.index.lexical import LexicalIndex, LexicalSearcher
from qa.index.stale_files import StaleFiles
from qa.search.analysis import bm25_ceiling, identifiers, term_weights

TEXTS = {
    5: "The cat sat on the mat.",
    9: "Cats and dogs are running; the running dog is happy.",
    2**40: "A mat for the café.",
}
# Stemmed, without stop words.
STEMS = {5: ["cat", "sat", "mat"], 9: ["cat", "dog", "run", "run", "dog", "happi"], 2**40: ["mat", "cafe"]}


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    index = LexicalIndex(tmp_path / "lexical", create=True)
    index.apply([], TEXTS.items(), 3, "m")
    return index


def idf(frequency: int) -> float:
    return math.log(1 + (3 - frequency + 0.5) / (frequency + 0.5))


def weights(searcher: LexicalSearcher, question: str) -> dict[str, float]:
    return term_weights(searcher.document_frequencies(question), len(searcher))


def test_scores_are_bm25_of_stems_and_pairs(lexical: LexicalIndex) -> None:
    terms = {passage: [*stems, *map("_".join, pairwise(stems))] for passage, stems in STEMS.items()}
    lengths = {passage: 2 * len(t) + 150 for passage, t in terms.items()}
    average = sum(lengths.values()) / 3

    def bm25(term: str, passage: int) -> float:
        tf, n = terms[passage].count(term), sum(term in t for t in terms.values())
        return idf(n) * tf * 2.2 / (tf + 0.6 * (0.25 + 0.75 * lengths[passage] / average))

    scores = dict(lexical.searcher().search("Where did the running dog sit by the cat?", 10))
    expected = bm25("run", 9) + bm25("dog", 9) + bm25("cat", 9) + 0.4 * bm25("run_dog", 9)
    # tantivy stores lengths with about 1.5 significant digits.
    assert scores == pytest.approx({5: bm25("cat", 5), 9: expected}, rel=0.02)


def test_ceiling_is_the_score_of_a_passage_full_of_the_terms(lexical: LexicalIndex) -> None:
    full = " ".join(["running zebra"] * 300)
    question_weights = weights(lexical.searcher(), "Who was the running cat, or a zebra?")
    assert question_weights == pytest.approx({"run": idf(1), "cat": idf(2), "zebra": idf(0)})
    assert bm25_ceiling(question_weights) == pytest.approx(2.2 * (idf(1) + idf(2) + idf(0)))
    lexical.apply([], [(7, full)], 4, "m")
    searcher = lexical.searcher()
    (_, best) = searcher.search("zebra", 1)[0]
    ceiling = bm25_ceiling(weights(searcher, "zebra"))
    assert 0.95 * ceiling < best < ceiling
    assert bm25_ceiling(weights(searcher, "of the")) == 0


def test_question_words_count_when_there_are_no_other_terms(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "The Who were a band."), (7, "No one knew who had done what.")], 4, "m")
    searcher = lexical.searcher()
    assert {passage for passage, _ in searcher.search("who?", 5)} == {6, 7}
    assert [passage for passage, _ in searcher.search("Who was in the band?", 5)] == [6]
    assert bm25_ceiling(weights(searcher, "Who was it?")) > 0


def test_question_words_that_are_names_count(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "The parade is in May."), (7, "The parade is in June."), (8, "It may rain.")], 4, "m")
    searcher = lexical.searcher()
    assert [passage for passage, _ in searcher.search("Which parade is in May?", 5)] == [6, 7, 8]
    assert [passage for passage, _ in searcher.search("may it rain", 5)] == [8]
    for question in ("WHICH PARADE MAY IT BE?", "Which Parade May It Be?", "There is a parade. May it be so?"):
        assert [passage for passage, _ in searcher.search(question, 5)] == [6, 7], question


def test_words_of_other_scripts_are_not_split(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "हिन्दी भाषा"), (7, "दी")], 4, "m")
    assert [passage for passage, _ in lexical.searcher().search("What is हिन्दी?", 5)] == [
        passage for passage, _ in lexical.searcher().search("हिन्दी", 5)
    ]


def test_an_identifier_is_a_term_besides_its_parts(lexical: LexicalIndex) -> None:
    texts = ["Release 4.6.1 is new.", "Release 1.4.6 is old.", "Pass --no-cache.", "There is no cache.", "E-17", "17 E"]
    lexical.apply([], enumerate(texts, 20), 4, "m")
    searcher = lexical.searcher()
    for question, first, second in (("4.6.1?", 20, 21), ("what does --no-cache do", 22, 23), ("error e-17", 24, 25)):
        (best, score), (other, lower) = searcher.search(question, 2)
        assert (best, other) == (first, second)
        assert score > 1.3 * lower
    assert searcher.document_frequencies("4.6.1") == {"4": 2, "6": 2, "1": 2, "4.6.1": 1}
    # An identifier that does not occur counts by its parts only.
    assert searcher.document_frequencies("6.4") == {"6": 2, "4": 2}


def test_accents_and_case_do_not_matter(lexical: LexicalIndex) -> None:
    assert [id for id, _ in lexical.searcher().search("CAFE", 5)] == [2**40]


@pytest.mark.parametrize(
    "text", ["The running dog_house's, o.k.? " + "x" * 90, "İstanbul's café", "हिन्दी भाषा", "ΟΔΟΣ"]
)
def test_analysis_returns_the_indexed_stems(lexical: LexicalIndex, text: str) -> None:
    lexical.apply([], [(6, text)], 4, "m")
    searcher = lexical.searcher()
    stems = [stem for stem in searcher.analyze(text) if stem]
    assert set(stems) == set(searcher.document_frequencies(text)) - set(identifiers(text))
    assert all(searcher.search(stem, 1) for stem in stems if stem.isascii())


@pytest.mark.parametrize("question", ["", "the of and", "?!", "zebra", '"'])
def test_questions_without_indexed_terms_match_nothing(lexical: LexicalIndex, question: str) -> None:
    assert lexical.searcher().search(question, 5) == []


def test_query_operators_are_plain_words(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert searcher.search("text:cat AND (", 5) == searcher.search("cat", 5) != []


def test_scores_of_chosen_passages_equal_those_of_a_search(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert searcher.scores("cat mat", [5, 9, 2**40, 77]) == {**dict(searcher.search("cat mat", 10)), 77: 0.0}


def test_returns_only_allowed_passages(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert [id for id, _ in searcher.search("cat", 5, [9, 2**40])] == [9]
    assert searcher.search("cat", 5, []) == []


def test_searcher_does_not_see_later_writes(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    lexical.apply([5], [(6, "another cat")], 4, "m")
    assert searcher.passage_ids() == sorted(TEXTS)
    assert lexical.searcher().passage_ids() == [6, 9, 2**40]


def test_applying_changes_twice_has_no_further_effect(lexical: LexicalIndex) -> None:
    lexical.apply([5], [(9, TEXTS[9])], 4, "m")
    lexical.apply([5], [(9, TEXTS[9])], 4, "m")
    assert lexical.searcher().passage_ids() == [9, 2**40]
    assert LexicalIndex(lexical.folder).revision == 4


def test_unusable_files_raise_stale_files(lexical: LexicalIndex, tmp_path: Path) -> None:
    (lexical.folder / "REVISION").write_text("0 1 2")
    with pytest.raises(StaleFiles, match="REVISION"):
        LexicalIndex(lexical.folder)
    (lexical.folder / "meta.json").unlink()
    with pytest.raises(StaleFiles, match="no postings"):
        LexicalIndex(lexical.folder)
    with pytest.raises(StaleFiles, match="nowhere"):
        LexicalIndex(tmp_path / "nowhere")
