"""Markdown: rendered to HTML, whose text is extracted; front matter becomes metadata."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from qa.documents.extract.html.page import add_markup
from qa.documents.extract.html.tags import KNOWN, RAW_TEXT
from qa.documents.extract.markdown.front_matter import split_front_matter
from qa.documents.extract.markdown.rules import add_rules
from qa.documents.extract.plain_text import decode_text
from qa.documents.extract.text_builder import ExtractedText, TextBuilder

_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]*)((?:\s[^<>]*?)?)(/?)>")
_CLOSING_TAG = re.compile(r"</([A-Za-z][\w.:-]*)")
_SHOWN_ATTRIBUTE = re.compile(r"\b(?:title|label|summary|heading|caption)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_MODULE_LINE = re.compile(
    r"(?:import|export)\b[^\n]*(?:\bfrom\s+[\"'][^\"'\n]+[\"']|=[^\n]*);?|import\s+[\"'][^\"'\n]+[\"'];?"
)
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]")
_DEFINITION = re.compile(r":[ \t]+")
# Tags of a page as a whole would change how the rest of the text is parsed.
_PAGE_TAGS = RAW_TEXT | {"body", "frameset", "head", "html", "select", "template"}


def extract_markdown(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file; its title is in the front matter, or else is its first top-level heading.

    Raises:
        InvalidInput: HTML in the file is nested too deeply.
        UnsupportedFormat: the file is not text.
    """
    decoded = decode_text(data, name)
    builder = TextBuilder()
    for unread in decoded.unread:
        builder.report_unread(unread.reason)
    meta, text = split_front_matter(decoded.text)
    properties = dict(meta)
    title = properties.pop("title", None)
    if name.lower().endswith(".mdx"):
        text = _drop_module_lines(text)
    heading = add_markup(builder, _render(text), name)
    return builder.build(heading if title is None else str(title), properties)


def _render(text: str) -> str:
    rendered: str = _parser().render(text, {"closed": frozenset(_CLOSING_TAG.findall(text))})
    return rendered


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])
    add_rules(parser)
    parser.core.ruler.push("shown", _show)
    return parser


def _show(state: StateCore) -> None:
    """Replace what renders to nothing that a reader sees: components, unknown tags, alternative texts."""
    closed: frozenset[str] = state.env["closed"]
    for token in state.tokens:
        if token.type == "html_block":
            token.content = _show_block(token.content, closed)
        elif token.type == "inline":
            _show_inline(token.children or [], closed)


def _show_block(content: str, closed: frozenset[str]) -> str:
    inside = frozenset(_CLOSING_TAG.findall(content.lower()))
    # Code and scripts within the block stay as they are.
    is_raw = not inside.isdisjoint({"pre", "script", "style", "textarea"})
    replace = _replace_tag(closed, unsafe=_PAGE_TAGS - inside, element="p")
    return content if is_raw else _TAG.sub(replace, content)


def _show_inline(children: list[Token], closed: frozenset[str]) -> None:
    replace = _replace_tag(closed, unsafe=_PAGE_TAGS, element="span")
    for index, token in enumerate(children):
        previous = children[index - 1].type if index else ""
        if token.type == "html_inline":
            token.content = _TAG.sub(replace, token.content)
        elif token.type == "image":
            token.type, token.tag = "text", ""
            token.content = "".join(child.content for child in token.children or ())
        elif token.type == "text":
            if not index:
                token.content = _ALERT.sub(lambda match: f"{match[1].capitalize()}:", token.content, count=1)
            if previous in ("", "softbreak") and _DEFINITION.match(token.content):
                # A definition is on the line after its term.
                token.content = _DEFINITION.sub("", token.content, count=1)
                if index:
                    children[index - 1].type = "hardbreak"


def _replace_tag(closed: frozenset[str], *, unsafe: frozenset[str], element: str) -> Callable[[re.Match[str]], str]:
    """Return a function that replaces a tag by what a reader of the page sees.

    Args:
        closed: the names of all tags that are closed in the file; others that are unknown are placeholders.
        unsafe: known tags that are shown as text.
        element: the element for the words of a component.
    """

    def replace(tag: re.Match[str]) -> str:
        slash, name, attributes, is_empty = tag.groups()
        if name.lower() in KNOWN:
            return escape(tag[0], quote=False) if name.lower() in unsafe else tag[0]
        if not (slash or is_empty or attributes.strip() or name in closed):
            return escape(tag[0], quote=False)
        words = " ".join(filter(None, (part for pair in _SHOWN_ATTRIBUTE.findall(attributes) for part in pair)))
        return f"<{element}>{escape(words, quote=False)}</{element}> " if words else ""

    return replace


def _drop_module_lines(text: str) -> str:
    """Return MDX without its lines of JavaScript, apart from those in code."""
    lines, in_code = [], False
    for line in text.split("\n"):
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        if in_code or not _MODULE_LINE.fullmatch(line.rstrip()):
            lines.append(line)
    return "\n".join(lines)
