"""Token features of examples, cut to windows: for the embedder."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.reading.encoding import MAX_QUESTION_TOKENS, MAX_TITLE_TOKENS
from qa.training.data.examples import Example

_Tokens = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class ContextFeature:
    """Token ids of an example.

    Attributes:
        question: token ids of the question.
        context: token ids of the context, of shape (length,).
        answer: first and last token of the answer in the context; None if the context does not contain it.
        title: token ids of the title, which the input may contain above the context.
    """

    question: tuple[int, ...]
    context: NDArray[np.int32]
    answer: tuple[int, int] | None
    title: tuple[int, ...] = ()


def tokenize_examples(groups: Sequence[Sequence[Example]], tokenizer: Tokenizer) -> list[tuple[ContextFeature, ...]]:
    """Tokenise questions with their contexts; skip questions whose answer covers no token."""
    contexts = _tokenize(list(dict.fromkeys(example.context for group in groups for example in group)), tokenizer)
    features = [tuple(_make_feature(example, contexts[example.context], tokenizer) for example in g) for g in groups]
    return [group for group in features if not any(f.answer and f.answer[1] < f.answer[0] for f in group)]


def _make_feature(example: Example, context: _Tokens, tokenizer: Tokenizer) -> ContextFeature:
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
    return ContextFeature(tuple(question[:MAX_QUESTION_TOKENS]), ids, answer, tuple(title[:MAX_TITLE_TOKENS]))


def _tokenize(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, _Tokens]:
    """Return the token ids of each text, and the character offsets where its tokens start and end."""
    tokens: dict[str, _Tokens] = {}
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        tokens[text] = (np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1])
    return tokens


def choose_window(feature: ContextFeature, chooser: random.Random, room: int, size: int) -> tuple[int, int]:
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
