from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from qa.reading.answers import Ranked, candidates, context_of, rank_answers
from qa.reading.calibration import Evidence, Scale, Weights
from qa.reading.spans import PassageLogits, WindowLogits
from qa.types import Answer, Hit, Passage, Span

NOTHING = Evidence(*[0.0] * len(Evidence._fields))
SPEAKS = {"reader": 0.5, "retrieval": 1.0, "behind": -0.1, "lead": 0.1, "gap": -0.5, "support": 0.2}
RIGHT = Weights(**{**NOTHING._asdict(), **SPEAKS}, bias=-5.0)
UNANSWERABLE = Weights(**{**NOTHING._asdict(), "reader": -0.5, "lead": -0.1}, bias=1.0)
SCALE = Scale(RIGHT, UNANSWERABLE, refusal=0.6, threshold=0.5)
TEXT = "It was on January 3 that Maria's car, a red one, left."


def hit(text: str, document: str = "d", start: int = 0, retrieval: float = 1.0, **fields: object) -> Hit:
    passage = Passage(document, Span(start, start + len(text)), text, **fields)  # type: ignore[arg-type]
    return Hit(start, passage, None, None, {}, 1.0, 0.5, retrieval)


def read(text: str, *spans: tuple[str, float], null: float = 0.0, occurrence: int = 0) -> PassageLogits:
    """Logits by characters: each given piece of the text gets its logit, everything else next to none."""
    start, end = np.full(len(text), -50, np.float32), np.full(len(text), -50, np.float32)
    for piece, logit in spans:
        place = -1
        for _ in range(occurrence + 1):
            place = text.index(piece, place + 1)
        start[place] = end[place + len(piece) - 1] = logit / 2
    return PassageLogits([(i, i + 1) for i in range(len(text))], [WindowLogits(0, start, end, null)])


def ranked(hits: Sequence[Hit], logits: Sequence[PassageLogits], count: int = 5) -> list[Answer]:
    return [a for a in rank(hits, logits, count).answers if a.components.reader > -40]


def rank(hits: Sequence[Hit], logits: Sequence[PassageLogits], count: int) -> Ranked:
    found = [candidates(hit, made, count) for hit, made in zip(hits, logits, strict=True)]
    return rank_answers(found, 10.0, SCALE, count)


def test_an_answer_is_its_span() -> None:
    (answer,) = ranked([hit(TEXT, start=100)], [read(TEXT, ("January 3", 6.0), null=1.0)])
    assert answer.text == "January 3"
    assert answer.span == Span(110, 119)
    assert answer.score == pytest.approx(6.0 - 1.0 + 10.0)
    assert answer.confidence == RIGHT.probability(
        NOTHING._replace(reader=5.0, null=1.0, retrieval=1.0, best=1.0, lead=15.0)
    )
    assert answer.context_span.of(answer.context) == "January 3"


def test_spans_grow_to_whole_words() -> None:
    assert ranked([hit(TEXT)], [read(TEXT, ("anuary", 6.0))])[0].text == "January"


@pytest.mark.parametrize("text", ["Yes. No", "Yes - No", "Yes ... No"])
def test_punctuation_is_no_answer(text: str) -> None:
    piece = text.removeprefix("Yes").removesuffix("No")
    assert [a.text for a in ranked([hit(text)], [read(text, (piece, 9.0), ("No", 6.0))])] == ["No"]


def test_a_sign_may_be_one() -> None:
    assert ranked([hit("Press ⏏ to end.")], [read("Press ⏏ to end.", ("⏏", 6.0))])[0].text == "⏏"


def test_the_null_of_each_passage_counts() -> None:
    one, other = "The answer is blue.", "Some say it is green."
    hits = [hit(one, "a"), hit(other, "b")]
    logits = [read(one, ("blue", 9.0), null=8.0), read(other, ("green", 5.0), null=-3.0)]
    assert [a.text for a in ranked(hits, logits)] == ["green", "blue"]


def test_retrieval_counts() -> None:
    one, other = "The answer is blue.", "Some say it is green."
    hits = [hit(one, "a", retrieval=0.2), hit(other, "b", retrieval=0.9)]
    logits = [read(one, ("blue", 5.0)), read(other, ("green", 4.0))]
    assert [a.text for a in ranked(hits, logits)] == ["green", "blue"]


def test_equal_spans_of_overlapping_passages_are_one_answer() -> None:
    document = "First part. The year was 1987. Last part."
    hits = [hit(document[:31], start=0), hit(document[12:], start=12, retrieval=0.5)]
    logits = [read(document[:31], ("1987", 6.0)), read(document[12:], ("1987", 7.0))]
    (answer,) = ranked(hits, logits)
    assert answer.span.of(document) == "1987"
    assert [s.span for s in answer.support] == [answer.span]


def test_the_same_words_elsewhere_are_support() -> None:
    one, other = "In 1987 it began.", "It all began in 1987 then."
    (answer,) = ranked([hit(one, "a"), hit(other, "b")], [read(one, ("1987", 6.0)), read(other, ("1987", 5.0))])
    assert [(s.document_id, s.span) for s in answer.support] == [("a", Span(3, 7)), ("b", Span(16, 20))]


def test_overlapping_answers_are_thinned_out() -> None:
    answers = ranked([hit(TEXT)], [read(TEXT, ("January 3", 6.0), ("January", 5.0), ("red", 4.0))])
    assert [a.text for a in answers] == ["January 3", "red"]


def test_no_answer_at_an_edge_that_cuts_a_word() -> None:
    text = "berg said so on Mon"
    for piece in ("berg", "Mon"):
        logits = read(text, (piece, 9.0), ("so", 3.0))
        assert ranked([hit(text)], [logits])[0].text == piece
        assert [a.text for a in ranked([hit(text, cut=(True, True))], [logits])] == ["so"]


def test_lower_answers_are_never_surer() -> None:
    answers = ranked([hit(TEXT)], [read(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))])
    confidences = [a.confidence for a in answers]
    assert len(answers) == 3
    assert confidences == sorted(confidences, reverse=True)


def test_what_speaks_for_an_answer() -> None:
    one, other = "In 1987 it began. Or in 1990?", "It all began in 1987 then."
    hits = [hit(one, "a"), hit(other, "b", retrieval=0.5)]
    logits = [read(one, ("1987", 6.0), ("1990", 4.0), null=1.0), read(other, ("1987", 5.0))]
    made = rank(hits, logits, 2)
    both = NOTHING._replace(null=1.0, retrieval=1.0, depth=math.log(2))
    assert made.evidence == (
        both._replace(reader=5.0, best=1.0, lead=2.0, support=math.log(2)),
        both._replace(reader=3.0, gap=2.0),
    )
    assert made.no_answer == UNANSWERABLE.probability(made.evidence[0])
    assert rank([], [], 2).no_answer == 1.0
    (long,) = rank(hits[:1], [read(one, ("In 1987 it began", 6.0))], 1).evidence
    assert long.length == math.log(4)


@pytest.mark.parametrize(("retrieval", "behind"), [(0.9, 0.0), (1.0, 0.0), (1.005, 0.25), (1.02, 1.0), (2.0, 1.0)])
def test_how_far_its_passage_is_behind_the_best_speaks_for_an_answer(retrieval: float, behind: float) -> None:
    hits = [hit("Nobody knows.", "c", retrieval=retrieval), hit(TEXT, "d")]
    (evidence,) = rank(hits, [read("Nobody knows.", null=9.0), read(TEXT, ("January 3", 26.0))], 1).evidence
    assert evidence.reader == pytest.approx(26.0)
    assert evidence.behind == pytest.approx(behind)


def test_a_copy_does_not_put_a_passage_behind() -> None:
    logits = read(TEXT, ("January 3", 6.0), null=1.0)
    (alone,) = rank([hit(TEXT, "d")], [logits], 1).evidence
    for copies in ("ed", "de", "dfe"):
        (evidence,) = rank([hit(TEXT, document) for document in copies], [logits] * len(copies), 1).evidence
        assert evidence == alone._replace(support=math.log(len(copies)), depth=math.log(len(copies)))


def test_how_many_are_wanted_changes_none_of_them() -> None:
    logits = [read(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))]
    many = ranked([hit(TEXT)], logits, count=3)
    for count in (1, 2):
        assert ranked([hit(TEXT)], logits, count=count) == many[:count]


def test_count_limits() -> None:
    assert len(ranked([hit(TEXT)], [read(TEXT, ("January 3", 6.0), ("red", 4.0), ("car", 2.0))], count=2)) == 2


@pytest.mark.parametrize(
    ("text", "piece", "context"),
    [
        ("One. Two is here. Three.", "Two", "One. Two is here."),
        ("A" * 400 + ". The end is near. More.", "near", "The end is near."),
        ("no sentence at all", "all", "no sentence at all"),
    ],
)
def test_context_is_the_sentence_around(text: str, piece: str, context: str) -> None:
    span = Span(text.index(piece), text.index(piece) + len(piece))
    assert context_of(text, span).of(text) == context
