"""Answer questions from texts that are not in an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa.reading.calibration import Calibration
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair, Reader
from qa.reading.selection import select_from_text
from qa.results import QueryResult
from qa.search.long_questions import lead_with_asking
from qa.stopwatch import Stopwatch
from qa.types import Passage
from qa.validation import MAX_READ_TEXT, check_confidence, check_question, check_text, check_top_k


def read_texts(
    reader: Reader,
    calibration: Calibration,
    texts: Sequence[tuple[str, Passage]],
    top_k: int,
    min_confidence: float | None,
) -> list[QueryResult]:
    """Answer each question from its text.

    Args:
        reader: the reader.
        calibration: the reader's calibration.
        texts: questions, each with a text as the only passage.
        top_k: maximum number of answers.
        min_confidence: as for `Engine.ask`.

    Raises:
        InvalidInput: a question or a text is blank or too long, or an argument is out of range.
    """
    for question, passage in texts:
        check_question(question)
        check_text(passage.text, limit=MAX_READ_TEXT)
    check_top_k(top_k)
    check_confidence(min_confidence)
    clock = Stopwatch()
    pairs = [Pair(lead_with_asking(question), ReaderText.of(passage)) for question, passage in texts]
    logits = reader.read_batch(pairs)
    clock.lap("read")
    timings = clock.timings_ms()
    return [
        replace(
            select_from_text(question, passage, of_text, calibration, top_k, min_confidence),
            timings_ms=timings,
        )
        for (question, passage), of_text in zip(texts, logits, strict=True)
    ]
