"""Links of a page that are no text: to the next page, to edit the page, tables of contents and indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from qa.documents.extract.html.content import (
    count_words,
    empty,
    has_more_words,
    has_text_beside,
    measure,
    text_of,
    texts_outside_links,
)
from qa.documents.extract.html.inline import describe_pictures
from qa.documents.extract.html.names import (
    CONTENTS_ROLES,
    begins_with_arrow,
    is_contents_title,
    is_label,
    is_permalink,
    is_sequence_link,
    is_tool,
    leads_elsewhere,
    may_lead_elsewhere,
    purpose_of,
)
from qa.documents.extract.html.parsing import Element, raw_text, walk
from qa.documents.extract.html.tags import HEADINGS

_BLOCKS_OF_LINKS = frozenset({"center", "div", "dl", "menu", "ol", "p", "table", "td", "ul"})
_LISTS = frozenset({"dl", "menu", "ol", "table", "ul"})
_INSIDE_BLOCKS = frozenset({"b", "dd", "dt", "font", "li", "small", "span", "strong", "tbody", "th", "thead", "tr"})
# In characters: a longer link says more than where it leads.
_MAX_LINK_TEXT = 40
_MAX_WORDS_WITH_LINKS = 80
_MAX_WORDS, _MAX_ROWS, _MIN_SENTENCE_WORDS = 25, 3, 8
# A list with more words for each link is text.
_MAX_WORDS_A_LINK = 20
_MIN_LINKS_OF_CONTENTS = 3
# A text with more words before a list introduces it.
_MAX_WORDS_OF_LABEL = 3
# With fewer words before it, a list of links is at the top of a page.
_MAX_WORDS_AT_TOP = 20
_MIN_LINKED, _MIN_LINKED_IN_NAMED_CONTENTS = 0.75, 0.4


def empty_navigation(page: Element) -> frozenset[Element]:
    """Empty the links that belong to the page and not to its text, and the blocks that are nothing but such links.

    Returns:
        Links to other parts of the manual or site that are left.
    """
    navigation = set[Element]()
    for link in page.iter("a"):
        if link.get("href") is None:
            continue
        text = _words(link)
        relation, key = link.get("rel"), link.get("accesskey")
        if len(text) > _MAX_LINK_TEXT or not (relation or key or not text or may_lead_elsewhere(text)):
            continue
        if _is_tool_link(link, text):
            empty(link)
        elif leads_elsewhere(text, relation, key):
            navigation.add(link)
    checked = set[Element]()
    for link in navigation:
        block = None
        for element in link.iterancestors():
            if element in checked:
                break
            if element.tag in _BLOCKS_OF_LINKS:
                checked.add(element)
                if not _is_navigation(element, navigation):
                    break
                block = element
            elif element.tag not in _INSIDE_BLOCKS:
                break
        if block is not None:
            empty(block)
    return frozenset(navigation)


def _is_tool_link(link: Element, text: str) -> bool:
    if is_permalink(text):
        return (link.get("href") or "#").startswith("#") or "anchor" in (link.get("class") or "")
    return is_tool(text) and not has_text_beside(link)


def _is_navigation(element: Element, navigation: set[Element]) -> bool:
    """Return whether an element is nothing but links to other parts of a manual or site, and their labels."""
    if has_more_words(element, _MAX_WORDS_WITH_LINKS):
        return False
    content = measure(element)
    if content.heading_words or content.words > _MAX_WORDS:
        return False
    links = [link for link in element.iter("a") if link in navigation]
    in_sequence = any(is_sequence_link(_words(link), link.get("rel"), link.get("accesskey")) for link in links)
    texts = list(texts_outside_links(element))
    if element.tag == "table" and in_sequence and len(list(element.iter("tr"))) <= _MAX_ROWS:
        return not any(map(_is_sentence, texts))
    # A list with one link home among many is a list of links to be read.
    is_list = 2 * len(links) < content.links and content.links > _MIN_LINKS_OF_CONTENTS and not in_sequence
    return not is_list and (all(map(is_label, texts)) or (bool(texts) and all(map(begins_with_arrow, texts))))


def _words(link: Element) -> str:
    if len(link):
        return " ".join(raw_text(link).split()) or describe_pictures(link)
    return " ".join((link.text or "").split())


def _is_sentence(text: str) -> bool:
    words = len(text.split())
    return words >= _MIN_SENTENCE_WORDS or (
        2 * words >= _MIN_SENTENCE_WORDS and text.rstrip().endswith((".", "!", "?"))
    )


def find_contents(page: Element) -> frozenset[Element]:
    """Return the elements that are nothing but links to parts of this text, or named as such a list."""
    found = set[Element]()
    at_top: frozenset[Element] | None = None
    # Lists and tables inside each other have the same links.
    count_link = cache(count_words)
    for element, is_named in _candidates(page):
        links = len(list(element.iter("a")))
        if element.tag == "p" and is_named:
            found.add(element)
            continue
        if (
            links < _MIN_LINKS_OF_CONTENTS
            or count_words(element) > _MAX_WORDS_A_LINK * links
            or not found.isdisjoint(element.iterancestors())
        ):
            continue
        linked = (content := measure(element, count_link)).linked
        if is_named and linked >= _MIN_LINKED_IN_NAMED_CONTENTS:
            found.add(element)
        elif linked >= _MIN_LINKED and not content.heading_words:
            at_top = _elements_at_top(page) if at_top is None else at_top
            if _follows_contents_title(element) or (
                not _is_introduced(element) and (element in at_top or _leads_within_page(element))
            ):
                found.add(element)
    return frozenset(found)


def _candidates(page: Element) -> Iterator[tuple[Element, bool]]:
    """Yield the elements that may be lists of links, and whether they are named as contents."""
    parents = Counter(link.getparent() for link in page.iter("a"))
    rows_of_links = {element for element, links in parents.items() if links >= _MIN_LINKS_OF_CONTENTS}
    for element in page.iter("center", "div", "dl", "menu", "nav", "ol", "p", "section", "table", "td", "ul"):
        tag = element.tag
        # Word names the paragraphs of its tables of contents.
        is_named = tag != "td" and (tag != "p" or "Mso" in (element.get("class") or "")) and _is_named_contents(element)
        if is_named or tag in _LISTS or element in rows_of_links:
            yield element, is_named


def _is_named_contents(element: Element) -> bool:
    names, id = element.get("class"), element.get("id")
    if not names and not id:
        return False
    if purpose_of(f"{names or ''} {id or ''}") == "contents":
        return True
    return element.get("role") in CONTENTS_ROLES


def _follows_contents_title(element: Element) -> bool:
    before = element.getprevious()
    return before is not None and is_contents_title(text_of(before)[: 2 * _MAX_LINK_TEXT])


def _is_introduced(element: Element) -> bool:
    """Return whether the text right before a list introduces it."""
    before = element.getprevious()
    return before is not None and before.tag not in HEADINGS and has_more_words(before, _MAX_WORDS_OF_LABEL)


def _leads_within_page(element: Element) -> bool:
    return all((link.get("href") or "#").startswith("#") for link in element.iter("a"))


def _elements_at_top(page: Element) -> frozenset[Element]:
    """Return the elements that begin before the text of a page does."""
    elements = set[Element]()
    for text, element in _texts_with_elements(page):
        elements.add(element)
        if text > _MAX_WORDS_AT_TOP:
            break
    return frozenset(elements)


def _texts_with_elements(page: Element) -> Iterator[tuple[int, Element]]:
    """Yield each element with the number of words outside links and headings before its first child."""
    words = depth = 0
    for event, element in walk(page):
        is_apart = element.tag == "a" or element.tag in HEADINGS
        if event == "start":
            yield words, element
            depth += is_apart
            words += 0 if depth or not element.text else len(element.text.split())
        else:
            depth -= is_apart
            words += 0 if depth or not element.tail else len(element.tail.split())
