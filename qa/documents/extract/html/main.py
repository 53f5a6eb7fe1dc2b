"""What of a page is its content: empty all that is navigation, repeated furniture or never shown.

What an element holds decides together with its tag, role and names, so a menu with a paragraph of text in it stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.documents.extract.html.content import empty
from qa.documents.extract.html.furniture import empty_furniture
from qa.documents.extract.html.names import needs_browser
from qa.documents.extract.html.navigation import empty_navigation, find_contents
from qa.documents.extract.html.parsing import Element, raw_text
from qa.documents.extract.html.tags import SKIPPED
from qa.documents.extract.html.visibility import find_hidden

# Shown instead of something that this extraction does not have either.
_FALLBACKS = ("applet", "audio", "canvas", "noembed", "noscript", "object", "video")
_EMBEDDED = ("embed", "iframe", "object")
_MAX_NOTICE_WORDS = 60


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning found in a page.

    Attributes:
        contents: elements that are tables of contents or indexes.
        navigation: links to other parts of the manual or site.
        switches: elements with nothing but texts of which a script shows one.
        embedded: addresses of files that the page shows within itself.
    """

    contents: frozenset[Element] = frozenset()
    navigation: frozenset[Element] = frozenset()
    switches: frozenset[Element] = frozenset()
    embedded: tuple[str, ...] = field(default=())


def prune(page: Element, markup: str) -> Pruned:
    """Empty the elements of a page that are no content; their places and the text after them stay.

    Args:
        page: the page.
        markup: the page as it is in the file.
    """
    hidden = find_hidden(page, markup)
    for element in hidden.never_shown:
        empty(element)
    embedded = tuple(
        dict.fromkeys(
            source for element in page.iter(*_EMBEDDED) if (source := element.get("src") or element.get("data"))
        )
    )
    empty_skipped(page)
    for element in list(page.iter(*_FALLBACKS)):
        if is_notice(raw_text(element)):
            empty(element)
    empty_furniture(page, markup)
    navigation = empty_navigation(page)
    return Pruned(find_contents(page), navigation, hidden.switches, embedded)


def prune_links(page: Element) -> Pruned:
    """Empty the links of a page that are no content; for a page without other furniture and without hidden elements."""
    navigation = empty_navigation(page)
    return Pruned(find_contents(page), navigation)


def empty_skipped(page: Element) -> None:
    """Empty the elements that hold no text of the page, such as scripts."""
    for element in list(page.iter(*SKIPPED)):
        empty(element)


def is_notice(text: str) -> bool:
    """Return whether a text only says that the reader's browser lacks something."""
    return len(text.split()) <= _MAX_NOTICE_WORDS and needs_browser(text)
