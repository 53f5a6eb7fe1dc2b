"""Contact details among the links of a footer: postal addresses, telephone numbers and e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from qa.documents.extract.html.content import empty, text_of
from qa.documents.extract.html.names import is_imprint
from qa.documents.extract.html.parsing import Element

# A link that shares a page by e-mail has no address.
_CONTACT_LINK = re.compile(r"\s*(?:tel:|fax:|sms:|mailto:[^?\s])", re.IGNORECASE)
_CONTACT_TEXT = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.\w|\b(?:call|fax|mobile|phone|tel|telephone)\b\W{0,4}\+?\(?\d[\d ()./-]{4,}\d",
    re.IGNORECASE,
)
_PROPERTIES = frozenset({"address", "email", "faxnumber", "telephone"})


def empty_around_contacts(element: Element) -> None:
    """Empty an element, except for blocks with contact details and text that is in no block."""
    links = (link for link in element.iter("a") if not _is_contact_link(link))
    linked = {ancestor for link in links for ancestor in link.iterancestors()}
    kept, around = set[Element](), set[Element]()
    for part in element.iter():
        if not isinstance(part.tag, str):
            continue
        has_text = _has_contact_text(part)
        if has_text and part in linked:
            around.update((part, *part.iterancestors()))
        elif has_text or _is_contact_link(part) or _is_address(part):
            block = _block_of(part, element, linked)
            kept.add(block)
            around.update(block.iterancestors())
    inside = [element]
    while inside:
        part = inside.pop()
        if part in kept:
            continue
        if part in around:
            inside.extend(part)
        else:
            empty(part)


def _is_contact_link(part: Element) -> bool:
    return part.tag == "a" and _CONTACT_LINK.match(part.get("href") or "") is not None


def _is_address(part: Element) -> bool:
    if part.tag != "address" and (part.get("itemprop") or "").lower() not in _PROPERTIES:
        return False
    text = text_of(part)
    return bool(text) and not is_imprint(text)


def _has_contact_text(part: Element) -> bool:
    return any(text and _CONTACT_TEXT.search(text) for text in (part.text, *(child.tail for child in part)))


def _block_of(part: Element, outermost: Element, linked: AbstractSet[Element]) -> Element:
    """Return the largest element around a part that has no links to other pages."""
    while part is not outermost and part.getparent() not in linked:
        part = part.getparent()
    return part
