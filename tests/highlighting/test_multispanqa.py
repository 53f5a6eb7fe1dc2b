from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.highlighting.multispanqa import (
    Prediction,
    Question,
    judge_items,
    judge_sentences,
    load_questions,
    measure,
    predict,
    score,
)
from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.evidence import Counts
from qa.types import Span

LIBRARY = "The library is run by Ann Lee and Bo Ray . The cat sleeps ."
# As in the published file.
ENTRY = {
    "id": "zbij8e4070dp55kvnbgm",
    "type": "HUM",
    "question": ["who", "runs", "the", "library"],
    "context": LIBRARY.split(),
    "num_span": 2,
    "label": ["O", "O", "O", "O", "O", "B", "I", "O", "B", "I", "O", "O", "O", "O", "O"],
    "structure": "Conjunction",
}


def write(folder: Path, *entries: object) -> Path:
    path = folder / "valid.json"
    path.write_text(json.dumps({"version": 1.0, "data": entries}), encoding="utf-8")
    return path


def with_labels(labels: str) -> object:
    return {"question": ["who"], "context": ["Ann", "Bo", "Cy"], "label": list(labels)}


def test_tokens_are_joined_and_labels_are_spans(tmp_path: Path) -> None:
    (question,) = load_questions(write(tmp_path, ENTRY))
    assert (question.text, question.context) == ("who runs the library", LIBRARY)
    assert question.gold == ["Ann Lee", "Bo Ray"]


@pytest.mark.parametrize(
    ("labels", "answers"), [("BBI", ["Ann", "Bo Cy"]), ("IOI", ["Ann", "Cy"]), ("BII", ["Ann Bo Cy"]), ("OOO", [])]
)
def test_an_answer_begins_with_b_or_after_o(tmp_path: Path, labels: str, answers: list[str]) -> None:
    assert load_questions(write(tmp_path, with_labels(labels)))[0].gold == answers


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"question": ["who"], "context": ["Ann"]}, r"not a labelled file of MultiSpanQA \(KeyError\('label'\)\)"),
        (with_labels("BO"), "not a labelled file of MultiSpanQA"),
        (with_labels("BXO"), "unknown label 'X'"),
    ],
)
def test_a_file_of_another_format_is_an_error(tmp_path: Path, entry: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        load_questions(write(tmp_path, entry))


def test_a_sentence_is_gold_if_it_has_an_answer() -> None:
    question = Question("who", "Ann runs it. The cat sleeps. Bo helps Cy.", (Span(0, 3), Span(29, 31), Span(38, 40)))
    assert judge_sentences(question, [(Span(0, 12), 0.9), (Span(13, 28), 0.8)]) == Counts(1, 2, 1, 2)
    assert judge_sentences(question, []) == Counts(0, 0, 0, 2)


def test_items_are_compared_as_sets_of_normalised_strings() -> None:
    exact, overlap = judge_items(["the plot 4", "Plot 4", "plots 7 and 8"], ["plot 4", "plot 7", "plot 8"])
    assert exact == Counts(1, 2, 1, 3)
    assert (overlap.predicted, overlap.gold) == (2, 3)
    assert (overlap.predicted_right, overlap.gold_found) == pytest.approx((1 + 4 / 13, 1 + 5 / 6 + 5 / 6))


def test_a_side_without_answers_counts_as_one() -> None:
    assert judge_items([], ["Ann", "Bo"]) == (Counts(0, 1, 0, 2), Counts(0, 1, 0, 2))
    assert judge_items(["Ann", "Bo"], []) == (Counts(0, 2, 0, 1), Counts(0, 2, 0, 1))
    assert judge_items([], []) == (Counts(1, 1, 1, 1), Counts(1, 1, 1, 1))


def test_guesses_count_apart_from_answers() -> None:
    question = Question("who", "Ann and Bo", (Span(0, 3), Span(8, 10)))
    figures = measure([question, question], [Prediction([], [], ["Ann", "Bo"]), Prediction([], ["Ann"], ["Ann"])])
    # One of two answers is right and one of four is found; with guesses, three of three and three of four.
    assert figures["items exact F1, as given"].value == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert figures["items exact F1, best guesses"].value == pytest.approx(2 * 0.75 / 1.75)


def test_answers_and_highlights_are_those_of_the_engine(marking: Engine, tmp_path: Path) -> None:
    questions = load_questions(write(tmp_path, ENTRY))
    prediction = predict(questions[0], marking)
    sentence = "The library is run by Ann Lee and Bo Ray ."
    assert [(span.of(LIBRARY), round(score, 2)) for span, score in prediction.marks] == [(sentence, 0.95)]
    assert prediction.given == prediction.guessed == [sentence]
    title, sentences, *_ = score(questions, marking).splitlines()
    assert title == "MultiSpanQA: 1 questions, 2 answers"
    assert sentences.split()[:3] == ["sentence", "F1", "1.000"]


def test_nothing_is_given_where_the_engine_is_not_sure(engine: Engine, tmp_path: Path) -> None:
    entry = {**ENTRY, "question": ["which", "opera", "is", "sung", "in", "vienna"]}
    prediction = predict(load_questions(write(tmp_path, entry))[0], engine)
    assert not prediction.given
    assert prediction.guessed
