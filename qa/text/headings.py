"""The title and section heading with which a passage is embedded, searched and read (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from qa.types import Mark

# Characters kept of a heading; an embedder's input is little longer than a passage.
_MAX_HEADING = 80


def headings_above(text: str, title: str | None, marks: Sequence[Mark]) -> list[str]:
    """Return the title of a passage's document and the heading of the section in which the passage begins.

    A paragraph under "Descaling" may not repeat the word, and a page on lighthouses may not name its subject. Headings
    with which the passage itself begins are left out.

    Args:
        text: the passage.
        title: the document's title.
        marks: the passage's marks; the first one gives the section.

    Returns:
        At most two headings, each cut to 80 characters.
    """
    headings = dict.fromkeys((title, marks[0].section if marks else None))
    return [heading[:_MAX_HEADING] for heading in headings if heading and not text.startswith(heading)]


def search_text(text: str, title: str | None, marks: Sequence[Mark], lead_in: str = "") -> str:
    """Return the text that is embedded and indexed for a passage: its headings, its lead-in, then the passage."""
    return "\n".join([*headings_above(text, title, marks), *([lead_in.strip()] if lead_in.strip() else []), text])
