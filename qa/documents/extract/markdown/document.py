"""Markdown: rendered to HTML, whose text is extracted; front matter becomes metadata."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt

from qa.documents.extract.html.page import add_markup
from qa.documents.extract.markdown.dispatch import dispatch_rules
from qa.documents.extract.markdown.front_matter import split_front_matter
from qa.documents.extract.markdown.rendering import make_parser, render
from qa.documents.extract.markdown.rules import add_rules
from qa.documents.extract.markdown.tables import add_table_rule
from qa.documents.extract.plain_text import decode_text
from qa.documents.extract.text_builder import ExtractedText, TextBuilder

_MODULE_LINE = re.compile(
    r"(?:import|export)\b[^\n]*(?:\bfrom\s+[\"'][^\"'\n]+[\"']|=[^\n]*);?|import\s+[\"'][^\"'\n]+[\"'];?"
)


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
    heading = add_markup(builder, render(_parser(), text), name, has_furniture="<" in text)
    return builder.build(heading if title is None else str(title), properties)


@cache
def _parser() -> MarkdownIt:
    parser = make_parser()
    add_rules(parser)
    add_table_rule(parser)
    dispatch_rules(parser)
    return parser


def _drop_module_lines(text: str) -> str:
    """Return MDX without its lines of JavaScript, apart from those in code."""
    lines, in_code = [], False
    for line in text.split("\n"):
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        if in_code or not _MODULE_LINE.fullmatch(line.rstrip()):
            lines.append(line)
    return "\n".join(lines)
