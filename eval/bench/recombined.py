"""Generate any number of texts by recombining the sentences of a data set's contexts."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

SENTENCES_PER_TEXT = 2


def distinct_sentences(contexts: Sequence[str]) -> list[str]:
    """Return the distinct sentences of contexts, without very short and very long ones."""
    sentences = (s for context in contexts for s in re.split(r"(?<=[.!?])\s+", context) if 20 < len(s) < 300)
    return list(dict.fromkeys(sentences))


def recombine(count: int) -> Iterator[list[int]]:
    """Yield the sentence positions of each text, out of `count` sentences: endless, and the same in every run."""
    rng = random.Random(1)  # noqa: S311
    while True:
        yield rng.sample(range(count), SENTENCES_PER_TEXT)
