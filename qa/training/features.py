"""Examples as token ids with a start and an end, cut to windows and put into batches of like length."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.reading.inputs import MAX_INPUT_TOKENS, MAX_QUESTION_TOKENS, ReaderInput, reader_input
from qa.training.examples import Example

# Most contexts are cut to a window of this many tokens for most of the training: a step then costs less, and what is
# left out is mostly what the answer does not need. The last part of training sees contexts whole.
CUT_TOKENS = (56, 144)
CUT_SHARE = 0.85
_PAD_TO = 8


@dataclass(frozen=True, slots=True)
class Feature:
    """Token ids of a question and a context; `answer` is the first and last token of the span, None for no answer."""

    question: tuple[int, ...]
    context: NDArray[np.int32]
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of shape (batch, length); `start` and `end` are positions, 0 (`[CLS]`) for no answer."""

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    mask: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def features(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Feature]:
    """Tokenise examples; one whose answer has no token is left out."""
    contexts = _tokenised(list(dict.fromkeys(example.context for example in examples)), tokenizer)
    made: list[Feature] = []
    for example in examples:
        ids, starts, ends = contexts[example.context]
        answer = None
        if example.answer is not None:
            first = int(np.searchsorted(ends, example.answer.start, side="right"))
            last = int(np.searchsorted(starts, example.answer.end, side="left")) - 1
            if last < first:
                continue
            answer = (first, last)
        question = tokenizer.encode(example.question.strip(), add_special_tokens=False).ids
        made.append(Feature(tuple(question[:MAX_QUESTION_TOKENS]), ids, answer))
    return made


def _tokenised(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, tuple[NDArray[np.int32], ...]]:
    """Return each text's token ids and the places where its tokens start and end."""
    made: dict[str, tuple[NDArray[np.int32], ...]] = {}
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        made[text] = (np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1])
    return made


def cut(feature: Feature, chooser: random.Random, *, whole: bool) -> tuple[ReaderInput, int, int]:
    """Return one reader input of a feature with its start and end positions.

    Args:
        feature: what to cut.
        chooser: where the window falls.
        whole: keep as much as the reader takes, instead of a short window.
    """
    room = MAX_INPUT_TOKENS - len(feature.question) - 3
    size = room if whole or chooser.random() > CUT_SHARE else min(room, chooser.randint(*CUT_TOKENS))
    length = len(feature.context)
    if feature.answer is None:
        low, high = 0, max(0, length - size)
    else:
        start, end = feature.answer
        size = max(size, min(room, end - start + 1))
        low, high = max(0, end + 1 - size), min(start, max(0, length - size))
    first = chooser.randint(min(low, high), high)
    made = reader_input(feature.question, feature.context[first : first + size].tolist(), first)
    if feature.answer is None:
        return made, 0, 0
    shift = made.offset - first
    last = made.offset + made.count - 1
    return made, feature.answer[0] + shift, min(feature.answer[1] + shift, last)


def batches(chosen: Sequence[tuple[ReaderInput, int, int]], size: int, chooser: random.Random) -> list[Batch]:
    """Put inputs of like length together, and the batches in random order."""
    ordered = sorted(chosen, key=lambda item: len(item[0].ids))
    groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    chooser.shuffle(groups)
    return [_batch(group) for group in groups]


def _batch(group: Sequence[tuple[ReaderInput, int, int]]) -> Batch:
    # Kernels are made for each shape: a few lengths make do with few.
    longest = -(-max(len(made.ids) for made, _, _ in group) // _PAD_TO) * _PAD_TO
    shape = (len(group), longest)
    ids, types, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, (made, _, _) in enumerate(group):
        ids[row, : len(made.ids)] = made.ids
        types[row, : len(made.ids)] = made.types
        mask[row, : len(made.ids)] = 1
    start = np.array([start for _, start, _ in group])
    end = np.array([end for _, _, end in group])
    return Batch(ids, types, mask, start, end)
