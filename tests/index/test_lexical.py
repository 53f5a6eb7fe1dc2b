from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from qa.index.lexical import LexicalIndex, StaleFiles, ceiling

TEXTS = {
    5: "The cat sat on the mat.",
    9: "Cats and dogs are running; the running dog is happy.",
    2**40: "A mat for the café.",
}


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    made = LexicalIndex(tmp_path / "lexical", create=True)
    made.apply([], TEXTS.items(), 3, "m")
    return made


# Stemmed, without stop words.
STEMS = {5: ["cat", "sat", "mat"], 9: ["cat", "dog", "run", "run", "dog", "happi"], 2**40: ["mat", "cafe"]}


def idf(count: int) -> float:
    return math.log(1 + (3 - count + 0.5) / (count + 0.5))


def test_scores_are_bm25_of_stems_and_pairs(lexical: LexicalIndex) -> None:
    words = {passage: [*stems, *map("_".join, pairwise(stems))] for passage, stems in STEMS.items()}
    lengths = {passage: 2 * len(w) + 150 for passage, w in words.items()}
    average = sum(lengths.values()) / 3

    def bm25(term: str, passage: int) -> float:
        tf, n = words[passage].count(term), sum(term in w for w in words.values())
        return idf(n) * tf * 2.2 / (tf + 0.6 * (0.25 + 0.75 * lengths[passage] / average))

    found = dict(lexical.searcher().search("Where did the running dog sit by the cat?", 10))
    own = bm25("run", 9) + bm25("dog", 9) + bm25("cat", 9) + 0.4 * bm25("run_dog", 9)
    # tantivy keeps lengths to about one digit and a half.
    assert found == pytest.approx({5: bm25("cat", 5), 9: own}, rel=0.02)


def test_the_ceiling_is_what_a_passage_full_of_the_words_would_score(lexical: LexicalIndex) -> None:
    full = " ".join(["running zebra"] * 300)
    searcher = lexical.searcher()
    weights = searcher.weights("Who was the running cat, or a zebra?")
    assert weights == pytest.approx({"run": idf(1), "cat": idf(2), "zebra": idf(0)})
    assert ceiling(weights) == pytest.approx(2.2 * (idf(1) + idf(2) + idf(0)))
    lexical.apply([], [(7, full)], 4, "m")
    searcher = lexical.searcher()
    (_, best) = searcher.search("zebra", 1)[0]
    most = ceiling(searcher.weights("zebra"))
    assert 0.95 * most < best < most
    assert ceiling(searcher.weights("of the")) == 0


def test_question_words_count_where_there_is_nothing_else(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "The Who were a band."), (7, "Nobody knew who had done what.")], 4, "m")
    searcher = lexical.searcher()
    assert {passage for passage, _ in searcher.search("who?", 5)} == {6, 7}
    assert [passage for passage, _ in searcher.search("Who was in the band?", 5)] == [6]
    assert ceiling(searcher.weights("Who was it?")) > 0


def test_question_words_that_are_names_count(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "The parade is in May."), (7, "The parade is in June."), (8, "It may rain.")], 4, "m")
    searcher = lexical.searcher()
    assert [passage for passage, _ in searcher.search("Which parade is in May?", 5)] == [6, 7, 8]
    assert [passage for passage, _ in searcher.search("may it rain", 5)] == [8]
    for query in ("WHICH PARADE MAY IT BE?", "Which Parade May It Be?", "There is a parade. May it be so?"):
        assert [passage for passage, _ in searcher.search(query, 5)] == [6, 7], query


def test_words_of_other_scripts_stay_whole(lexical: LexicalIndex) -> None:
    lexical.apply([], [(6, "हिन्दी भाषा"), (7, "दी")], 4, "m")
    assert [passage for passage, _ in lexical.searcher().search("What is हिन्दी?", 5)] == [
        passage for passage, _ in lexical.searcher().search("हिन्दी", 5)
    ]


def test_accents_and_case_do_not_matter(lexical: LexicalIndex) -> None:
    assert [n for n, _ in lexical.searcher().search("CAFE", 5)] == [2**40]


@pytest.mark.parametrize(
    "text", ["The running dog_house's, o.k.? " + "x" * 90, "İstanbul's café", "हिन्दी भाषा", "ΟΔΟΣ"]
)
def test_stems_of_a_text_are_those_that_are_counted(lexical: LexicalIndex, text: str) -> None:
    lexical.apply([], [(6, text)], 4, "m")
    searcher = lexical.searcher()
    stems = [stem for stem in searcher.stems(text) if stem]
    assert set(stems) == set(searcher.weights(text))
    assert all(searcher.search(stem, 1) for stem in stems if stem.isascii())


@pytest.mark.parametrize("query", ["", "the of and", "?!", "zebra", '"'])
def test_queries_without_a_known_word_find_nothing(lexical: LexicalIndex, query: str) -> None:
    assert lexical.searcher().search(query, 5) == []


def test_operators_are_words(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert searcher.search("text:cat AND (", 5) == searcher.search("cat", 5) != []


def test_scores_of_given_passages_equal_those_of_a_search(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert searcher.scores("cat mat", [5, 9, 2**40, 77]) == {**dict(searcher.search("cat mat", 10)), 77: 0.0}


def test_allowed_passages_only(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    assert [n for n, _ in searcher.search("cat", 5, [9, 2**40])] == [9]
    assert searcher.search("cat", 5, []) == []


def test_a_searcher_does_not_see_later_writes(lexical: LexicalIndex) -> None:
    searcher = lexical.searcher()
    lexical.apply([5], [(6, "another cat")], 4, "m")
    assert searcher.passages() == sorted(TEXTS)
    assert lexical.searcher().passages() == [6, 9, 2**40]


def test_applying_twice_is_applying_once(lexical: LexicalIndex) -> None:
    lexical.apply([5], [(9, TEXTS[9])], 4, "m")
    lexical.apply([5], [(9, TEXTS[9])], 4, "m")
    assert lexical.searcher().passages() == [9, 2**40]
    assert LexicalIndex(lexical.folder).revision == 4


def test_files_that_cannot_be_used_say_so(lexical: LexicalIndex, tmp_path: Path) -> None:
    (lexical.folder / "REVISION").write_text("0 1 2")
    with pytest.raises(StaleFiles, match="REVISION"):
        LexicalIndex(lexical.folder)
    (lexical.folder / "meta.json").unlink()
    with pytest.raises(StaleFiles, match="no postings"):
        LexicalIndex(lexical.folder)
    with pytest.raises(StaleFiles, match="nowhere"):
        LexicalIndex(tmp_path / "nowhere")
