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
from qa.training.data.examples import Example, Source, forbidden_text, is_held_out, normalised, split, training_examples
from qa.training.data.features import Feature, batches, cut, features, window_size
from qa.training.data.negatives import hard_negatives
from qa.types import Span

CONTEXTS = [f"In {1900 + n} Ann{n} opened shop number {n} in the town of Place{n}." for n in range(60)]


def squad(path: Path, contexts: list[str]) -> None:
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


def test_the_same_text_is_on_the_same_side_whatever_its_case_and_spaces() -> None:
    for text in CONTEXTS:
        assert is_held_out(text) == is_held_out("  " + text.upper().replace(" ", "\n") + " ")
    share = sum(is_held_out(f"text number {n}") for n in range(4000)) / 4000
    assert 0.035 < share < 0.065


def test_both_sides_together_are_the_whole() -> None:
    questions = tuple(LabelledQuestion(str(n), "Who?", n, (Span(0, 2),)) for n in range(len(CONTEXTS)))
    kept, held_out = split(Dataset("d", tuple(CONTEXTS), questions))
    assert len(kept.questions) + len(held_out.questions) == len(questions)
    assert all(is_held_out(CONTEXTS[q.context]) for q in held_out.questions)
    assert held_out.questions


def test_what_is_measured_with_is_not_trained_on(tmp_path: Path) -> None:
    squad(tmp_path / "train.json", CONTEXTS)
    squad(tmp_path / "dev.json", [CONTEXTS[1].upper() + " And more."])
    forbidden = forbidden_text(tmp_path, [Source("train.json")], [tmp_path / "dev.json"])
    made = training_examples(tmp_path, [Source("train.json")], forbidden, seed=1)
    contexts = {example.context for example in made}
    assert CONTEXTS[1] not in contexts
    assert contexts == {c for c in CONTEXTS if not is_held_out(c)} - {CONTEXTS[1]}
    # An answer that ends inside a word teaches the wrong ends.
    assert {example.answer for example in made} == {Span(3, 7)}
    assert len(training_examples(tmp_path, [Source("train.json", 7)], forbidden, seed=1)) == 7


def test_of_a_file_those_with_or_without_an_answer_can_be_taken(tmp_path: Path) -> None:
    squad(tmp_path / "train.json", CONTEXTS)
    content = json.loads((tmp_path / "train.json").read_text())
    for paragraph in content["data"][0]["paragraphs"][::3]:
        for entry in paragraph["qas"]:
            entry.update(answers=[], is_impossible=True)
    (tmp_path / "train.json").write_text(json.dumps(content))
    counts = {
        answerable: [
            example.answer is not None
            for example in training_examples(tmp_path, [Source("train.json", None, answerable)], "", seed=1)
        ]
        for answerable in (None, True, False)
    }
    assert all(counts[True])
    assert counts[False]
    assert not any(counts[False])
    assert sorted(counts[None]) == sorted(counts[True] + counts[False])


def test_titles_are_those_of_articles_and_not_of_collections(tmp_path: Path) -> None:
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
    made = training_examples(tmp_path, [Source("train.json", titled=True)], "", seed=1)
    assert {example.title for example in made} == {"Shops of Ann", None}
    assert {example.title for example in made if example.context in texts} == {None}
    for example in made:
        assert (example.title is None) == (example.context not in CONTEXTS)
    untitled = training_examples(tmp_path, [Source("train.json")], "", seed=1)
    assert {example.title for example in untitled} == {None}


def test_a_title_stands_above_the_passage_as_where_questions_are_answered() -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    long = " ".join([CONTEXTS[0]] * 40)
    for context in (CONTEXTS[0], long):
        ((feature,),) = features([(Example("When?", context, Span(3, 7), "Shops of Ann"),)], tokenizer)
        one = cut(feature, random.Random(1), MAX_INPUT_TOKENS, titled=True)
        made = one.made
        assert len(made.ids) <= MAX_INPUT_TOKENS
        encoded = tokenizer.encode("Shops of Ann.", add_special_tokens=False).ids
        assert made.ids[made.offset - len(encoded) : made.offset].tolist() == encoded
        assert tokenizer.decode(made.ids[one.start : one.end + 1].tolist()) == "1900"
        (batch,) = batches([[one]], 1, random.Random(1))
        assert np.flatnonzero(batch.usable[0]).tolist() == [0, *range(made.offset, made.offset + made.count)]
        bare = cut(feature, random.Random(1), MAX_INPUT_TOKENS).made
        assert bare.offset == made.offset - len(encoded)


@pytest.mark.parametrize("each", [1, 3])
def test_hard_negatives_lack_the_answer(each: int) -> None:
    examples = [
        Example(f"Who opened shop number {n}?", text, Span(8, 11 + len(str(n))), f"{n}")
        for n, text in enumerate(CONTEXTS)
    ]
    made = hard_negatives(examples, 20, seed=1, each=each)
    assert len(made) == 20
    assert {len({negative.context for negative in negatives}) for negatives in made.values()} == {each}
    for place, negatives in made.items():
        source = examples[place]
        assert source.answer is not None
        for negative in negatives:
            assert negative.question == source.question
            assert negative.answer is None
            assert negative.title == str(CONTEXTS.index(negative.context))
            assert f" {normalised(source.answer.of(source.context))} " not in f" {normalised(negative.context)} "


@pytest.mark.parametrize("whole", [True, False])
@given(
    question=st.lists(st.integers(1000, 2000), max_size=64),
    length=st.integers(1, 900),
    ends=st.tuples(st.integers(0, 899), st.integers(0, 40)) | st.none(),
    seed=st.integers(0, 5),
)
def test_a_cut_keeps_the_answer(
    whole: bool, question: list[int], length: int, ends: tuple[int, int] | None, seed: int
) -> None:
    context = np.arange(3000, 3000 + length, dtype=np.int32)
    answer = None
    if ends:
        first = min(ends[0], length - 1)
        answer = (first, min(first + ends[1], length - 1))
    chooser = random.Random(seed)
    size = window_size(chooser, whole=whole)
    one = cut(Feature(tuple(question), context, answer), chooser, size)
    assert len(one.made.ids) <= MAX_INPUT_TOKENS
    if answer is None:
        assert (one.start, one.end) == (0, 0)
    else:
        assert one.made.ids[one.start : one.end + 1].tolist() == context[answer[0] : answer[1] + 1].tolist()


def test_answers_are_found_among_the_tokens() -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    ((made,),) = features([(Example("When?", CONTEXTS[0], Span(3, 7)),)], tokenizer)
    assert made.answer == (1, 1)
    assert tokenizer.decode(made.context[1:2].tolist()) == "1900"


def test_batches_hold_every_input_once_and_do_not_part_a_question() -> None:
    chooser = random.Random(1)
    lengths = [(n, 30 - n) if n % 3 else (n,) for n in range(1, 30)]
    questions = [
        [cut(Feature((1,), np.arange(3000, 3000 + n, dtype=np.int32), None), chooser, MAX_INPUT_TOKENS) for n in group]
        for group in lengths
    ]
    made = batches(questions, 8, chooser)
    rows = sum(len(question) for question in questions)
    assert sum(len(batch.ids) for batch in made) == rows
    assert sorted(8 <= len(batch.ids) <= 9 for batch in made)[1:] == [True] * (len(made) - 1)
    assert sum(int(batch.mask.sum()) for batch in made) == sum(len(one.made.ids) for q in questions for one in q)
    assert all((batch.ids[batch.mask == 0] == 0).all() for batch in made)
    sizes = sorted(int(count) for batch in made for count in np.bincount(batch.group))
    assert sizes == sorted(map(len, lengths))


def test_a_context_is_contrasted_by_questions_that_it_does_not_answer(tmp_path: Path) -> None:
    asked = {0: [True, False], 1: [True], 2: [False]}
    paragraphs = [
        {
            "context": CONTEXTS[place],
            "qas": [
                {
                    "id": f"{place}-{n}",
                    "question": f"When did Ann{place} open a shop?",
                    "answers": [{"text": CONTEXTS[place][3:7], "answer_start": 3}] if answered else [],
                    "is_impossible": not answered,
                }
                for n, answered in enumerate(kinds)
            ],
        }
        for place, kinds in asked.items()
    ]
    for name, kept in (("both.json", paragraphs), ("answered.json", paragraphs[1:2])):
        (tmp_path / name).write_text(json.dumps({"version": "2", "data": [{"title": "Shops", "paragraphs": kept}]}))
    made = training_examples(tmp_path, [Source("both.json")], "", seed=1, percent=0)
    assert {example.context: example.contrasted for example in made} == dict(
        zip(CONTEXTS, (True, False, True), strict=False)
    )
    answered = training_examples(tmp_path, [Source("both.json", answerable=True)], "", seed=1, percent=0)
    assert sorted(str(example.contrasted) for example in answered) == ["False", "True"]
    assert [e.contrasted for e in training_examples(tmp_path, [Source("answered.json")], "", seed=1, percent=0)] == [
        None
    ]
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    groups = [
        [cut(feature, random.Random(1), MAX_INPUT_TOKENS) for feature in group]
        for group in features([(e,) for e in made], tokenizer)
    ]
    (batch,) = batches(groups, 8, random.Random(1))
    assert batch.contrasted.sum() == 3
    assert batch.uncontrasted.sum() == 1
    assert sorted(np.bincount(batch.context)) == [1, 1, 2]
