"""The parser of Markdown gives the HTML that markdown-it gives with its own rules."""

from __future__ import annotations

import re
from itertools import product

import pytest
from markdown_it import MarkdownIt

from qa.documents.extract.markdown.dispatch import dispatch_rules
from qa.documents.extract.markdown.rendering import make_parser, render
from qa.documents.extract.markdown.tables import add_table_rule

_LINES = (
    "text *a* **b** _c_ ~~d~~ `e|f` &amp; \\* [g](h)",
    "| a \\| b | c |",
    "|---|:-:|",
    "| 1 | 2 | 3 |",
    "x | y",
    "",
    "- item",
    "2. item",
    "> quote",
    "    code",
    "```",
    "# Heading",
    "===",
    "---",
    "[g]: http://example.org",
)


@pytest.fixture(scope="module")
def parser() -> MarkdownIt:
    made = make_parser()
    add_table_rule(made)
    dispatch_rules(made)
    return made


@pytest.mark.parametrize("first", _LINES)
def test_gives_the_html_of_the_library_for_lines_in_every_order(first: str, parser: MarkdownIt) -> None:
    library = MarkdownIt("commonmark", {"maxNesting": 100}).enable(["table", "strikethrough"])
    for before, second in product((_LINES[:1], _LINES[1:3]), _LINES):
        text = "\n".join((*before, first, second))
        for source in (text, "> " + text.replace("\n", "\n> "), "- " + text.replace("\n", "\n  ")):
            expected = re.sub(r' style="text-align:\w+"', "", library.render(source))
            assert render(parser, source) == expected, source


def test_completes_short_rows_only_up_to_a_limit(parser: MarkdownIt) -> None:
    columns = 1000
    source = "|x" * columns + "|\n" + "|-" * columns + "|\n" + "|y|\n" * 200
    library = MarkdownIt("commonmark").enable("table")

    assert render(parser, source).count("<tr>") == library.render(source).count("<tr>") < 100
