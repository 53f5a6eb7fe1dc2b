from __future__ import annotations

from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.reading.reader import OpenVINOReader
from qa.training.data.examples import Example
from qa.training.data.hardest import select_hardest
from qa.types import Span

TEXT = "The old mill burned down in 1912. Ida Brandt, who was born in Oslo, built the bridge in 1931."


def example(question: str, answer: str) -> Example:
    start = TEXT.index(answer)
    return Example(question, TEXT, Span(start, start + len(answer)))


def test_questions_with_the_old_answer_are_kept_highest_margin_first() -> None:
    originals = [
        example("When did the old mill burn down?", "1912"),
        example("When was the bridge built?", "1931"),
        example("Where was Ida Brandt born?", "Oslo"),
    ]
    # A question the passage is not about, one that it answers with another span, and one that is almost unchanged.
    castle = Example("When did the new castle of the king burn down?", TEXT, None)
    otherwise = Example("When did the old mill burn down?", TEXT, None)
    great = Example("Where was the great Ida Brandt born?", TEXT, None)
    altered = list(zip(originals, (castle, otherwise, great), strict=True))
    reader = OpenVINOReader(open_model_folder(WEIGHTS / "reader"), 1)
    assert select_hardest(altered, reader, 3) == [great, castle]
    assert select_hardest(altered, reader, 1) == [great]
    assert select_hardest([], reader, 1) == []
