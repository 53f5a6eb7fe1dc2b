"""As many texts as are wanted: sentences of a set's contexts, put together anew."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

TOGETHER = 2


def sentences(contexts: Sequence[str]) -> list[str]:
    """Return the sentences of contexts, each once, without very short and very long ones."""
    found = (s for context in contexts for s in re.split(r"(?<=[.!?])\s+", context) if 20 < len(s) < 300)
    return list(dict.fromkeys(found))


def recombined(count: int) -> Iterator[list[int]]:
    """Yield places of sentences, of `count`, that make a text; without end, and each time the same."""
    chooser = random.Random(1)  # noqa: S311
    while True:
        yield chooser.sample(range(count), TOGETHER)
