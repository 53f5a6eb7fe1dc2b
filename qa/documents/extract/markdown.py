"""Markdown: its text without the marks of the markup, with headings as sections, and the front matter as metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa.documents.extract.html import extract_html
from qa.documents.extract.plain_text import decoded
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, as_rows
from qa.errors import InvalidInput

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?=[\w-]+:|---)(.*?\n)??---[ \t]*(?:\r?\n|$)", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PARSER = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Takes no aliases: a few lines of them stand for more text than there is memory."""

    def compose_node(self, parent: object, index: object) -> object:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def extract_markdown(data: bytes, name: str) -> ExtractedText:
    """Extract a file's text; its title is that of the front matter, or else its first heading of the first level.

    Raises:
        InvalidInput: the front matter is not YAML, or bytes cannot be decoded.
        UnsupportedFormat: it is not text.
    """
    text = decoded(data, name)
    meta, title = dict[str, Any](), None
    front = _FRONT_MATTER.match(text)
    if front and (read := _front_matter(front.group(1) or "", name)) is not None:
        meta, text = read, text[front.end() :]
        title = meta.pop("title", None)
    builder = TextBuilder()
    tokens = iter(_PARSER.parse(text))
    for token in tokens:
        if token.type == "heading_open":
            heading = _words(next(tokens))
            builder.heading(heading)
            title = title or (heading if token.tag == "h1" else None)
        elif token.type == "table_open":
            builder.block(as_rows(list(_rows(tokens))))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            builder.block("\n".join(_items(tokens, token.type.replace("open", "close"))))
        elif token.type == "inline":
            builder.block(_words(token))
        elif token.type in ("fence", "code_block"):
            builder.block(token.content)
        elif token.type == "html_block":
            builder.block(extract_html(token.content.encode(), name).text)
    return builder.made(None if title is None else str(title), meta)


def _front_matter(text: str, name: str) -> dict[str, Any] | None:
    """Return what is between two lines of dashes, if that is front matter and not text between two rules."""
    try:
        read = yaml.load(text, _Loader)  # noqa: S506 - it is a safe one
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise InvalidInput(f"{name}: front matter is not YAML ({told})", field=name) from error
    if read is None:
        return {}
    return {str(key): _plain(value) for key, value in read.items()} if isinstance(read, Mapping) else None


def _plain(value: object) -> str | int | float | bool | None:
    """Return a value as metadata can hold it: dates in ISO form, lists with commas."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Sequence):
        return ", ".join(str(_plain(part)) for part in value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _words(inline: Token) -> str:
    """Return an inline token's text; breaks of a line stay breaks."""
    made = []
    for child in inline.children or ():
        if child.type in ("text", "code_inline"):
            made.append(child.content)
        elif child.type == "image":
            made.append(_words(child))
        elif child.type in ("softbreak", "hardbreak") or _BREAK.fullmatch(child.content):
            made.append("\n")
    return "".join(made)


def _rows(tokens: Iterator[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_words(token))
        elif token.type == "tr_close":
            yield row


def _items(tokens: Iterator[Token], end: str) -> Iterator[str]:
    """Yield the lines of a list, those of lists inside it too, each with what stands before an item."""
    depth, marker = 0, ""
    for token in tokens:
        if token.type == end and depth == 0:
            return
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type == "list_item_open":
            marker = f"{token.info}{token.markup} " if token.info else f"{token.markup} "
        elif token.type in ("inline", "fence", "code_block", "html_block"):
            if token.type == "inline":
                words = _words(token)
            elif token.type == "html_block":
                words = extract_html(token.content.encode(), "html").text
            else:
                words = token.content.rstrip()
            yield "  " * depth + marker + words
            marker = ""
