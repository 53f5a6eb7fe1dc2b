"""Token features of examples, cut to windows and grouped into batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.models.tokenization import CLS, SEP
from qa.reading.encoding import MAX_INPUT_TOKENS, MAX_QUESTION_TOKENS, MAX_TITLE_TOKENS, ReaderInput, build_input
from qa.training.data.examples import Example

# Most of the training sees most contexts cut to a window of this many tokens. A step then costs less, and the tokens
# that are left out are mostly irrelevant to the answer. The last part of the training sees whole contexts.
SHORT_WINDOW_TOKENS = (56, 144)
SHORT_WINDOW_SHARE = 0.85
_PAD_MULTIPLE = 8
_MASK = 103

_Tokens = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Feature:
    """Token ids of an example.

    Attributes:
        question: token ids of the question.
        context: token ids of the context, of shape (length,).
        answer: first and last token of the answer in the context; None if the context does not contain it.
        title: token ids of the title, which the input may contain above the context.
        context_has_unanswerable: as in `Example`.
    """

    question: tuple[int, ...]
    context: NDArray[np.int32]
    answer: tuple[int, int] | None
    title: tuple[int, ...] = ()
    context_has_unanswerable: bool | None = None


@dataclass(frozen=True, slots=True)
class TrainingInput:
    """A reader input with the positions of the answer's first and last token.

    Both positions are 0, that of `[CLS]`, if the context does not contain the answer.
    """

    encoded: ReaderInput
    start: int
    end: int
    feature: Feature


@dataclass(frozen=True, slots=True)
class Batch:
    """The passages of several questions, one in each row.

    Attributes:
        ids, types, mask: arrays of shape (batch, length).
        usable: array of shape (batch, length): where an answer can start or end, which is `[CLS]` and the passage.
        start, end: positions of shape (batch,); 0 (`[CLS]`) for no answer.
        group: number of the row's question, of shape (batch,).
        context: number of the row's context, of shape (batch,).
        context_has_unanswerable: whether the file also has unanswerable questions on the row's context, of shape
            (batch,).
        context_all_answerable: whether the file has unanswerable questions, but none on the row's context, of shape
            (batch,).
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    usable: NDArray[np.bool_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    group: NDArray[np.int64]
    context: NDArray[np.int64]
    context_has_unanswerable: NDArray[np.bool_]
    context_all_answerable: NDArray[np.bool_]


def tokenize_examples(groups: Sequence[Sequence[Example]], tokenizer: Tokenizer) -> list[tuple[Feature, ...]]:
    """Tokenise questions with their passages; skip questions whose answer covers no token."""
    contexts = _tokenize(list(dict.fromkeys(example.context for group in groups for example in group)), tokenizer)
    features = [tuple(_make_feature(example, contexts[example.context], tokenizer) for example in g) for g in groups]
    return [group for group in features if not any(f.answer and f.answer[1] < f.answer[0] for f in group)]


def _make_feature(example: Example, context: _Tokens, tokenizer: Tokenizer) -> Feature:
    ids, starts, ends = context
    answer = None
    if example.answer is not None:
        first = int(np.searchsorted(ends, example.answer.start, side="right"))
        last = int(np.searchsorted(starts, example.answer.end, side="left")) - 1
        answer = (first, last)
    question, title = (
        tokenizer.encode(text, add_special_tokens=False).ids
        for text in (example.question.strip(), f"{example.title}." if example.title else "")
    )
    return Feature(
        tuple(question[:MAX_QUESTION_TOKENS]),
        ids,
        answer,
        tuple(title[:MAX_TITLE_TOKENS]),
        example.context_has_unanswerable,
    )


def _tokenize(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, _Tokens]:
    """Return the token ids of each text, and the character offsets where its tokens start and end."""
    tokens: dict[str, _Tokens] = {}
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        tokens[text] = (np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1])
    return tokens


def choose_window_size(chooser: random.Random, *, whole: bool) -> int:
    """Return the window size of a question's passages in tokens: the reader's maximum, or that of a short window."""
    if whole or chooser.random() > SHORT_WINDOW_SHARE:
        return MAX_INPUT_TOKENS
    return chooser.randint(*SHORT_WINDOW_TOKENS)


def choose_window(feature: Feature, chooser: random.Random, room: int, size: int) -> tuple[int, int]:
    """Return the first token and the size of a random window on a context.

    The window contains the answer if `room` allows.

    Args:
        feature: question and context.
        chooser: decides where the window falls.
        room: maximum number of tokens.
        size: preferred number of tokens; a longer answer makes the window larger.
    """
    size = min(room, size)
    length = len(feature.context)
    if feature.answer is None:
        low, high = 0, max(0, length - size)
    else:
        start, end = feature.answer
        size = max(size, min(room, end - start + 1))
        low, high = max(0, end + 1 - size), min(start, max(0, length - size))
    return chooser.randint(min(low, high), high), size


def make_input(feature: Feature, chooser: random.Random, size: int, *, titled: bool = False) -> TrainingInput:
    """Return one reader input of a feature; `chooser` decides where its window of `size` tokens falls."""
    title = feature.title if titled else ()
    room = MAX_INPUT_TOKENS - len(feature.question) - len(title) - 3
    first, size = choose_window(feature, chooser, room, size)
    encoded = build_input(feature.question, feature.context[first : first + size].tolist(), first, title)
    if feature.answer is None:
        return TrainingInput(encoded, 0, 0, feature)
    shift = encoded.offset - first
    last = encoded.offset + encoded.count - 1
    return TrainingInput(encoded, feature.answer[0] + shift, min(feature.answer[1] + shift, last), feature)


def mask_tokens(passage: TrainingInput, share: float, chooser: random.Random) -> TrainingInput:
    """Replace a random share of the tokens outside the answer with `[MASK]`.

    Each call masks other tokens, so the reader cannot recognise a question by a few of its words.
    """
    ids = passage.encoded.ids.copy()
    for position, token in enumerate(passage.encoded.ids.tolist()):
        in_answer = passage.start <= position <= passage.end
        if token not in (CLS, SEP) and not in_answer and chooser.random() < share:
            ids[position] = _MASK
    return replace(passage, encoded=replace(passage.encoded, ids=ids))


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
    # Kernels are compiled for each input shape: padding to a multiple keeps the number of shapes small.
    longest = -(-max(len(passage.encoded.ids) for _, passage in rows) // _PAD_MULTIPLE) * _PAD_MULTIPLE
    shape = (len(rows), longest)
    ids, types, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    usable = np.zeros(shape, np.bool_)
    usable[:, 0] = True
    for row, (_, passage) in enumerate(rows):
        encoded = passage.encoded
        ids[row, : len(encoded.ids)] = encoded.ids
        types[row, : len(encoded.ids)] = encoded.types
        mask[row, : len(encoded.ids)] = 1
        usable[row, encoded.offset : encoded.offset + encoded.count] = True
    # All questions on a context share one token array, so its id identifies the context.
    contexts = np.unique([id(passage.feature.context) for _, passage in rows], return_inverse=True)[1]
    return Batch(
        ids=ids,
        types=types,
        mask=mask,
        usable=usable,
        start=np.array([passage.start for _, passage in rows]),
        end=np.array([passage.end for _, passage in rows]),
        group=np.array([group for group, _ in rows]),
        context=contexts,
        context_has_unanswerable=np.array([passage.feature.context_has_unanswerable is True for _, passage in rows]),
        context_all_answerable=np.array([passage.feature.context_has_unanswerable is False for _, passage in rows]),
    )
