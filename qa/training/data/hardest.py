"""Selection of the hardest altered questions: those for which a reader still returns the old answer."""

from __future__ import annotations

from collections.abc import Sequence

from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair, Reader
from qa.reading.spans import best_spans
from qa.training.data.examples import Example

_READ_TOGETHER = 256


def select_hardest(altered: Sequence[tuple[Example, Example]], reader: Reader, count: int) -> list[Example]:
    """Return at most `count` altered questions, first the one whose old answer has the highest margin.

    Questions for which the reader returns another span are left out: that span may be a correct answer.

    Args:
        altered: each original example with its altered one; see `alter_questions`.
        reader: reads each altered question with its context.
        count: maximum number of questions to return.
    """
    scored: list[tuple[float, int]] = []
    for first in range(0, len(altered), _READ_TOGETHER):
        part = altered[first : first + _READ_TOGETHER]
        passages = reader.read_batch([Pair(example.question, ReaderText(example.context)) for _, example in part])
        for index, ((original, _), logits) in enumerate(zip(part, passages, strict=True), first):
            answer = original.answer
            scored += [(best.margin, index) for best in best_spans(logits, 1) if answer and best.span.overlaps(answer)]
    return [altered[index][1] for _, index in sorted(scored, reverse=True)[:count]]
