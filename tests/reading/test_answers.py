from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from qa.reading.answers import RankedAnswers, find_candidates, find_context, rank_answers
from qa.reading.calibration import AnswerFeatures, EvidenceScale, Scale, UnitFeatures, Weights
from qa.reading.spans import PassageLogits, WindowLogits
from qa.results import Answer, Hit
from qa.types import Mark, Passage, Span, Table

NO_FEATURES = AnswerFeatures(*[0.0] * len(AnswerFeatures._fields))
RIGHT_WEIGHTS = {"reader": 0.5, "retrieval": 1.0, "behind": -0.1, "lead": 0.1, "gap": -0.5, "support": 0.2}
RIGHT = Weights(**{**NO_FEATURES._asdict(), **RIGHT_WEIGHTS}, bias=-5.0)
UNANSWERABLE = Weights(**{**NO_FEATURES._asdict(), "reader": -0.5, "lead": -0.1}, bias=1.0)
UNITS = EvidenceScale(UnitFeatures(1.0, 0.1, 0.0, 0.0, 0.1, 1.0, -0.1, 0.5, 0.1, 0.2), -1.0, 0.5, 0.4, 0.9)
SCALE = Scale(RIGHT, UNANSWERABLE, answered=0.6, unsure=0.3, threshold=0.5, item_gap=1.0, evidence=UNITS)
TEXT = "It was on January 3 that Maria's car, a red one, left."


def hit(text: str, document: str = "d", start: int = 0, retrieval: float = 1.0, **fields: object) -> Hit:
    passage = Passage(document, Span(start, start + len(text)), text, **fields)  # type: ignore[arg-type]
    return Hit(start, passage, None, None, {}, 1.0, 0.5, retrieval)


def passage_logits(text: str, *spans: tuple[str, float], null: float = 0.0) -> PassageLogits:
    """Return logits with one token per character: each given span gets its logit, and all others about -50."""
    start, end = np.full(len(text), -50, np.float32), np.full(len(text), -50, np.float32)
    for piece, logit in spans:
        first = text.index(piece)
        start[first] = end[first + len(piece) - 1] = logit / 2
    places = np.stack([np.arange(len(text)), np.arange(len(text)) + 1], axis=1)
    return PassageLogits(places, [WindowLogits(0, start, end, null)], np.zeros(len(text), np.int64))


def answers_of(hits: Sequence[Hit], logits: Sequence[PassageLogits], count: int = 5) -> list[Answer]:
    """Return the ranked answers that `passage_logits` was given."""
    return [a for a in rank(hits, logits, count).answers if a.components.reader > -40]


def rank(hits: Sequence[Hit], logits: Sequence[PassageLogits], count: int) -> RankedAnswers:
    passages = [find_candidates(hit, of_passage, count) for hit, of_passage in zip(hits, logits, strict=True)]
    return rank_answers(passages, 10.0, SCALE, count)


def test_answer_is_the_text_of_its_span() -> None:
    (answer,) = answers_of([hit(TEXT, start=100)], [passage_logits(TEXT, ("January 3", 6.0), null=1.0)])
    assert answer.text == "January 3"
    assert answer.span == Span(110, 119)
    assert answer.score == pytest.approx(6.0 - 1.0 + 10.0)
    assert answer.confidence == RIGHT.probability(
        NO_FEATURES._replace(reader=5.0, null=1.0, retrieval=1.0, best=1.0, lead=15.0)
    )
    assert answer.context_span.of(answer.context) == "January 3"


def test_widens_spans_to_whole_words() -> None:
    assert answers_of([hit(TEXT)], [passage_logits(TEXT, ("anuary", 6.0))])[0].text == "January"


@pytest.mark.parametrize("text", ["Yes. No", "Yes - No", "Yes ... No"])
def test_rejects_punctuation_as_an_answer(text: str) -> None:
    piece = text.removeprefix("Yes").removesuffix("No")
    assert [a.text for a in answers_of([hit(text)], [passage_logits(text, (piece, 9.0), ("No", 6.0))])] == ["No"]


def test_accepts_a_symbol_as_an_answer() -> None:
    assert answers_of([hit("Press ⏏ to end.")], [passage_logits("Press ⏏ to end.", ("⏏", 6.0))])[0].text == "⏏"


def test_ranks_by_the_margin_over_each_passages_null_logit() -> None:
    blue, green = "The answer is blue.", "Some say it is green."
    hits = [hit(blue, "a"), hit(green, "b")]
    logits = [passage_logits(blue, ("blue", 9.0), null=8.0), passage_logits(green, ("green", 5.0), null=-3.0)]
    assert [a.text for a in answers_of(hits, logits)] == ["green", "blue"]


def test_ranks_by_retrieval_score() -> None:
    blue, green = "The answer is blue.", "Some say it is green."
    hits = [hit(blue, "a", retrieval=0.2), hit(green, "b", retrieval=0.9)]
    logits = [passage_logits(blue, ("blue", 5.0)), passage_logits(green, ("green", 4.0))]
    assert [a.text for a in answers_of(hits, logits)] == ["green", "blue"]


def test_merges_equal_spans_of_overlapping_passages() -> None:
    document = "First part. The year was 1987. Last part."
    hits = [hit(document[:31], start=0), hit(document[12:], start=12, retrieval=0.5)]
    logits = [passage_logits(document[:31], ("1987", 6.0)), passage_logits(document[12:], ("1987", 7.0))]
    (answer,) = answers_of(hits, logits)
    assert answer.span.of(document) == "1987"
    assert [s.span for s in answer.support] == [answer.span]


def test_same_text_in_another_document_is_support() -> None:
    first, second = "In 1987 it began.", "It all began in 1987 then."
    logits = [passage_logits(first, ("1987", 6.0)), passage_logits(second, ("1987", 5.0))]
    (answer,) = answers_of([hit(first, "a"), hit(second, "b")], logits)
    assert [(s.document_id, s.span) for s in answer.support] == [("a", Span(3, 7)), ("b", Span(16, 20))]


def test_drops_overlapping_answers() -> None:
    answers = answers_of([hit(TEXT)], [passage_logits(TEXT, ("January 3", 6.0), ("January", 5.0), ("red", 4.0))])
    assert [a.text for a in answers] == ["January 3", "red"]


def test_rejects_a_span_at_an_edge_that_cuts_a_word() -> None:
    text = "berg said so on Mon"
    for piece in ("berg", "Mon"):
        logits = passage_logits(text, (piece, 9.0), ("so", 3.0))
        assert answers_of([hit(text)], [logits])[0].text == piece
        assert [a.text for a in answers_of([hit(text, cut=(True, True))], [logits])] == ["so"]


def test_confidence_never_rises_with_rank() -> None:
    answers = answers_of([hit(TEXT)], [passage_logits(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))])
    confidences = [a.confidence for a in answers]
    assert len(answers) == 3
    assert confidences == sorted(confidences, reverse=True)


def test_collects_features_of_each_answer() -> None:
    first, second = "In 1987 it began. Or in 1990?", "It all began in 1987 then."
    hits = [hit(first, "a"), hit(second, "b", retrieval=0.5)]
    logits = [
        passage_logits(first, ("1987", 6.0), ("1990", 4.0), null=1.0),
        passage_logits(second, ("1987", 5.0)),
    ]
    ranked = rank(hits, logits, 2)
    common = NO_FEATURES._replace(null=1.0, retrieval=1.0, depth=math.log(2))
    assert ranked.features == (
        common._replace(reader=5.0, best=1.0, lead=2.0, support=math.log(2)),
        common._replace(reader=3.0, gap=2.0),
    )
    assert ranked.no_answer == UNANSWERABLE.probability(ranked.features[0])
    assert rank([], [], 2).no_answer == 1.0
    (features,) = rank(hits[:1], [passage_logits(first, ("In 1987 it began", 6.0))], 1).features
    assert features.length == math.log(4)


@pytest.mark.parametrize(("retrieval", "behind"), [(0.9, 0.0), (1.0, 0.0), (1.005, 0.25), (1.02, 1.0), (2.0, 1.0)])
def test_features_have_the_retrieval_gap_to_the_best_passage(retrieval: float, behind: float) -> None:
    hits = [hit("No one knows.", "c", retrieval=retrieval), hit(TEXT, "d")]
    logits = [passage_logits("No one knows.", null=9.0), passage_logits(TEXT, ("January 3", 26.0))]
    (features,) = rank(hits, logits, 1).features
    assert features.reader == pytest.approx(26.0)
    assert features.behind == pytest.approx(behind)


def test_copies_of_a_passage_do_not_change_its_retrieval_gap() -> None:
    logits = passage_logits(TEXT, ("January 3", 6.0), null=1.0)
    (alone,) = rank([hit(TEXT, "d")], [logits], 1).features
    for copies in ("ed", "de", "dfe"):
        (features,) = rank([hit(TEXT, document) for document in copies], [logits] * len(copies), 1).features
        assert features == alone._replace(support=math.log(len(copies)), depth=math.log(len(copies)))


def test_count_does_not_change_the_answers() -> None:
    logits = [passage_logits(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))]
    many = answers_of([hit(TEXT)], logits, count=3)
    for count in (1, 2):
        assert answers_of([hit(TEXT)], logits, count=count) == many[:count]


def test_count_limits_the_number_of_answers() -> None:
    logits = [passage_logits(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))]
    assert len(answers_of([hit(TEXT)], logits, count=2)) == 2


@pytest.mark.parametrize(
    ("text", "piece", "context"),
    [
        ("One. Two is here. Three.", "Two", "One. Two is here."),
        ("A" * 400 + ". The end is near. More.", "near", "The end is near."),
        ("no sentence at all", "all", "no sentence at all"),
    ],
)
def test_context_is_the_surrounding_sentence(text: str, piece: str, context: str) -> None:
    span = Span(text.index(piece), text.index(piece) + len(piece))
    assert find_context(text, span).of(text) == context


def test_an_answer_names_its_place() -> None:
    text = "Part | Price\nPump | 90\nSeal | 4"
    # The sheet's rows 2, 3 and 7, from column C onwards.
    table = Table(100, ((4, 5), (4, 2), (4, 1)), ("Part", "Price"), 1, True, (2, 3, 7), 3)
    marks = (Mark(90, 2, "Prices"), Mark(123, 3, "Prices", "ocr"))
    places = {
        text.index(words): (words, cell, page, ocr)
        for words, cell, page, ocr in (("90", "D3", 2, False), ("Seal", "C7", 3, True), ("Pump", "C3", 2, False))
    }
    for start, (words, cell, page, ocr) in places.items():
        (answer,) = answers_of(
            [hit(text, start=100, marks=marks, tables=(table,))], [passage_logits(text, (words, 6.0))], count=1
        )
        assert (answer.text, answer.span.start) == (words, 100 + start)
        assert (answer.cell, answer.section, answer.page, answer.ocr) == (cell, "Prices", page, ocr)


def test_an_answer_is_marked_as_recognised_if_a_part_of_it_is() -> None:
    text = "The fee is nine euros."
    for start, ocr in ((text.index("euros"), True), (text.index("nine"), True), (text.index("."), False)):
        marks = (Mark(0), Mark(start, kind="ocr"))
        (answer,) = answers_of([hit(text, marks=marks)], [passage_logits(text, ("nine euros", 6.0))])
        assert (answer.text, answer.ocr, answer.cell) == ("nine euros", ocr, None)


def test_nearly_equal_spans_of_the_best_passage_are_items_in_the_order_of_the_text() -> None:
    text = "Signed by Ann Hale, Tom Reed and Eva Moss."
    logits = passage_logits(text, ("Tom Reed", 6.0), ("Ann Hale", 5.5), ("Eva Moss", 5.2), ("Signed", 1.0))
    best, *_ = answers_of([hit(text, start=10)], [logits])
    assert best.text == "Tom Reed"
    assert [(item.text, item.span) for item in best.items] == [
        ("Ann Hale", Span(20, 28)),
        ("Tom Reed", Span(30, 38)),
        ("Eva Moss", Span(43, 51)),
    ]


def test_the_parts_of_an_enumeration_are_items() -> None:
    text = "Bring a lamp, rope and tea."
    best, *_ = answers_of([hit(text, start=10)], [passage_logits(text, ("lamp, rope and tea", 6.0), ("Bring", 5.0))])
    assert best.text == "lamp, rope and tea"
    assert [(item.text, item.span) for item in best.items] == [
        ("lamp", Span(18, 22)),
        ("rope", Span(24, 28)),
        ("tea", Span(33, 36)),
    ]


def test_an_answer_that_is_one_thing_has_no_items() -> None:
    (best, second) = answers_of([hit(TEXT)], [passage_logits(TEXT, ("January 3", 6.0), ("Maria", 4.0))])
    assert (best.items, second.items) == ((), ())
