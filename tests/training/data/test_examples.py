from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.training.data.examples import (
    Example,
    Source,
    is_held_out,
    load_excluded_text,
    load_training_examples,
    normalise,
    split,
)
from qa.training.data.negatives import mine_hard_negatives
from qa.types import Span
from tests.training.labelled_files import CONTEXTS, write_squad


def test_split_ignores_case_and_spaces() -> None:
    for text in CONTEXTS:
        assert is_held_out(text) == is_held_out("  " + text.upper().replace(" ", "\n") + " ")
    share = sum(is_held_out(f"text number {n}") for n in range(4000)) / 4000
    assert 0.035 < share < 0.065


def test_split_keeps_every_question() -> None:
    questions = tuple(LabelledQuestion(str(n), "Who?", n, (Span(0, 2),)) for n in range(len(CONTEXTS)))
    kept, held_out = split(Dataset("d", tuple(CONTEXTS), questions))
    assert len(kept.questions) + len(held_out.questions) == len(questions)
    assert all(is_held_out(CONTEXTS[q.context]) for q in held_out.questions)
    assert held_out.questions


def test_evaluation_contexts_are_not_trained_on(tmp_path: Path) -> None:
    write_squad(tmp_path / "train.json", CONTEXTS)
    write_squad(tmp_path / "dev.json", [CONTEXTS[1].upper() + " And more."])
    excluded = load_excluded_text(tmp_path, [Source("train.json")], [tmp_path / "dev.json"])
    examples = load_training_examples(tmp_path, [Source("train.json")], excluded, seed=1)
    contexts = {example.context for example in examples}
    assert CONTEXTS[1] not in contexts
    assert contexts == {c for c in CONTEXTS if not is_held_out(c)} - {CONTEXTS[1]}
    # Answers that end inside a word are skipped.
    assert {example.answer for example in examples} == {Span(3, 7)}
    assert len(load_training_examples(tmp_path, [Source("train.json", 7)], excluded, seed=1)) == 7


def test_source_can_select_answerable_or_unanswerable_questions(tmp_path: Path) -> None:
    write_squad(tmp_path / "train.json", CONTEXTS)
    content = json.loads((tmp_path / "train.json").read_text())
    for paragraph in content["data"][0]["paragraphs"][::3]:
        for entry in paragraph["qas"]:
            entry.update(answers=[], is_impossible=True)
    (tmp_path / "train.json").write_text(json.dumps(content))
    is_answerable = {
        answerable: [
            example.answer is not None
            for example in load_training_examples(tmp_path, [Source("train.json", None, answerable)], "", seed=1)
        ]
        for answerable in (None, True, False)
    }
    assert all(is_answerable[True])
    assert is_answerable[False]
    assert not any(is_answerable[False])
    assert sorted(is_answerable[None]) == sorted(is_answerable[True] + is_answerable[False])


def test_title_of_a_collection_is_not_used(tmp_path: Path) -> None:
    texts = [f"In {n} number {n} came." for n in range(1000, 1201)]
    articles = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": text,
                    "qas": [{"id": text, "question": "When?", "answers": [{"text": text[3:7], "answer_start": 3}]}],
                }
                for text in part
            ],
        }
        for title, part in (("Shops_of_Ann", CONTEXTS), ("collection", texts), ("", ["In 1999 more."]))
    ]
    (tmp_path / "train.json").write_text(json.dumps({"data": articles}))
    examples = load_training_examples(tmp_path, [Source("train.json", titled=True)], "", seed=1)
    assert {example.title for example in examples} == {"Shops of Ann", None}
    assert {example.title for example in examples if example.context in texts} == {None}
    for example in examples:
        assert (example.title is None) == (example.context not in CONTEXTS)
    untitled = load_training_examples(tmp_path, [Source("train.json")], "", seed=1)
    assert {example.title for example in untitled} == {None}


@pytest.mark.parametrize("per_question", [1, 3])
def test_hard_negatives_lack_the_answer(per_question: int) -> None:
    examples = [
        Example(f"Who opened shop number {n}?", text, Span(8, 11 + len(str(n))), f"{n}")
        for n, text in enumerate(CONTEXTS)
    ]
    mined = mine_hard_negatives(examples, 20, seed=1, per_question=per_question)
    assert len(mined) == 20
    assert {len({negative.context for negative in negatives}) for negatives in mined.values()} == {per_question}
    for index, negatives in mined.items():
        source = examples[index]
        assert source.answer is not None
        for negative in negatives:
            assert negative.question == source.question
            assert negative.answer is None
            assert negative.title == str(CONTEXTS.index(negative.context))
            assert f" {normalise(source.answer.of(source.context))} " not in f" {normalise(negative.context)} "
