"""Which hidden elements of a page can be shown: tab panels, accordions and texts that a script chooses from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from qa.documents.extract.html.parsing import Element, raw_text

_HIDING_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)\b|mso-hide\s*:\s*all", re.IGNORECASE
)
# Attributes that can hide an element, and what is in a page that has them.
_MAY_HIDE = {
    "hidden": (" hidden", "\nhidden"),
    "aria-hidden": ("aria-hidden",),
    "style": ("display:none", "display: none", "visibility:hidden", "visibility: hidden", "mso-hide"),
    "<dialog": ("<dialog",),
}
_DISPLAY = re.compile(r"\bdisplay\s*:\s*([\w-]+)", re.IGNORECASE)
_CSS_BLOCK = re.compile(r"@[^@{};]*\{|[{}]")
_SIMPLE_SELECTOR = re.compile(r"[a-z]*([.#][\w-]+)", re.IGNORECASE)
_CSS_NAME = re.compile(r"[.#][\w-]+")
# Rules for states that the reader brings about, such as a click.
_CSS_STATE = re.compile(
    r":(?:active|checked|focus|has|hover|indeterminate|open|popover-open|target)|\[(?:open|aria-expanded)",
    re.IGNORECASE,
)
_CSS_SUBJECT = re.compile(r"(?:^|[\s>+~])([a-z][\w-]*|\*|(?=[:\[]))[^\s>+~.#]*$", re.IGNORECASE)
_REFERENCE = re.compile(r"""\s(?:aria-[a-z]+|data-[a-z0-9-]+|on[a-z]+|popovertarget|href(?==["']?#))=["']?([^"'<>]+)""")
_WORD = re.compile(r"[\w-]+")
# Names of parts that open when the reader clicks.
_OPENS = re.compile(
    r"accordion|collaps|disclosure|expand|faq|answer|spoiler|switch|toggle|reveal"
    r"|(?<![a-z])(?:tabs?|panels?|panes?|tab-?(?:pane|panel|content))(?![a-z])",
    re.IGNORECASE,
)
_OPENING_ROLES = frozenset({"tabpanel", "region"})
_OPENERS = ("button", "summary")
# In characters, of the end that names what a rule selects.
_MAX_SELECTOR = 300
# Elements that hold whole texts; within them `aria-hidden` marks a part that is closed, elsewhere an ornament.
_TEXT_BLOCKS = frozenset({"article", "blockquote", "div", "dd", "dl", "li", "ol", "p", "section", "table", "td", "ul"})
# A text that only a script names is a message, such as "Loading", if it has fewer words.
_MIN_SCRIPTED_WORDS = 5
# How many elements around a hidden one may be named as a part that opens.
_LEVELS = 2


@dataclass(frozen=True, slots=True)
class Hidden:
    """The hidden elements of a page.

    Attributes:
        never_shown: those that nothing can show.
        switches: elements with nothing but hidden texts, of which a script shows one.
    """

    never_shown: frozenset[Element] = frozenset()
    switches: frozenset[Element] = frozenset()


def find_hidden(page: Element, markup: str) -> Hidden:
    """Return the hidden elements of a page. Call it before scripts are removed.

    Args:
        page: the page.
        markup: the page as it is in the file.
    """
    lower = markup.lower()
    attributes = [name for name, words in _MAY_HIDE.items() if any(word in lower for word in words)]
    if not attributes:
        return Hidden()
    candidates: list[Element] = []
    if "style" in attributes:
        hides = _HIDING_STYLE.search
        candidates += [element for element in page.iter() if (style := element.get("style")) and hides(style)]
    if "hidden" in attributes:
        candidates += [element for element in page.iter() if element.get("hidden") is not None]
    if "aria-hidden" in attributes:
        candidates += [element for element in page.iter() if element.get("aria-hidden") == "true"]
    if "<dialog" in attributes:
        candidates += [element for element in page.iter("dialog") if element.get("open") is None]
    css = _without_comments(" ".join(style.text or "" for style in page.iter("style")))
    names = _names_hidden_by_css(css)
    if not candidates and not names:
        return Hidden()
    shown = _read_showing_rules(css)
    names -= shown.names
    if not candidates and not names:
        return Hidden()
    visibility = _Visibility(page, lower, candidates, shown)
    if names and not visibility.has_external_script:
        candidates += [element for element in page.iterfind(".//*[@class]") if _has_name(element, names)]
        candidates += [element for element in page.iterfind(".//*[@id]") if f"#{element.get('id')}" in names]
    return Hidden(frozenset(filter(visibility.is_never_shown, candidates)), visibility.switches)


def _has_name(element: Element, names: frozenset[str]) -> bool:
    return any(f".{name}" in names for name in element.get("class").split())


class _Visibility:
    """Decides which hidden elements of one page are never shown."""

    def __init__(self, page: Element, markup: str, hidden: Sequence[Element], shown: _Shown) -> None:
        self._markup = markup
        self._shown = shown
        scripts = list(page.iter("script"))
        self._script = " ".join(script.text or "" for script in scripts)
        self._has_script = bool(scripts)
        self.has_external_script = any(script.get("src") for script in scripts)
        parents = {parent for element in hidden if (parent := element.getparent()) is not None}
        self.switches = frozenset(filter(self._is_switch, parents))

    def is_never_shown(self, element: Element) -> bool:
        """Return whether nothing can show a hidden element."""
        if (element.get("hidden") or "").lower() == "until-found":
            return False
        is_hidden = element.get("hidden") is not None or _HIDING_STYLE.search(element.get("style") or "")
        if not is_hidden and element.get("aria-hidden") == "true":
            return element.tag not in _TEXT_BLOCKS
        return not self._can_be_shown(element)

    def _is_switch(self, parent: Element) -> bool:
        """Return whether an element holds nothing but hidden texts with ids."""
        return (
            self._has_script
            and not (parent.text or "").strip()
            and all(
                child.get("hidden") is not None and child.get("id") and not (child.tail or "").strip()
                for child in parent
            )
        )

    def _can_be_shown(self, element: Element) -> bool:
        if _is_named_as_opening(element) or _follows_opener(element) or self._shown.may_show(element):
            return True
        if element.getparent() in self.switches:
            return True
        id = element.get("id")
        if id and id.lower() in self._references:
            return True
        names = {id, *(element.get("class") or "").split()} - {None, "hidden"}
        return not names.isdisjoint(self._words_of_script) and _has_words(element, _MIN_SCRIPTED_WORDS)

    @cached_property
    def _references(self) -> frozenset[str]:
        """The words of all attributes that can name the id of another element, in lower case."""
        return frozenset(word for value in _REFERENCE.findall(self._markup) for word in _WORD.findall(value))

    @cached_property
    def _words_of_script(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._script))


def _is_named_as_opening(element: Element) -> bool:
    around: Element | None = element
    for _ in range(_LEVELS):
        if around is None or around.tag in ("body", "html"):
            return False
        names = f"{around.get('class') or ''} {around.get('id') or ''}"
        if _OPENS.search(names) or around.get("role") in _OPENING_ROLES or around.tag == "details":
            return True
        around = around.getparent()
    return False


def _follows_opener(element: Element) -> bool:
    """Return whether an element is right after one that the reader can click."""
    previous = element.getprevious()
    if previous is None:
        return False
    return any(
        part.tag in _OPENERS or part.get("role") == "button" or part.get("onclick") or part.get("aria-expanded")
        for part in (previous, *previous.iterchildren())
    )


def _has_words(element: Element, number: int) -> bool:
    return len(raw_text(element).split()) >= number


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the rules of a style sheet show.

    Attributes:
        names: classes and ids in rules that show something, also on some devices only.
        stateful_names: those in rules for a state that the reader brings about.
        stateful_tags: the tags that such rules show without any name; `*` for all.
    """

    names: frozenset[str]
    stateful_names: frozenset[str]
    stateful_tags: frozenset[str]

    def may_show(self, element: Element) -> bool:
        """Return whether a rule can show an element when the reader brings about a state, such as with a click."""
        if not self.stateful_tags.isdisjoint(("*", element.tag)):
            return True
        names = {f".{name}" for name in (element.get("class") or "").split()} | {f"#{element.get('id') or ''}"}
        return not names.isdisjoint(self.stateful_names)


def _read_showing_rules(css: str) -> _Shown:
    names, stateful_names, stateful_tags = set[str](), set[str](), set[str]()
    for rule in css.split("}"):
        selectors, _, declarations = rule.rpartition("{")
        display = _DISPLAY.findall(declarations)
        if not display or display[-1].lower() == "none":
            continue
        for selector in selectors.rpartition("{")[2].split(","):
            found = _CSS_NAME.findall(selector)
            names.update(found)
            if _CSS_STATE.search(selector):
                stateful_names.update(found)
                subject = _CSS_SUBJECT.search(selector.strip()[-_MAX_SELECTOR:])
                stateful_tags.update({subject[1].lower() or "*"} if subject else ())
    return _Shown(frozenset(names), frozenset(stateful_names), frozenset(stateful_tags))


def _names_hidden_by_css(css: str) -> frozenset[str]:
    """Return the classes and ids that a style sheet hides on every device."""
    if "none" not in css:
        return frozenset()
    hidden = set[str]()
    for rule in _without_media(css).split("}"):
        selectors, _, declarations = rule.partition("{")
        display = _DISPLAY.findall(declarations)
        # Rules within a rule are for a part of what it selects, or for a state of it.
        if display and display[-1].lower() == "none" and "{" not in declarations:
            hidden.update(
                match[1] for selector in selectors.split(",") if (match := _SIMPLE_SELECTOR.fullmatch(selector.strip()))
            )
    return frozenset(hidden)


def _without_comments(css: str) -> str:
    first, *others = css.split("/*")
    return first + " ".join(part.partition("*/")[2] for part in others)


def _without_media(css: str) -> str:
    """Return a style sheet without the rules for some devices only, such as those for print."""
    kept, depth, position, skipped_from = [], 0, 0, None
    for match in _CSS_BLOCK.finditer(css):
        if skipped_from is None:
            if match[0].startswith("@"):
                kept.append(css[position : match.start()])
                skipped_from, depth = match.start(), 1
        else:
            depth += -1 if match[0] == "}" else 1
            if depth == 0:
                skipped_from, position = None, match.end()
    return "".join(kept) + (css[position:] if skipped_from is None else "")
