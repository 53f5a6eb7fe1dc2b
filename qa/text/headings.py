"""The title and section headings that a passage is embedded, searched and read under (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from qa.types import Mark

# Characters of a title; an embedder takes little more than a passage.
_MAX_HEADING = 80


def headings_above(text: str, title: str | None, marks: Sequence[Mark]) -> list[str]:
    """Return the titles of a passage's document and of the section that it begins in.

    What stands under "Descaling" may never say so, nor a page on lighthouses what it is about. Those with which the
    passage begins anyhow are left out.
    """
    above = dict.fromkeys((title, marks[0].section if marks else None))
    return [words[:_MAX_HEADING] for words in above if words and not text.startswith(words)]


def search_text(text: str, title: str | None, marks: Sequence[Mark]) -> str:
    """Return what a passage is embedded and searched as: its text, with the titles above it."""
    return "\n".join([*headings_above(text, title, marks), text])
