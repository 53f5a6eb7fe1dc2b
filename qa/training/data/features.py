"""Examples as token ids with a start and an end, cut to windows and put into batches of like length."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.models.tokenization import CLS, SEP
from qa.reading.encoding import MAX_ABOVE_TOKENS, MAX_INPUT_TOKENS, MAX_QUESTION_TOKENS, ReaderInput, reader_input
from qa.training.data.examples import Example

# Most contexts are cut to a window of this many tokens for most of the training: a step then costs less, and what is
# left out is mostly what the answer does not need. The last part of training sees contexts whole.
CUT_TOKENS = (56, 144)
CUT_SHARE = 0.85
_PAD_TO = 8
_MASK = 103

_Tokens = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Feature:
    """Token ids of a question and a context; `answer` is the first and last token of the span, None for no answer.

    `above` are those of the title that the context may be read under; `contrasted` is as in `Example`.
    """

    question: tuple[int, ...]
    context: NDArray[np.int32]
    answer: tuple[int, int] | None
    above: tuple[int, ...] = ()
    contrasted: bool | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A reader input of a feature, with the positions of its start and end: both 0, of `[CLS]`, for no answer."""

    made: ReaderInput
    start: int
    end: int
    feature: Feature


@dataclass(frozen=True, slots=True)
class Batch:
    """A row for each passage of some questions.

    Attributes:
        ids, types, mask: of shape (batch, length).
        usable: of shape (batch, length): what a start or an end can be, `[CLS]` and the passage's tokens.
        start, end: positions of shape (batch,); 0 (`[CLS]`) for no answer.
        group: of shape (batch,): which of the questions it is.
        context: of shape (batch,): a number for each context.
        contrasted, uncontrasted: of shape (batch,): whether its context was asked what it does not answer, or only
            others of its file were.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    usable: NDArray[np.bool_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    group: NDArray[np.int64]
    context: NDArray[np.int64]
    contrasted: NDArray[np.bool_]
    uncontrasted: NDArray[np.bool_]


def features(groups: Sequence[Sequence[Example]], tokenizer: Tokenizer) -> list[tuple[Feature, ...]]:
    """Tokenise questions with their passages; a question is left out if its answer has no token."""
    contexts = _tokenised(list(dict.fromkeys(example.context for group in groups for example in group)), tokenizer)
    made = [tuple(_feature(example, contexts[example.context], tokenizer) for example in group) for group in groups]
    return [group for group in made if not any(f.answer and f.answer[1] < f.answer[0] for f in group)]


def _feature(example: Example, context: _Tokens, tokenizer: Tokenizer) -> Feature:
    ids, starts, ends = context
    answer = None
    if example.answer is not None:
        first = int(np.searchsorted(ends, example.answer.start, side="right"))
        last = int(np.searchsorted(starts, example.answer.end, side="left")) - 1
        answer = (first, last)
    question, above = (
        tokenizer.encode(text, add_special_tokens=False).ids
        for text in (example.question.strip(), f"{example.title}." if example.title else "")
    )
    return Feature(
        tuple(question[:MAX_QUESTION_TOKENS]), ids, answer, tuple(above[:MAX_ABOVE_TOKENS]), example.contrasted
    )


def _tokenised(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, _Tokens]:
    """Return each text's token ids and the places where its tokens start and end."""
    made: dict[str, _Tokens] = {}
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        made[text] = (np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1])
    return made


def window_size(chooser: random.Random, *, whole: bool) -> int:
    """Return how many tokens of its passages a question is to see: as many as the reader takes, or a short window."""
    return MAX_INPUT_TOKENS if whole or chooser.random() > CUT_SHARE else chooser.randint(*CUT_TOKENS)


def window(feature: Feature, chooser: random.Random, room: int, size: int) -> tuple[int, int]:
    """Return where a window of a context begins, and its length in tokens; it holds the answer, if there is room."""
    size = min(room, size)
    length = len(feature.context)
    if feature.answer is None:
        low, high = 0, max(0, length - size)
    else:
        start, end = feature.answer
        size = max(size, min(room, end - start + 1))
        low, high = max(0, end + 1 - size), min(start, max(0, length - size))
    return chooser.randint(min(low, high), high), size


def cut(feature: Feature, chooser: random.Random, size: int, *, titled: bool = False) -> Cut:
    """Return one reader input of a feature; `chooser` decides where its window of `size` tokens falls."""
    above = feature.above if titled else ()
    first, size = window(feature, chooser, MAX_INPUT_TOKENS - len(feature.question) - len(above) - 3, size)
    made = reader_input(feature.question, feature.context[first : first + size].tolist(), first, above)
    if feature.answer is None:
        return Cut(made, 0, 0, feature)
    shift = made.offset - first
    last = made.offset + made.count - 1
    return Cut(made, feature.answer[0] + shift, min(feature.answer[1] + shift, last), feature)


def masked(one: Cut, share: float, chooser: random.Random) -> Cut:
    """Return a reader input with a share of its tokens, but none of the answer, hidden.

    What is hidden stands as `[MASK]`, another part each time: no question can be known again by a few of its words.
    """
    ids = one.made.ids.copy()
    for place, token in enumerate(one.made.ids.tolist()):
        if token not in (CLS, SEP) and not one.start <= place <= one.end and chooser.random() < share:
            ids[place] = _MASK
    return replace(one, made=replace(one.made, ids=ids))


def batches(questions: Sequence[Sequence[Cut]], size: int, chooser: random.Random) -> list[Batch]:
    """Put questions of like length together until their passages are `size` or more; batches are in random order."""
    made: list[list[Sequence[Cut]]] = [[]]
    for question in sorted(questions, key=lambda passages: max(len(one.made.ids) for one in passages)):
        if sum(map(len, made[-1])) >= size:
            made.append([])
        made[-1].append(question)
    chooser.shuffle(made)
    return [_batch(part) for part in made]


def _batch(questions: Sequence[Sequence[Cut]]) -> Batch:
    rows = [(group, passage) for group, passages in enumerate(questions) for passage in passages]
    # Kernels are made for each shape: a few lengths make do with few.
    longest = -(-max(len(passage.made.ids) for _, passage in rows) // _PAD_TO) * _PAD_TO
    shape = (len(rows), longest)
    ids, types, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    usable = np.zeros(shape, np.bool_)
    usable[:, 0] = True
    for row, (_, passage) in enumerate(rows):
        made = passage.made
        ids[row, : len(made.ids)] = made.ids
        types[row, : len(made.ids)] = made.types
        mask[row, : len(made.ids)] = 1
        usable[row, made.offset : made.offset + made.count] = True
    # All questions of a context share one array of its tokens.
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
        contrasted=np.array([passage.feature.contrasted is True for _, passage in rows]),
        uncontrasted=np.array([passage.feature.contrasted is False for _, passage in rows]),
    )
