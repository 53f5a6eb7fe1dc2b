"""Of altered questions, those that a reader falls for: it still gives the old answer, as if nothing were altered."""

from __future__ import annotations

from collections.abc import Sequence

from qa.reading.reader import Pair, Reader
from qa.reading.spans import best_spans
from qa.training.data.examples import Example

_AT_ONCE = 256


def hardest(altered: Sequence[tuple[Example, Example]], reader: Reader, count: int) -> list[Example]:
    """Return at most `count` altered questions, the one first whose old answer the reader is surest of.

    Another answer than the old one may be right: those questions are left out.

    Args:
        altered: each question as it was and as it is now; see `altered_questions`.
        reader: reads each altered question with its context.
        count: how many to keep.
    """
    fallen: list[tuple[float, int]] = []
    for first in range(0, len(altered), _AT_ONCE):
        part = altered[first : first + _AT_ONCE]
        read = reader.read_batch([Pair(made.question, made.context) for _, made in part])
        for place, ((before, _), logits) in enumerate(zip(part, read, strict=True), first):
            old = before.answer
            fallen += [(best.margin, place) for best in best_spans(logits, 1) if old and best.span.overlaps(old)]
    return [altered[place][1] for _, place in sorted(fallen, reverse=True)[:count]]
