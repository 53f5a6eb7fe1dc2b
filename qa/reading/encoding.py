"""How a question and a passage become what the reader takes: `[CLS] question [SEP] titles passage window [SEP]` (pure).

Training and answering build their inputs here, so that the reader is asked in the form it was taught. Titles are those
that stand above the passage, and no answer is read from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.models.tokenization import CLS, SEP

MAX_QUESTION_TOKENS = 64
MAX_ABOVE_TOKENS = 48
MAX_INPUT_TOKENS = 288
WINDOW_OVERLAP = 64


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """One sequence for the reader, and which passage tokens stand in it.

    `first` is the passage token at position `offset`; `count` of them follow one another.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    first: int
    count: int
    offset: int


def reader_input(
    question: Sequence[int], passage: Sequence[int], first: int = 0, above: Sequence[int] = ()
) -> ReaderInput:
    """Join a question, titles, and a run of passage tokens that starts at passage token `first`."""
    question, above = question[:MAX_QUESTION_TOKENS], above[:MAX_ABOVE_TOKENS]
    ids = np.array([CLS, *question, SEP, *above, *passage, SEP], dtype=np.int64)
    types = (np.arange(len(ids)) >= len(question) + 2).astype(np.int64)
    return ReaderInput(ids, types, first, len(passage), len(question) + 2 + len(above))


def windows(question: Sequence[int], passage: Sequence[int], above: Sequence[int] = ()) -> Iterator[ReaderInput]:
    """Yield the passage in windows that fit, each under the titles `above` it.

    Each but the first repeats `WINDOW_OVERLAP` tokens of the one before.
    """
    room = MAX_INPUT_TOKENS - min(len(question), MAX_QUESTION_TOKENS) - min(len(above), MAX_ABOVE_TOKENS) - 3
    first = 0
    while True:
        yield reader_input(question, passage[first : first + room], first, above)
        if first + room >= len(passage):
            return
        first += room - WINDOW_OVERLAP
