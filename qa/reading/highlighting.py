"""Select the words of a text that answer a question (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.errors import ModelError
from qa.reading.answers import find_candidates, rank_answers
from qa.reading.calibration import Calibration
from qa.reading.evidence import find_units, select_units
from qa.reading.selection import select_answers
from qa.reading.spans import PassageLogits
from qa.results import Granularity, Highlight, HighlightResult, Hit
from qa.text.pruning import prune
from qa.types import Document, Span

DEFAULT_MAX_HIGHLIGHTS = 10

ReadPassages = Sequence[tuple[Hit, PassageLogits]]
"""The passages of a text, which together are all of it, with their logits."""


@dataclass(frozen=True, slots=True)
class HighlightOptions:
    """What to highlight.

    Attributes:
        granularity: `sentence` for sentences, list items and rows of tables; `span` for short answers.
        threshold: minimum score; None applies the calibrated thresholds.
        max_highlights: maximum number of highlights in each text.
        prune: also cut each text down to its highlighted units and their headings.
    """

    granularity: Granularity = "sentence"
    threshold: float | None = None
    max_highlights: int = DEFAULT_MAX_HIGHLIGHTS
    prune: bool = False


def select_highlights(
    question: str, document: Document, passages: ReadPassages, calibration: Calibration, options: HighlightOptions
) -> HighlightResult:
    """Return what answers a question in one text.

    Args:
        question: in plain language.
        document: the text, with its sections and tables.
        passages: its passages with their logits; they may overlap.
        calibration: the parameters; those for single texts apply.
        options: what to highlight.

    Raises:
        ModelError: sentences are asked for, and the reader does not mark evidence.
    """
    if options.granularity == "sentence":
        highlights = _highlight_units(passages, calibration, options)
    else:
        highlights = _highlight_answers(question, passages, calibration, options)
    result = HighlightResult(document.id, "found" if highlights else "not_found", highlights)
    if not options.prune:
        return result
    pruned = prune(document.text, _units_around(highlights, passages), document.marks, document.tables)
    return replace(result, pruned_text=pruned, kept=len(pruned) / len(document.text))


def _highlight_units(
    passages: ReadPassages, calibration: Calibration, options: HighlightOptions
) -> tuple[Highlight, ...]:
    if any(len(window.start) and not len(window.evidence) for _, logits in passages for window in logits.windows):
        raise ModelError(
            "the reader does not mark evidence; train it again with `qa train reader`, or highlight spans",
            field="granularity",
        )
    units = [find_units(hit, logits) for hit, logits in passages]
    selected = select_units(units, calibration.read.evidence, options.threshold, options.max_highlights)
    return tuple(Highlight(unit.span, unit.text, score, "evidence") for score, unit in selected)


def _highlight_answers(
    question: str, passages: ReadPassages, calibration: Calibration, options: HighlightOptions
) -> tuple[Highlight, ...]:
    count, scale = options.max_highlights, calibration.read
    candidates = [find_candidates(hit, logits, count) for hit, logits in passages]
    ranked = rank_answers(candidates, calibration.retrieval_weight, scale, count)
    answers = select_answers(question, ranked, scale, count, options.threshold).answers
    return tuple(Highlight(answer.span, answer.text, answer.confidence, "answer") for answer in answers)


def _units_around(highlights: Sequence[Highlight], passages: ReadPassages) -> set[Span]:
    """Return the units that highlights are in; a highlight between two units is kept too."""
    units = {unit.shift(hit.span.start) for hit, logits in passages for unit in logits.units}
    return {highlight.span for highlight in highlights} | {
        unit for unit in units if any(unit.overlaps(highlight.span) for highlight in highlights)
    }
