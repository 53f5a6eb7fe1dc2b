"""How much of an HTML element is text, and how much of it is in links and headings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qa.documents.extract.html.parsing import Element, texts_of, walk
from qa.documents.extract.html.tags import BLOCKS, HEADINGS

# An element with fewer words is no text.
_MIN_PROSE_WORDS, _MIN_SENTENCE_WORDS = 5, 3
_SEPARATORS = frozenset("|·•-–—/>›»→:,[]*")


@dataclass(frozen=True, slots=True)
class Content:
    """The words of an element.

    Attributes:
        words: outside links and headings.
        heading_words: in headings, outside links.
        link_words: in links.
        links: number of links.
        ends_sentence: whether the text ends as a sentence does.
    """

    words: int
    heading_words: int
    link_words: int
    links: int
    ends_sentence: bool = False

    @property
    def has_words(self) -> bool:
        """Whether there is enough outside links and headings to be text."""
        return self.words >= (_MIN_SENTENCE_WORDS if self.ends_sentence else _MIN_PROSE_WORDS)

    @property
    def is_prose(self) -> bool:
        """Whether it is text more than links."""
        return self.has_words and self.words >= self.link_words

    @property
    def has_any(self) -> bool:
        """Whether there is a word, wherever it is."""
        return self.words + self.heading_words + self.link_words > 0

    @property
    def linked(self) -> float:
        """The share of words in links."""
        return self.link_words / max(1, self.words + self.heading_words + self.link_words)


def measure(element: Element, count_link: Callable[[Element], int] | None = None) -> Content:
    """Return how much text an element holds.

    Args:
        element: the element.
        count_link: counts the words of a link; a cached function if elements inside each other are measured.
    """
    text = " ".join(texts_of(element)).split()
    words = len(text) - sum(map(_SEPARATORS.__contains__, text))
    if not words:
        return Content(0, 0, 0, 0)
    links = list(element.iter("a"))
    link_words = sum(map(count_link or count_words, links))
    headings = list(element.iter(*HEADINGS))
    links_in_headings = [link for heading in headings for link in heading.iter("a")]
    heading_words = sum(map(count_words, headings)) - sum(map(count_words, links_in_headings))
    outside = max(0, words - heading_words - link_words)
    return Content(outside, max(0, heading_words), link_words, len(links), text[-1].endswith((".", "!", "?")))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an element.

    Attributes:
        text: its words, also those in links.
        words: the number of words outside links and headings.
        link_words: the number of words in links.
    """

    text: str
    words: int
    link_words: int


def sentences_of(element: Element) -> Iterator[Sentence]:
    """Yield the sentences of an element; each ends at the latest with its block."""
    words: list[tuple[str, bool]] = []
    links = headings = 0
    for event, part in walk(element):
        if part.tag in BLOCKS or part.tag == "br":
            yield from _sentence(words)
            words = []
        is_start = event == "start"
        links += (1 if is_start else -1) * (part.tag == "a")
        headings += (1 if is_start else -1) * (part.tag in HEADINGS)
        text = part.text if is_start else part.tail if part is not element else None
        for word in (text or "").split() if not headings else ():
            if word in _SEPARATORS:
                continue
            words.append((word, links > 0))
            if word.endswith((".", "!", "?")):
                yield from _sentence(words)
                words = []
    yield from _sentence(words)


def _sentence(words: Sequence[tuple[str, bool]]) -> Iterator[Sentence]:
    if words:
        link_words = sum(is_link for _, is_link in words)
        yield Sentence(" ".join(word for word, _ in words), len(words) - link_words, link_words)


def has_more_words(element: Element, number: int) -> bool:
    """Return whether an element has more than a number of words; quick also for a large element."""
    for text in element.itertext():
        number -= len(text.split())
        if number < 0:
            return True
    return False


def text_of(element: Element) -> str:
    """Return the text inside an element on one line; the texts of its parts are apart."""
    return " ".join(" ".join(texts_of(element)).split())


def texts_outside_links(element: Element) -> Iterator[str]:
    """Yield the texts inside an element that are not in a link."""
    if element.tag == "a":
        return
    if element.text:
        yield element.text
    for child in element:
        yield from texts_outside_links(child)
        if child.tail:
            yield child.tail


def has_text_beside(element: Element) -> bool:
    """Return whether there is a word right before or after an element, so that it is a part of a sentence."""
    parent, previous = element.getparent(), element.getprevious()
    if parent is None or parent.tag == "pre":
        return False
    before = parent.text if previous is None else previous.tail
    return any(character.isalnum() for text in (before, element.tail) if text for character in text)


def empty(element: Element) -> None:
    """Remove all that is inside an element; the element and the text after it stay."""
    element.clear(keep_tail=True)


def count_words(element: Element) -> int:
    """Return the number of words inside an element."""
    if not len(element):
        return len(element.text.split()) if element.text else 0
    return len(" ".join(texts_of(element)).split())
