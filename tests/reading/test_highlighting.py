from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qa.errors import ModelError
from qa.reading.highlighting import HighlightOptions, select_highlights
from qa.reading.spans import PassageLogits, WindowLogits
from qa.results import HighlightResult, Hit
from qa.types import Document, Passage, Span
from tests.reading.test_evidence import OFFSETS, SEGMENTS, TEXT, UNITS, logits
from tests.reading.test_selection import CALIBRATION as UNFITTED

SCALE = replace(UNFITTED.read, evidence=replace(UNFITTED.read.evidence, threshold=0.5))
CALIBRATION = replace(UNFITTED, read=SCALE)
DOCUMENT = Document("d", f"Fees\n\n{TEXT}")
START = len(DOCUMENT.text) - len(TEXT)


def highlight(*passages: PassageLogits, **options: object) -> HighlightResult:
    passage = Passage("d", Span(START, START + len(TEXT)), TEXT)
    read = [(Hit(None, passage, None, None, {}, 0.0, 0.0, 0.0), of_passage) for of_passage in passages]
    return select_highlights("Which?", DOCUMENT, read, CALIBRATION, HighlightOptions(**options))  # type: ignore[arg-type]


def texts(result: HighlightResult) -> list[str]:
    for part in result.highlights:
        assert part.span.of(DOCUMENT.text) == part.text
    return [part.text for part in result.highlights]


def test_sentences_are_highlighted_best_first() -> None:
    result = highlight(logits(1.0, -1.0, 2.0))
    assert (result.id, result.status, texts(result)) == ("d", "found", ["Third.", "First."])
    assert [part.score for part in result.highlights] == pytest.approx([1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(-1.0))])
    assert {part.kind for part in result.highlights} == {"evidence"}


def test_a_text_with_nothing_above_the_threshold_is_not_found() -> None:
    result = highlight(logits(-1.0, -1.0, -2.0), prune=True)
    assert result == HighlightResult("d", "not_found", (), "", 0.0)


def test_a_threshold_replaces_the_calibrated_one() -> None:
    assert texts(highlight(logits(1.0, -1.0, 2.0), threshold=0.8)) == ["Third."]
    assert texts(highlight(logits(1.0, -1.0, 2.0), threshold=0.2)) == ["Third.", "First.", "Second one."]


def test_at_most_the_number_asked_for_is_highlighted() -> None:
    assert texts(highlight(logits(1.0, 3.0, 2.0), max_highlights=2)) == ["Second one.", "Third."]


def test_a_sentence_in_two_passages_is_highlighted_once() -> None:
    assert texts(highlight(logits(1.0, -1.0, -1.0), logits(2.0, -1.0, -1.0))) == ["First."]


def test_spans_are_highlighted_with_the_confidence_of_an_answer() -> None:
    # The best span is one character, which is widened to its word.
    result = highlight(logits(-9.0, -9.0, -9.0, answer=8), granularity="span", threshold=0.0, max_highlights=1)
    (part,) = result.highlights
    assert (part.text, part.kind, part.span.of(DOCUMENT.text)) == ("Second", "answer", "Second")
    assert 0 < part.score < 1


def test_without_a_threshold_spans_need_the_confidence_of_an_answer() -> None:
    of_text = logits(-9.0, -9.0, -9.0, answer=8)
    score = highlight(of_text, granularity="span", threshold=0.0).highlights[0].score
    read = [(Hit(None, Passage("d", Span(START, START + len(TEXT)), TEXT), None, None, {}, 0.0, 0.0, 0.0), of_text)]
    for answered, status in ((score - 0.001, "found"), (score + 0.001, "not_found")):
        calibration = replace(CALIBRATION, read=replace(SCALE, answered=answered))
        result = select_highlights("Which?", DOCUMENT, read, calibration, HighlightOptions("span"))
        assert result.status == status


def test_the_pruned_text_is_what_is_highlighted_below_its_heading() -> None:
    result = highlight(logits(2.0, -1.0, 1.0), prune=True)
    assert result.pruned_text == "Fees\n\nFirst. Third."
    assert result.kept == len("Fees\n\nFirst. Third.") / len(DOCUMENT.text)
    assert highlight(logits(2.0, -1.0, 1.0)).pruned_text is None


def test_the_pruned_text_has_the_sentence_around_a_span() -> None:
    options = {"granularity": "span", "threshold": 0.0, "max_highlights": 1, "prune": True}
    assert highlight(logits(-9.0, -9.0, -9.0, answer=8), **options).pruned_text == "Fees\n\nSecond one."


def test_a_reader_that_does_not_mark_evidence_is_an_error_and_not_a_text_without_highlights() -> None:
    zeros = np.zeros(len(TEXT), np.float32)
    without = PassageLogits(OFFSETS, [WindowLogits(0, zeros, zeros, 0.0)], SEGMENTS, UNITS)
    with pytest.raises(ModelError, match="the reader does not mark evidence") as raised:
        highlight(without)
    assert raised.value.field == "granularity"
    assert highlight(without, granularity="span", threshold=0.0).status == "found"
