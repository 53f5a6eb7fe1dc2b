from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.training.data.examples import (
    Example,
    Source,
    is_held_out,
    load_excluded_text,
    load_training_examples,
    normalise,
    split,
)
from qa.training.data.features import (
    Feature,
    choose_window_size,
    make_batches,
    make_input,
    tokenize_examples,
)
from qa.training.data.negatives import mine_hard_negatives
from qa.types import Span

CONTEXTS = [f"In {1900 + n} Ann{n} opened shop number {n} in the town of Place{n}." for n in range(60)]


def write_squad(path: Path, contexts: list[str]) -> None:
    """Write a SQuAD file with a question on each context, and a second one on every other context."""
    paragraphs = [
        {
            "context": text,
            "qas": [
                {"id": text[3:7], "question": "When was it?", "answers": [{"text": text[3:7], "answer_start": 3}]},
                {"id": text[3:6], "question": "Who?", "answers": [{"text": text[3:6], "answer_start": 3}]},
            ][: 1 + (n % 2)],
        }
        for n, text in enumerate(contexts)
    ]
    for paragraph in paragraphs:
        for entry in paragraph["qas"]:
            entry["id"] = f"{paragraph['context']}-{entry['id']}"  # type: ignore[index]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))


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


def test_title_is_between_question_and_passage() -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    long = " ".join([CONTEXTS[0]] * 40)
    for context in (CONTEXTS[0], long):
        ((feature,),) = tokenize_examples([(Example("When?", context, Span(3, 7), "Shops of Ann"),)], tokenizer)
        passage = make_input(feature, random.Random(1), MAX_INPUT_TOKENS, titled=True)
        encoded = passage.encoded
        assert len(encoded.ids) <= MAX_INPUT_TOKENS
        title = tokenizer.encode("Shops of Ann.", add_special_tokens=False).ids
        assert encoded.ids[encoded.offset - len(title) : encoded.offset].tolist() == title
        assert tokenizer.decode(encoded.ids[passage.start : passage.end + 1].tolist()) == "1900"
        (batch,) = make_batches([[passage]], 1, random.Random(1))
        assert np.flatnonzero(batch.usable[0]).tolist() == [0, *range(encoded.offset, encoded.offset + encoded.count)]
        untitled = make_input(feature, random.Random(1), MAX_INPUT_TOKENS).encoded
        assert untitled.offset == encoded.offset - len(title)


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


@pytest.mark.parametrize("whole", [True, False])
@given(
    question=st.lists(st.integers(1000, 2000), max_size=64),
    length=st.integers(1, 900),
    ends=st.tuples(st.integers(0, 899), st.integers(0, 40)) | st.none(),
    seed=st.integers(0, 5),
)
def test_window_contains_the_answer(
    whole: bool, question: list[int], length: int, ends: tuple[int, int] | None, seed: int
) -> None:
    context = np.arange(3000, 3000 + length, dtype=np.int32)
    answer = None
    if ends:
        first = min(ends[0], length - 1)
        answer = (first, min(first + ends[1], length - 1))
    chooser = random.Random(seed)
    size = choose_window_size(chooser, whole=whole)
    passage = make_input(Feature(tuple(question), context, answer), chooser, size)
    assert len(passage.encoded.ids) <= MAX_INPUT_TOKENS
    if answer is None:
        assert (passage.start, passage.end) == (0, 0)
    else:
        assert (
            passage.encoded.ids[passage.start : passage.end + 1].tolist() == context[answer[0] : answer[1] + 1].tolist()
        )


def test_answer_is_mapped_to_tokens() -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    ((feature,),) = tokenize_examples([(Example("When?", CONTEXTS[0], Span(3, 7)),)], tokenizer)
    assert feature.answer == (1, 1)
    assert tokenizer.decode(feature.context[1:2].tolist()) == "1900"


def test_batches_contain_every_passage_once_and_do_not_divide_a_question() -> None:
    chooser = random.Random(1)
    lengths = [(n, 30 - n) if n % 3 else (n,) for n in range(1, 30)]
    questions = [
        [
            make_input(Feature((1,), np.arange(3000, 3000 + n, dtype=np.int32), None), chooser, MAX_INPUT_TOKENS)
            for n in group
        ]
        for group in lengths
    ]
    batches = make_batches(questions, 8, chooser)
    rows = sum(len(question) for question in questions)
    assert sum(len(batch.ids) for batch in batches) == rows
    assert sorted(8 <= len(batch.ids) <= 9 for batch in batches)[1:] == [True] * (len(batches) - 1)
    tokens = sum(len(passage.encoded.ids) for question in questions for passage in question)
    assert sum(int(batch.mask.sum()) for batch in batches) == tokens
    assert all((batch.ids[batch.mask == 0] == 0).all() for batch in batches)
    sizes = sorted(int(count) for batch in batches for count in np.bincount(batch.group))
    assert sizes == sorted(map(len, lengths))


def test_contexts_with_unanswerable_questions_are_marked(tmp_path: Path) -> None:
    answerable = {0: [True, False], 1: [True], 2: [False]}
    paragraphs = [
        {
            "context": CONTEXTS[number],
            "qas": [
                {
                    "id": f"{number}-{n}",
                    "question": f"When did Ann{number} open a shop?",
                    "answers": [{"text": CONTEXTS[number][3:7], "answer_start": 3}] if has_answer else [],
                    "is_impossible": not has_answer,
                }
                for n, has_answer in enumerate(flags)
            ],
        }
        for number, flags in answerable.items()
    ]
    for name, part in (("both.json", paragraphs), ("answerable.json", paragraphs[1:2])):
        (tmp_path / name).write_text(json.dumps({"version": "2", "data": [{"title": "Shops", "paragraphs": part}]}))

    def load(source: Source) -> list[Example]:
        return load_training_examples(tmp_path, [source], "", seed=1, percent=0)

    examples = load(Source("both.json"))
    marks = {example.context: example.context_has_unanswerable for example in examples}
    assert marks == dict(zip(CONTEXTS, (True, False, True), strict=False))
    selected = load(Source("both.json", answerable=True))
    assert sorted(str(example.context_has_unanswerable) for example in selected) == ["False", "True"]
    assert [example.context_has_unanswerable for example in load(Source("answerable.json"))] == [None]
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    groups = [
        [make_input(feature, random.Random(1), MAX_INPUT_TOKENS) for feature in group]
        for group in tokenize_examples([(example,) for example in examples], tokenizer)
    ]
    (batch,) = make_batches(groups, 8, random.Random(1))
    assert batch.context_has_unanswerable.sum() == 3
    assert batch.context_all_answerable.sum() == 1
    assert sorted(np.bincount(batch.context)) == [1, 1, 2]
