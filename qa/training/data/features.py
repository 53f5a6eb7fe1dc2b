"""Token features of questions with their passages, cut to the reader's input and grouped into batches."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.reading.encoding import MAX_INPUT_TOKENS, MAX_QUESTION_TOKENS, MAX_TITLE_TOKENS, ReaderInput, build_input
from qa.reading.passage_tokens import PassageTokens, tokenize_passages
from qa.training.data.passage_examples import PassageExample
from qa.training.data.question_styles import restyle
from qa.training.data.reader_questions import TrainingQuestion
from qa.types import Span

# Questions that a teacher read are changed less often, because its probabilities are for the unchanged question.
_TAUGHT_RESTYLED_SHARE = 0.5
# Kernels are compiled for each input shape: padding to a multiple keeps the number of shapes small.
_PAD_MULTIPLE = 16


@dataclass(frozen=True, slots=True)
class Feature:
    """The tokens of a passage with their labels.

    Attributes:
        tokens: tokens of the passage.
        titles: token ids of the headings above it.
        answers: first and last token of each answer; empty if the passage has none; None if it is not labelled.
        unit: number of the labelled unit that a token is in, shape (length,); -1 for none.
        evidence: whether each of these units answers.
        taught: teachers' probabilities of starts and of ends, shape (2, length + 1), at `[CLS]` and at each token; None
            without a teacher.
    """

    tokens: PassageTokens
    titles: tuple[int, ...]
    answers: tuple[tuple[int, int], ...] | None
    unit: NDArray[np.int32]
    evidence: NDArray[np.bool_]
    taught: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class QuestionFeatures:
    """A question with the features of its passages; see `TrainingQuestion`."""

    text: str
    passages: tuple[Feature, ...]
    on_document: bool


@dataclass(frozen=True, slots=True)
class TrainingInput:
    """A reader input with its labels.

    Attributes:
        encoded: the input, of `length` tokens.
        usable: where an answer can start or end, shape (length,).
        target: probabilities of starts and of ends, shape (2, length); all zero if the answer is unknown.
        taught: teachers' probabilities, shape (2, length); None without.
        unit: number of the labelled unit that a token is in, shape (length,); -1 for none.
        evidence: whether each of these units answers.
    """

    encoded: ReaderInput
    usable: NDArray[np.bool_]
    target: NDArray[np.float32]
    taught: NDArray[np.float32] | None
    unit: NDArray[np.int64]
    evidence: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """The passages of several questions, one in each row.

    Attributes:
        ids, types, mask: arrays of shape (batch, length).
        usable: where an answer can start or end, shape (batch, length).
        target: probabilities of starts and of ends, shape (2, batch, length); all zero for a row without labels.
        taught: teachers' probabilities, of the same shape; all zero for a row without a teacher.
        unit: number of the labelled unit that a token is in, shape (batch, length); -1 for none.
        evidence: whether each unit of the batch answers, shape (units,).
        group: number of the row's question, shape (batch,).
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    usable: NDArray[np.bool_]
    target: NDArray[np.float32]
    taught: NDArray[np.float32]
    unit: NDArray[np.int64]
    evidence: NDArray[np.bool_]
    group: NDArray[np.int64]


def tokenize_questions(questions: Sequence[TrainingQuestion], tokenizer: Tokenizer) -> list[QuestionFeatures]:
    """Tokenise the passages of questions and find the tokens of their labels."""
    examples = [example for question in questions for example in question.passages]
    texts = {id(example.passage): example.passage for example in examples}
    tokens = dict(zip(texts, tokenize_passages(list(texts.values()), tokenizer), strict=True))
    titles = {title: tokenizer.encode(title, add_special_tokens=False).ids for title in {e.titles for e in examples}}
    return [
        QuestionFeatures(
            question.passages[0].question.strip(),
            tuple(
                _make_feature(e, tokens[id(e.passage)], titles[e.titles][:MAX_TITLE_TOKENS]) for e in question.passages
            ),
            question.on_document,
        )
        for question in questions
    ]


def _make_feature(example: PassageExample, tokens: PassageTokens, titles: Sequence[int]) -> Feature:
    answers = None
    if example.answers is not None:
        covered = [covered for span in example.answers if len(covered := _tokens_in(tokens, span))]
        # An answer that no token covers is unknown, which is not the same as no answer.
        if covered or not example.answers:
            answers = tuple((int(part[0]), int(part[-1])) for part in covered)
    unit = np.full(len(tokens.ids), -1, np.int32)
    for number, (span, _) in enumerate(example.evidence):
        unit[_tokens_in(tokens, span)] = number
    evidence = np.array([answers_question for _, answers_question in example.evidence], np.bool_)
    return Feature(tokens, tuple(titles), answers, unit, evidence)


def _tokens_in(tokens: PassageTokens, span: Span) -> NDArray[np.intp]:
    """Return the indices of the tokens of the passage that overlap a span."""
    starts, ends = tokens.offsets.T
    return np.flatnonzero((ends > span.start) & (starts < span.end) & (starts >= 0))


def make_inputs(question: QuestionFeatures, tokenizer: Tokenizer, chooser: random.Random) -> list[TrainingInput]:
    """Return the inputs of a question's passages, which all have the same random edits of the question."""
    text = question.text
    is_taught = any(feature.taught is not None for feature in question.passages)
    if not is_taught or chooser.random() < _TAUGHT_RESTYLED_SHARE:
        text = restyle(text, chooser, rephrase=question.on_document)
    ids = tokenizer.encode(text, add_special_tokens=False).ids[:MAX_QUESTION_TOKENS]
    return [make_input(ids, feature, chooser) for feature in question.passages]


def make_input(question: Sequence[int], feature: Feature, chooser: random.Random) -> TrainingInput:
    """Return the input of a question and a passage; `chooser` decides where the window on a long passage falls."""
    tokens = feature.tokens
    room = MAX_INPUT_TOKENS - len(question) - len(feature.titles) - 3
    first = _choose_first(feature, room, chooser)
    encoded = build_input(question, tokens.ids[first : first + room].tolist(), first, feature.titles)
    window, place = slice(first, first + encoded.count), slice(encoded.offset, encoded.offset + encoded.count)
    usable = np.zeros(len(encoded.ids), np.bool_)
    usable[0], usable[place] = True, tokens.segments[window] >= 0
    unit = np.full(len(encoded.ids), -1, np.int64)
    present, numbers = np.unique(feature.unit[window], return_inverse=True)
    # Units are numbered again without those outside the window; -1 stays.
    has_other = int(len(present) > 0 and present[0] < 0)
    unit[place] = numbers - has_other
    taught = None
    if feature.taught is not None and encoded.count == len(tokens.ids):
        taught = np.zeros((2, len(encoded.ids)), np.float32)
        taught[:, 0], taught[:, place] = feature.taught[:, 0], feature.taught[:, 1:]
    target = _make_target(feature, encoded)
    return TrainingInput(encoded, usable, target, taught, unit, feature.evidence[present[has_other:]])


def _choose_first(feature: Feature, room: int, chooser: random.Random) -> int:
    """Return the first token of a window of `room` tokens: one with the answer, or else with evidence, if it fits."""
    length = len(feature.tokens.ids)
    if length <= room:
        return 0
    low, high = 0, length - room
    evidence = np.flatnonzero(np.isin(feature.unit, np.flatnonzero(feature.evidence)))
    if feature.answers or len(evidence):
        start, end = feature.answers[0] if feature.answers else (int(evidence[0]), int(evidence[-1]))
        low, high = max(0, end + 1 - room), min(start, high)
    return chooser.randint(min(low, high), high)


def _make_target(feature: Feature, encoded: ReaderInput) -> NDArray[np.float32]:
    target = np.zeros((2, len(encoded.ids)), np.float32)
    if feature.answers == ():
        target[:, 0] = 1
    last = encoded.first + encoded.count
    answers = [answer for answer in feature.answers or () if encoded.first <= answer[0] and answer[1] < last]
    for answer in answers:
        for side, token in enumerate(answer):
            target[side, token - encoded.first + encoded.offset] += 1 / len(answers)
    return target


def make_batches(questions: Sequence[Sequence[TrainingInput]], size: int, chooser: random.Random) -> list[Batch]:
    """Group questions of similar length into batches of at least `size` passages, in random order.

    All passages of a question are in one batch. The batch of the longest questions may be smaller.
    """
    parts: list[list[Sequence[TrainingInput]]] = [[]]
    for question in sorted(questions, key=lambda passages: max(len(passage.encoded.ids) for passage in passages)):
        if sum(map(len, parts[-1])) >= size:
            parts.append([])
        parts[-1].append(question)
    chooser.shuffle(parts)
    return [_make_batch(part) for part in parts]


def _make_batch(questions: Sequence[Sequence[TrainingInput]]) -> Batch:
    rows = [(group, passage) for group, passages in enumerate(questions) for passage in passages]
    longest = -(-max(len(passage.encoded.ids) for _, passage in rows) // _PAD_MULTIPLE) * _PAD_MULTIPLE
    shape = (len(rows), longest)
    ids, types, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    usable, unit = np.zeros(shape, np.bool_), np.full(shape, -1, np.int64)
    target, taught = np.zeros((2, *shape), np.float32), np.zeros((2, *shape), np.float32)
    unit_count = 0
    for row, (_, passage) in enumerate(rows):
        length = len(passage.encoded.ids)
        ids[row, :length], types[row, :length] = passage.encoded.ids, passage.encoded.types
        mask[row, :length], usable[row, :length] = 1, passage.usable
        target[:, row, :length] = passage.target
        if passage.taught is not None:
            taught[:, row, :length] = passage.taught
        unit[row, :length] = np.where(passage.unit < 0, -1, passage.unit + unit_count)
        unit_count += len(passage.evidence)
    evidence = np.concatenate([passage.evidence for _, passage in rows])
    group = np.array([group for group, _ in rows])
    return Batch(ids, types, mask, usable, target, taught, unit, evidence, group)
