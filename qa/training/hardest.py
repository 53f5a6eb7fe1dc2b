"""Of altered questions, those that a reader falls for: it still gives the old answer, as if nothing were altered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa.reading.reader import Pair, Reader
from qa.reading.spans import best_spans
from qa.training.examples import Example

_AT_ONCE = 256


def hardest(examples: Sequence[Example], altered: Mapping[int, Example], reader: Reader, count: int) -> list[Example]:
    """Return at most `count` altered questions, the one first whose old answer the reader is surest of.

    Another answer than the old one may be right: those questions are left out.

    Args:
        examples: what was altered.
        altered: by the place in `examples`; see `altered_questions`.
        reader: reads each altered question with its context.
        count: how many to keep.
    """
    places = list(altered)
    fallen: list[tuple[float, int]] = []
    for i in range(0, len(places), _AT_ONCE):
        part = places[i : i + _AT_ONCE]
        read = reader.read_batch([Pair(altered[place].question, altered[place].context) for place in part])
        for place, logits in zip(part, read, strict=True):
            old = examples[place].answer
            fallen += [(best.margin, place) for best in best_spans(logits, 1) if old and best.span.overlaps(old)]
    return [altered[place] for _, place in sorted(fallen, reverse=True)[:count]]
