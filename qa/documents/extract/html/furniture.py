"""What sites repeat around the content of a page: headers, footers, sidebars, menus, search forms, cookie banners."""

from __future__ import annotations

from collections.abc import Sequence

from qa.documents.extract.html.contacts import empty_around_contacts
from qa.documents.extract.html.content import (
    Content,
    empty,
    has_more_words,
    has_text_beside,
    measure,
    sentences_of,
    text_of,
)
from qa.documents.extract.html.names import (
    NAVIGATION_ROLES,
    SURROUNDING_ROLES,
    Purpose,
    asks_for_consent,
    is_command,
    is_imprint,
    purpose_of,
)
from qa.documents.extract.html.parsing import Element, raw_text

_SURROUNDING_TAGS: dict[str, Purpose] = {"header": "header", "footer": "footer", "aside": "sidebar"}
# Names of these decide nothing: the id of a section is made of its heading.
_NAMED = frozenset({"address", "center", "div", "dl", "form", "menu", "ol", "p", "table", "ul"})
_DECIDED_BY_TAG = frozenset({"aside", "dialog", "footer", "header", "main", "nav", "search"})
_NUMBERED = ("pre", "span", "td", "a")
_NUMBERING_NAMES = ("lineno", "line-no", "gutter", "-num", "linenum", "-ln-")
_MAX_WORDS_OF_MENU = 40
_MAX_CONSENT_WORDS = 150
_MANY_WORDS = 200
_MIN_WORDS_OF_FOOTER, _MIN_WORDS_WITHOUT_LINKS = 5, 3
# Share of words in links; with more of them an element beside the main content is a menu.
_MIN_LINKED = 0.5


def _find_main(marked: Sequence[Element]) -> Element | None:
    """Return the only element that the page marks as its main content and that has text; None if there is none."""
    found = [element for element in marked if has_more_words(element, 0)]
    outermost = [element for element in found if not any(other in found for other in element.iterancestors())]
    return outermost[0] if len(outermost) == 1 else None


def empty_furniture(page: Element, markup: str) -> None:
    """Empty the elements that are not the content of a page, the innermost first.

    Args:
        page: the page.
        markup: the page as it is in the file.
    """
    if any(name in markup for name in _NUMBERING_NAMES):
        for element in page.iter(*_NUMBERED):
            if purpose_of(element.get("class") or "") == "line numbers" and _is_number(element):
                empty(element)
    candidates = _candidates(page)
    main = _find_main([element for element, role, _ in candidates if element.tag == "main" or role == "main"])
    _empty_consent(page, candidates)
    buttons = list(page.iter("button"))
    if 'role="button"' in markup:
        buttons += page.iterfind(".//*[@role='button']")
    for button in buttons:
        if _is_command_button(button):
            empty(button)
    # What is around much text is text too; to measure each level again would take quadratic time.
    around_text = set[Element]()
    for element, role, purpose in reversed(candidates):
        if element in around_text:
            continue
        surrounding = _surrounding(element, role, purpose)
        if not _is_furniture(element, role, purpose):
            if surrounding and has_more_words(element, _MANY_WORDS):
                around_text.update(element.iterancestors())
        elif surrounding:
            empty_around_contacts(element)
        else:
            empty(element)
    if main is not None:
        inside = main
        for ancestor in main.iterancestors():
            for element in ancestor:
                if element is not inside:
                    _empty_beside_main(element)
            inside = ancestor


def _empty_consent(page: Element, candidates: Sequence[tuple[Element, str, Purpose | None]]) -> None:
    """Empty cookie banners: named so, dialogs, or blocks with buttons at the top level of the page."""
    for element, role, purpose in candidates:
        is_dialog = element.tag == "dialog" or role in ("alertdialog", "dialog")
        if (purpose == "consent" or is_dialog) and _asks_for_consent(element):
            empty(element)
    body = page.find("body")
    if body is not None and next(page.iter("button"), None) is not None:
        for element in body:
            if element.tag not in ("p", "main", "article") and _has_button(element) and _asks_for_consent(element):
                empty(element)


def _candidates(page: Element) -> list[tuple[Element, str, Purpose | None]]:
    """Return the elements whose tag, role or names say that they may be furniture, in the order of the page."""
    found = []
    for element in page.iter(*_DECIDED_BY_TAG, *_NAMED, "article", "section"):
        names, id, role = element.get("class"), element.get("id"), element.get("role")
        tag = element.tag
        purpose = purpose_of(f"{names or ''} {id or ''}") if (names or id) and tag in _NAMED else None
        if purpose or role or tag in _DECIDED_BY_TAG:
            found.append((element, (role or "").lower(), purpose))
    return found


def _is_furniture(element: Element, role: str, purpose: Purpose | None) -> bool:
    tag = element.tag
    if tag == "nav" or role in NAVIGATION_ROLES:
        return _is_menu(element)
    if tag == "search" or role == "search":
        return not has_more_words(element, _MAX_WORDS_OF_MENU)
    surrounding = _surrounding(element, role, purpose)
    if surrounding and not _is_within_content(element):
        return _is_surrounding(element, measure(element), surrounding)
    if purpose == "navigation":
        content = measure(element)
        return (
            not content.heading_words
            and content.words <= _MAX_WORDS_OF_MENU
            and content.words <= 2 * content.link_words + len(("share", "this", "page"))
        )
    if purpose == "search":
        return element.find(".//input") is not None and not measure(element).has_words
    return purpose == "line numbers" and _is_number(element)


def _surrounding(element: Element, role: str, purpose: Purpose | None) -> Purpose | None:
    """Return whether an element is a header, footer or sidebar, and which; None if it is none."""
    named = purpose if purpose in ("header", "footer", "sidebar") else None
    return _SURROUNDING_TAGS.get(element.tag) or SURROUNDING_ROLES.get(role) or named


def _is_number(element: Element) -> bool:
    return text_of(element).replace(" ", "").isdigit()


def _is_within_content(element: Element) -> bool:
    return any(
        ancestor.tag in ("article", "main") or ancestor.get("role") == "main" for ancestor in element.iterancestors()
    )


def _is_menu(element: Element) -> bool:
    if has_more_words(element, _MAX_WORDS_OF_MENU):
        content = measure(element)
        if content.words >= _MAX_WORDS_OF_MENU and content.words > content.link_words:
            return False
    # Tabs are the titles of texts that are on the page.
    return element.find(".//*[@role='tab']") is None


def _is_surrounding(element: Element, content: Content, purpose: Purpose) -> bool:
    """Return whether a header, footer or sidebar of the page holds no text."""
    if element.find(".//main") is not None or element.find(".//article") is not None:
        return False
    if purpose == "footer":
        return not _is_about_subject(element, content)
    if purpose == "header":
        return not content.heading_words and not content.has_words
    return not content.is_prose and (content.link_words >= content.words or _has_field(element))


def _is_about_subject(footer: Element, content: Content) -> bool:
    """Return whether a footer has more than links and sentences about the page itself."""
    sentences = [sentence for sentence in sentences_of(footer) if not is_imprint(sentence.text)]
    words = sum(sentence.words for sentence in sentences)
    links = sum(sentence.link_words for sentence in sentences)
    # A heading announces text, and short text without any link is no menu.
    is_enough = words >= _MIN_WORDS_OF_FOOTER or (words > 0 and content.heading_words > 0)
    if not links:
        is_enough = is_enough or words >= _MIN_WORDS_WITHOUT_LINKS
    return is_enough and words >= links


def _empty_beside_main(element: Element) -> None:
    content = measure(element)
    if not content.is_prose and (_has_field(element) or content.linked >= _MIN_LINKED or not content.has_any):
        empty_around_contacts(element)


def _has_field(element: Element) -> bool:
    return next(element.iter("input", "select"), None) is not None


def _has_button(element: Element) -> bool:
    return next(element.iter("button"), None) is not None


def _asks_for_consent(element: Element) -> bool:
    if has_more_words(element, _MAX_CONSENT_WORDS):
        return False
    return asks_for_consent(text_of(element)) and next(element.iter("a", "button", "input"), None) is not None


def _is_command_button(button: Element) -> bool:
    text = " ".join(raw_text(button).split()) or button.get("aria-label") or button.get("title") or ""
    is_form = (button.get("type") or "").lower() in ("submit", "reset")
    return (is_form or is_command(text)) and not has_text_beside(button)
