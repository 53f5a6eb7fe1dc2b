"""What the names, roles and words of elements reveal about them: navigation, furniture or a table of contents."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Purpose = Literal["navigation", "header", "footer", "sidebar", "search", "consent", "contents", "line numbers"]
"""What an element is for, if it is not the text itself."""

NAVIGATION_ROLES = frozenset({"directory", "menu", "menubar", "navigation", "toolbar"})
SURROUNDING_ROLES: dict[str, Purpose] = {"banner": "header", "contentinfo": "footer", "complementary": "sidebar"}
CONTENTS_ROLES = frozenset({"doc-index", "doc-toc"})

# Whole names of classes and ids, in lower case with hyphens.
_PURPOSES: dict[Purpose, re.Pattern[str]] = {
    "navigation": re.compile(
        r"(?:\w+-)?(?:nav|navbar|navigation|navheader|navfooter|navbuttons|docnav|breadcrumbs?|crumbs?|pagination|pager)"
        r"(?:-(?:bar|list|links?|menu|wrapper|container|header|footer|top|bottom|flow|main|item|section))?"
        r"|(?:main|site|side|sub|top|page|global|primary)-?(?:menu|links)|prev-?next|next-?prev|rellinks|related-links"
        r"|skip-?(?:link|links|nav|navigation|to-content)|share|sharing|social|addthis|share-(?:buttons|links|bar)"
        r"|social-(?:icons|links|media|share)|mw-editsection|edit-(?:this-)?page|edit-link|back-?to-?top"
    ),
    "header": re.compile(r"(?:site|global|top)-?(?:header|banner)|masthead|top-?bar"),
    "footer": re.compile(r"(?:site|page|global)?-?footer(?:-text)?|colophon|copyright"),
    "sidebar": re.compile(r"(?:left|right|site)?-?sidebar(?:-(?:left|right|wrapper))?|side-?bar"),
    "search": re.compile(r"(?:site-?)?search-?(?:form|box|bar|container|wrapper)?|quick-?search"),
    "consent": re.compile(r"(?:\w+-)*(?:cookies?|gdpr|consent|onetrust|cookiebanner)(?:-\w+)*"),
    "contents": re.compile(
        r"menu|(?:\w+-)?toc(?:-\w+)*|toctree(?:-wrapper|-l\d)?|(?:table-of-)?contents|tableofcontents|on-this-page|local-?toc"
        r"|mso-?toc-?\d|mso-?index-?\d|(?:doc|gen)?-?index(?:table|div|-cp|-fn|-vr|-ky)?|genindextable|printindex|index-[a-z]{2}"
    ),
    "line numbers": re.compile(
        r"lineno(?:s|div)?|line-?numbers?(?:-rows)?|gutter|rouge-gutter|hljs-ln-numbers|blob-num|ln-num"
    ),
}
# Tabs are labels of the text that they show, and are often built with the classes of menus.
_TABS = re.compile(r"\b(?:nav-)?(?:tabs?|pills)\b")

_NAVIGATION_WORDS = r"prev(?:ious)?|next|up|home(?:page)?|top|back|forward|(?:table of )?contents?|index|toc|first|last"
_NAVIGATION_TEXT = re.compile(
    rf"\W*(?:{_NAVIGATION_WORDS}|main menu|start)(?: (?:page|chapter|section|topic|part))?\W*", re.IGNORECASE
)
_SEQUENCE_TEXT = re.compile(r"\W*(?:prev(?:ious)?|next|up)(?: (?:page|chapter|section|topic|part))?\W*", re.IGNORECASE)
_LABEL = re.compile(
    rf"\b(?:{_NAVIGATION_WORDS}|to|of|page|chapter|section|topic|return|go|jump|main|you are here)\b|[\W\d_]+",
    re.IGNORECASE,
)
_SEQUENCE_RELATIONS = frozenset({"next", "prev", "previous", "up"})
_OTHER_RELATIONS = frozenset({"contents", "home", "index", "start", "toc"})
_ARROWS = frozenset({"", ">", "›", "»", "→", "/", "▸", "❯"})
_PERMALINKS = frozenset({"#", "¶", "§", "🔗", "↩", "↩︎", "↑", "^", "⏎"})
_TOOL = re.compile(
    r"\W*(?:skip (?:to|over|navigation)\b.{0,40}|jump to (?:navigation|content|main content|search)"
    r"|edit(?: (?:this|the))?(?: page| section| source)?(?: (?:on|in|at) \w+)?|(?:view|show)(?: page)? source"
    r"|suggest (?:an )?edits?|improve this (?:page|doc|article)|report (?:a|an) (?:\w+ )?(?:bug|issue|problem|error)"
    r"(?: in \w+)?|(?:back|return|scroll) to (?:the )?top|print(?: this page)?|share(?: this)?(?: page)?(?: on \w+)?"
    r"|tweet|permalink|copy(?: (?:link|code|to clipboard))?|source)\W*",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\W*(?:accept|agree|allow|apply|back|cancel|clear|close|collapse|copied|copy|decline|dismiss|edit|expand|filter"
    r"|go|got it|hide|i agree|like|load more|log ?in|log ?out|menu|next|ok(?:ay)?|open|pause|play|prev(?:ious)?|print"
    r"|read more|refresh|reject|reply|reset|run|save|search|send|share|show|show less|show more|sign ?(?:in|up|out)"
    r"|submit|subscribe|switch|toggle|tweet|try it)"
    r"(?: (?:all|and close|code|cookies|dark mode|link|menu|navigation|page|search|sidebar|theme|this page|to clipboard"
    r"|now|settings|preferences|snippet|light mode|table of contents))*\W*",
    re.IGNORECASE,
)
# Each text of a tool or of navigation has one of these words.
_MAYBE = frozenset(
    {"back", "content", "contents", "copy", "edit", "edits", "first", "forward", "home", "homepage", "improve"}
    | {"index", "jump", "last", "main", "next", "permalink", "prev", "previous", "print", "report", "share", "skip"}
    | {"source", "start", "toc", "top", "tweet", "up"}
)
_WORD = re.compile(r"\w+")
_CONSENT = re.compile(r"\bcookies?\b|\bgdpr\b|\bprivacy\b", re.IGNORECASE)
_CONSENTS = re.compile(
    r"\b(?:accept|agree|allow|consent|decline|dismiss|got it|learn more|ok|okay|preferences|reject|settings)\b",
    re.IGNORECASE,
)
_IMPRINT = re.compile(
    r"©|\(c\) \d{4}|\bcopyright\b|all rights reserved|last (?:updated|modified)|powered by|generated (?:by|on)"
    r"|(?:built|created|made) (?:using|with)",
    re.IGNORECASE,
)
_CONTENTS_TITLE = re.compile(
    r"\W*(?:(?:table of )?contents|on this page|in this (?:article|chapter|guide|page|section)|page contents|index"
    r"|quick links|jump to|short contents|brief contents|list of (?:figures|tables|examples))\W*",
    re.IGNORECASE,
)
_NEEDS_BROWSER = re.compile(
    r"javascript|\bbrowser\b|\bflash\b|\bplug-?in\b|\bnot support|\bunsupported\b|\bframes\b", re.IGNORECASE
)
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=4096)
def purpose_of(names: str) -> Purpose | None:
    """Return what the names of an element's classes and its id say that it is for; None if nothing."""
    words = [_CAMEL_CASE.sub("-", name).lower().replace("_", "-") for name in names[:500].split()]
    for purpose, pattern in _PURPOSES.items():
        if any(map(pattern.fullmatch, words)) and not (purpose == "navigation" and _TABS.search(" ".join(words))):
            return purpose
    return None


def leads_elsewhere(text: str, relation: str | None, key: str | None) -> bool:
    """Return whether a link with this text, `rel` and `accesskey` leads to another part of a manual or site."""
    relations = set((relation or "").lower().split())
    return bool(
        is_sequence_link(text, relation, key) or relations & _OTHER_RELATIONS or _NAVIGATION_TEXT.fullmatch(text)
    )


def may_lead_elsewhere(text: str) -> bool:
    """Return whether the text of a link may be that of a tool or of navigation; quick to compute."""
    return not _MAYBE.isdisjoint(_WORD.findall(text.lower())) or is_permalink(text)


def is_sequence_link(text: str, relation: str | None, key: str | None) -> bool:
    """Return whether a link leads to the next, previous or upper page."""
    relations = set((relation or "").lower().split())
    return bool(relations & _SEQUENCE_RELATIONS or key in ("n", "p", "u") or _SEQUENCE_TEXT.fullmatch(text))


def is_label(text: str) -> bool:
    """Return whether a text beside links is nothing but separators and labels, such as `Next:`."""
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            return False
        position = match.end()
    return True


def begins_with_arrow(text: str) -> bool:
    """Return whether a text beside links is the step between two levels of a site, with the name of the page."""
    return text.strip()[:1] in _ARROWS


def is_permalink(text: str) -> bool:
    """Return whether the text of a link only marks the place where it is."""
    return text in _PERMALINKS


def is_tool(text: str) -> bool:
    """Return whether the text of a link offers something to do with the page, such as to edit or to print it."""
    return bool(_TOOL.fullmatch(text))


def is_command(text: str) -> bool:
    """Return whether the text of a button is a command, and not the title of a text that it shows."""
    return bool(_COMMAND.fullmatch(text))


def asks_for_consent(text: str) -> bool:
    """Return whether a text asks to accept cookies."""
    return bool(_CONSENT.search(text) and _CONSENTS.search(text))


def is_imprint(text: str) -> bool:
    """Return whether a text at the foot of a page is about the page and not about its subject."""
    return bool(_IMPRINT.search(text))


def is_contents_title(text: str) -> bool:
    """Return whether a heading announces a list of links."""
    return bool(_CONTENTS_TITLE.fullmatch(text))


def needs_browser(text: str) -> bool:
    """Return whether a text only says what the reader's browser lacks."""
    return bool(_NEEDS_BROWSER.search(text))
