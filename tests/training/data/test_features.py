from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.reading.passage_tokens import PassageTokens, ReaderText
from qa.training.data.features import (
    Feature,
    QuestionFeatures,
    make_batches,
    make_input,
    make_inputs,
    tokenize_questions,
)
from qa.training.data.passage_examples import PassageExample
from qa.training.data.reader_questions import TrainingQuestion
from qa.types import Span, Table

TOKENIZER = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
QUESTION = TOKENIZER.encode("When?", add_special_tokens=False).ids
PROSE = "Oil the belt every six weeks. Wear gloves. Call Ann."


def find(text: str, part: str) -> Span:
    return Span(text.index(part), text.index(part) + len(part))


def feature(
    passage: ReaderText, *answers: str, titles: str = "", evidence: tuple[tuple[str, bool], ...] = ()
) -> Feature:
    text = passage.text
    marks = tuple((find(text, part), answers_question) for part, answers_question in evidence)
    example = PassageExample("When?", titles, passage, tuple(find(text, part) for part in answers), marks)
    ((question,),) = [tokenize_questions([TrainingQuestion((example,), on_document=True)], TOKENIZER)]
    return question.passages[0]


def numbered(length: int, answers: tuple[tuple[int, int], ...] | None, marked: int | None = None) -> Feature:
    """Return a feature whose tokens are numbered, with one unit of evidence that starts at `marked`."""
    ids = np.arange(3000, 3000 + length)
    offsets = np.stack([np.arange(length), np.arange(length) + 1], axis=1)
    unit = np.full(length, -1, np.int32)
    if marked is not None:
        unit[marked : marked + 3] = 0
    evidence = np.array([True] if marked is not None else [], np.bool_)
    tokens = PassageTokens(ids, offsets, np.zeros(length, np.int64), ())
    return Feature(tokens, (), answers, unit, evidence)


def test_labels_are_mapped_to_tokens() -> None:
    made = feature(ReaderText(PROSE), "six weeks", evidence=(("Wear gloves.", False), ("Call Ann.", True)))
    row = make_input(QUESTION, made, random.Random(1))
    (start,), (end,) = (np.flatnonzero(part).tolist() for part in row.target)
    assert TOKENIZER.decode(row.encoded.ids[start : end + 1].tolist()) == "six weeks"
    assert row.target.sum(1).tolist() == [1, 1]
    units = [TOKENIZER.decode(row.encoded.ids[row.unit == number].tolist()) for number in range(2)]
    assert units == ["wear gloves.", "call ann."]
    assert row.evidence.tolist() == [False, True]
    assert row.usable[0]
    assert not row.usable[1 : row.encoded.offset].any()


def test_headers_are_read_but_are_neither_answer_nor_evidence() -> None:
    text = "Day | Opens\nMonday | nine\nTuesday | ten"
    table = Table(0, ((3, 5), (6, 4), (7, 3)), ("Day", "Opens"), 1)
    made = feature(ReaderText(text, "", (table,)), "ten", titles="Hours.", evidence=(("Tuesday | ten", True),))
    row = make_input(QUESTION, made, random.Random(1))
    words = TOKENIZER.decode(row.encoded.ids.tolist())
    assert "hours." in words
    assert "opens : ten" in words.replace("opens:", "opens :")
    assert TOKENIZER.decode(row.encoded.ids[row.unit == 0].tolist()) == "tuesday | ten"
    assert TOKENIZER.decode(row.encoded.ids[row.target[0] > 0].tolist()) == "ten"
    usable = TOKENIZER.decode(row.encoded.ids[row.usable].tolist())
    assert usable.count("opens") == 1
    assert "hours" not in usable


def test_several_answers_share_the_target_and_none_is_at_the_start() -> None:
    both = make_input(QUESTION, feature(ReaderText(PROSE), "Wear gloves", "Call Ann"), random.Random(1))
    assert sorted(both.target[0][both.target[0] > 0].tolist()) == [0.5, 0.5]
    none = make_input(QUESTION, feature(ReaderText(PROSE)), random.Random(1))
    assert none.target[:, 0].tolist() == [1, 1]
    unlabelled = make_input(QUESTION, replace(feature(ReaderText(PROSE)), answers=None), random.Random(1))
    assert not unlabelled.target.any()


def test_answer_without_a_token_is_unknown() -> None:
    example = PassageExample("When?", "", ReaderText("One.   Two."), (Span(5, 6),))
    (question,) = tokenize_questions([TrainingQuestion((example,), on_document=True)], TOKENIZER)
    assert question.passages[0].answers is None


@given(
    question=st.lists(st.integers(1000, 2000), max_size=64),
    length=st.integers(1, 900),
    ends=st.tuples(st.integers(0, 899), st.integers(0, 40)) | st.none(),
    marked=st.integers(0, 899) | st.none(),
    seed=st.integers(0, 5),
)
def test_window_contains_the_answer_or_else_the_evidence(
    question: list[int], length: int, ends: tuple[int, int] | None, marked: int | None, seed: int
) -> None:
    answers: tuple[tuple[int, int], ...] = ()
    if ends:
        first = min(ends[0], length - 1)
        answers = ((first, min(first + ends[1], length - 1)),)
    marked = None if marked is None else min(marked, length - 1)
    row = make_input(question, numbered(length, answers, marked), random.Random(seed))
    assert len(row.encoded.ids) <= MAX_INPUT_TOKENS
    assert row.encoded.count == min(length, MAX_INPUT_TOKENS - len(question) - 3)
    positions = [int(np.flatnonzero(part)[0]) for part in row.target]
    if answers:
        assert [row.encoded.ids[position] - 3000 for position in positions] == list(answers[0])
    else:
        assert positions == [0, 0]
    if marked is not None and not answers:
        assert row.evidence.tolist() == [True]
    expected = [] if marked is None else list(range(3000 + marked, 3000 + min(marked + 3, length)))
    assert set(row.encoded.ids[row.unit == 0].tolist()) <= set(expected)
    assert bool(len(row.evidence)) == bool((row.unit == 0).any())


def test_teachers_are_kept_if_the_whole_passage_is_read() -> None:
    for length, is_whole in ((20, True), (900, False)):
        taught = np.arange(2 * (length + 1), dtype=np.float32).reshape(2, -1)
        row = make_input(QUESTION, replace(numbered(length, ()), taught=taught), random.Random(1))
        if is_whole:
            assert row.taught is not None
            assert row.taught[1, 0] == length + 1
            place = slice(row.encoded.offset, row.encoded.offset + length)
            assert row.taught[:, place].tolist() == taught[:, 1:].tolist()
        else:
            assert row.taught is None


def test_passages_of_a_question_have_the_same_words_asked() -> None:
    question = QuestionFeatures("How often is the conveyor cleaned?", (numbered(5, ()), numbered(7, ())), True)
    chooser = random.Random(1)
    asked = []
    for _ in range(40):
        first, second = (
            row.encoded.ids[1 : row.encoded.offset - 1].tolist() for row in make_inputs(question, TOKENIZER, chooser)
        )
        assert first == second
        asked.append(tuple(first))
    assert len(set(asked)) > 5


def test_taught_questions_are_changed_less_often() -> None:
    def share(made: Feature) -> float:
        chooser = random.Random(1)
        question = QuestionFeatures("How often is the conveyor cleaned?", (made,), False)
        plain = TOKENIZER.encode(question.text, add_special_tokens=False).ids
        inputs = [make_inputs(question, TOKENIZER, chooser)[0].encoded for _ in range(400)]
        return float(np.mean([row.ids[1 : row.offset - 1].tolist() != plain for row in inputs]))

    untaught = numbered(5, ())
    taught = replace(untaught, taught=np.zeros((2, 6), np.float32))
    assert share(taught) == pytest.approx(share(untaught) / 2, abs=0.08)


def test_batches_contain_every_passage_once_and_do_not_divide_a_question() -> None:
    chooser = random.Random(1)
    lengths = [(n, 30 - n) if n % 3 else (n,) for n in range(4, 27)]
    questions = [[make_input([7], numbered(n, ((1, 2),), 2), chooser) for n in group] for group in lengths]
    batches = make_batches(questions, 8, chooser)
    assert sum(len(batch.ids) for batch in batches) == sum(map(len, questions))
    assert sorted(8 <= len(batch.ids) <= 9 for batch in batches)[1:] == [True] * (len(batches) - 1)
    tokens = sum(len(row.encoded.ids) for question in questions for row in question)
    assert sum(int(batch.mask.sum()) for batch in batches) == tokens
    sizes = sorted(int(count) for batch in batches for count in np.bincount(batch.group))
    assert sizes == sorted(map(len, lengths))
    for batch in batches:
        assert (batch.ids[batch.mask == 0] == 0).all()
        assert not batch.usable[batch.mask == 0].any()
        assert (batch.target.sum(2) == 1).all()
        # Each row has one unit.
        assert batch.evidence.tolist() == [True] * len(batch.ids)
        assert [sorted(set(row[row >= 0].tolist())) for row in batch.unit] == [[n] for n in range(len(batch.ids))]
