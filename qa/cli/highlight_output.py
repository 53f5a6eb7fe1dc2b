"""What `qa highlight` prints: the lines with highlights, the pruned texts, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa.cli.output import lines, notes, print_json, stdout, styled
from qa.types import Mark, Span, mark_at

if TYPE_CHECKING:
    from qa.results import Highlight, HighlightResult
    from qa.types import Document

_STYLE = "bold black on yellow"
# Characters printed of a line on each side of a highlight.
_AROUND = 200


def highlights(
    documents: Sequence[Document], results: Sequence[HighlightResult], as_json: bool, *, prune: bool
) -> None:
    """Print the highlights of documents, best first; with `prune`, what is kept of each document."""
    if as_json:
        from qa.wire.convert import highlight_response

        print_json(highlight_response(results).model_dump())
        return
    for document, result in zip(documents, results, strict=True):
        if result.status == "not_found":
            styled(f"{result.id}: not found", style="dim")
            lines([""])
        elif prune:
            _print_pruned(result)
        else:
            styled(result.id, style="bold")
            for highlight in result.highlights:
                _print_highlight(document, highlight)


def _print_pruned(result: HighlightResult) -> None:
    styled(result.pruned_text or "")
    lines([""])
    notes([f"{result.id}: kept {result.kept or 0.0:.0%} of the text"])


def _print_highlight(document: Document, highlight: Highlight) -> None:
    """Print the line of a highlight with the highlight in colour, then its score and place."""
    from rich.text import Text

    span = highlight.span
    around = _line_around(document.text, span)
    line = Text(Span(around.start, span.start).of(document.text))
    line.append(highlight.text, style=_STYLE)
    line.append(Span(span.end, around.end).of(document.text))
    stdout().print(line)
    mark = mark_at(document.marks, span.start) or Mark(0)
    place = [f"page {mark.page}" if mark.page else "", mark.section or "", f"characters {span.start} to {span.end}"]
    styled(", ".join([f"{highlight.score:.0%} sure", *filter(None, place)]), style="dim")
    lines([""])


def _line_around(text: str, span: Span) -> Span:
    """Return the lines of a span, of which at most 200 characters are before it and after it."""
    start = max(text.rfind("\n", 0, span.start) + 1, span.start - _AROUND)
    end = text.find("\n", span.end)
    return Span(start, min(len(text) if end < 0 else end, span.end + _AROUND))
