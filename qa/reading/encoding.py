"""Encode a question and a passage for the reader: `[CLS] question [SEP] titles passage window [SEP]` (pure).

Training and inference share this code, so that they cannot diverge. The titles are those above the passage; no answer
is taken from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.models.tokenization import CLS, SEP

MAX_QUESTION_TOKENS = 64
MAX_TITLE_TOKENS = 48
MAX_INPUT_TOKENS = 352
WINDOW_OVERLAP = 64


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """One sequence for the reader, and the passage tokens that it contains.

    Attributes:
        ids: token ids.
        types: token types: 0 for the question, 1 for the rest.
        first: index of the first passage token of this window.
        count: number of passage tokens in this window.
        offset: position of that first passage token in `ids`.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    first: int
    count: int
    offset: int


def build_input(
    question: Sequence[int], passage: Sequence[int], first: int = 0, titles: Sequence[int] = ()
) -> ReaderInput:
    """Join the tokens of a question, of titles, and of a passage window that starts at passage token `first`."""
    question, titles = question[:MAX_QUESTION_TOKENS], titles[:MAX_TITLE_TOKENS]
    ids = np.array([CLS, *question, SEP, *titles, *passage, SEP], dtype=np.int64)
    types = (np.arange(len(ids)) >= len(question) + 2).astype(np.int64)
    return ReaderInput(ids, types, first, len(passage), len(question) + 2 + len(titles))


def split_windows(question: Sequence[int], passage: Sequence[int], titles: Sequence[int] = ()) -> Iterator[ReaderInput]:
    """Yield the passage in windows that fit the reader, each under the titles.

    Each window repeats the last `WINDOW_OVERLAP` tokens of the previous one.
    """
    room = MAX_INPUT_TOKENS - min(len(question), MAX_QUESTION_TOKENS) - min(len(titles), MAX_TITLE_TOKENS) - 3
    first = 0
    while True:
        yield build_input(question, passage[first : first + room], first, titles)
        if first + room >= len(passage):
            return
        first += room - WINDOW_OVERLAP
