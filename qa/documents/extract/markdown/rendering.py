"""Render the tokens of Markdown to HTML, with what renders to nothing that a reader sees: components, unknown tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore, text_join
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from qa.documents.extract.html.tags import KNOWN, RAW_TEXT

_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]*)((?:\s[^<>]*?)?)(/?)>")
_CLOSING_TAG = re.compile(r"</([A-Za-z][\w.:-]*)")
_SHOWN_ATTRIBUTE = re.compile(r"\b(?:title|label|summary|heading|caption)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]")
_DEFINITION = re.compile(r":[ \t]+")
# A text without these characters has no markup; most texts have none.
_MARKUP = re.compile(r"[\n&*<\[\\_`~]")
# Characters at which a rule for inline markup may begin or end.
_INLINE_MARKS = re.compile(r"[\n!&*<\[\\\]_`~]")
# Tags of a page as a whole would change how the rest of the text is parsed.
_PAGE_TAGS = RAW_TEXT | {"body", "frameset", "head", "html", "select", "template"}


def make_parser() -> MarkdownIt:
    """Return a parser that renders what a reader sees."""
    parser = MarkdownIt("commonmark", {"maxNesting": 100}, renderer_cls=_Renderer).enable(["strikethrough", "table"])
    parser.inline.terminator_re = _INLINE_MARKS
    parser.core.ruler.at("inline", _parse_inline)
    parser.core.ruler.disable("text_join")
    return parser


def render(parser: MarkdownIt, text: str) -> str:
    """Return a text as HTML."""
    rendered: str = parser.render(text, {"closed": frozenset(_CLOSING_TAG.findall(text))})
    return rendered


def _parse_inline(state: StateCore) -> None:
    """Parse the texts with markup into the children of their tokens; the other texts stay as they are."""
    closed: frozenset[str] = state.env["closed"]
    parsed: list[Token] = []
    for token in state.tokens:
        if token.type == "inline":
            token.children = None
            if _MARKUP.search(token.content):
                parsed.append(token)
        elif token.type == "row":
            cells = token.meta["cells"]
            for number, cell in enumerate(cells):
                if _MARKUP.search(cell):
                    cells[number] = Token("inline", "", 0, content=cell)
                    parsed.append(cells[number])
        elif token.type == "html_block":
            token.content = _show_block(token.content, closed)
    for token in parsed:
        token.children = state.md.inline.parse(token.content, state.md, state.env, [])
    text_join(StateCore("", state.md, state.env, parsed))
    for token in parsed:
        _show_inline(token.children or [], closed)


class _Renderer(RendererHTML):
    """Renders the rows of tables, and texts without markup."""

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        pieces: list[str] = []
        for index, token in enumerate(tokens):
            if token.type == "inline":
                pieces.append(self._render_text(token, options, env))
            elif token.type == "row":
                pieces.append("<tr>\n")
                for cell in token.meta["cells"]:
                    shown = _escape_plain(cell) if isinstance(cell, str) else self._render_text(cell, options, env)
                    pieces.append(f"<{token.tag}>{shown}</{token.tag}>\n")
                pieces.append("</tr>\n")
            elif token.type in self.rules:
                pieces.append(self.rules[token.type](tokens, index, options, env))
            else:
                pieces.append(self.renderToken(tokens, index, options, env))
        return "".join(pieces)

    def _render_text(self, token: Token, options: OptionsDict, env: EnvType) -> str:
        if token.children is None:
            return _escape_plain(token.content)
        return self.renderInline(token.children, options, env)


def _escape_plain(text: str) -> str:
    """Return a text without markup as HTML."""
    if definition := _DEFINITION.match(text):
        text = text[definition.end() :]
    return text.replace(">", "&gt;").replace('"', "&quot;")


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
