"""Markdown: the text without markup, with headings as sections and the front matter as metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa.documents.extract.html import extract_html
from qa.documents.extract.plain_text import decode
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, format_table
from qa.errors import InvalidInput

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?=[\w-]+:|---)(.*?\n)??---[ \t]*(?:\r?\n|$)", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PARSER = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Rejects aliases: a few lines of them expand to more text than fits into memory."""

    def compose_node(self, parent: object, index: object) -> object:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def extract_markdown(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a file; its title is in the front matter, or else is its first top-level heading.

    Raises:
        InvalidInput: the front matter is not valid YAML, or the bytes cannot be decoded.
        UnsupportedFormat: the file is not text.
    """
    text = decode(data, name)
    meta, title = dict[str, Any](), None
    match = _FRONT_MATTER.match(text)
    if match and (front_matter := _parse_front_matter(match.group(1) or "", name)) is not None:
        meta, text = front_matter, text[match.end() :]
        title = meta.pop("title", None)
    builder = TextBuilder()
    tokens = iter(_PARSER.parse(text))
    for token in tokens:
        if token.type == "heading_open":
            heading = _inline_text(next(tokens))
            builder.add_heading(heading)
            title = title or (heading if token.tag == "h1" else None)
        elif token.type == "table_open":
            builder.add_block(format_table(list(_read_rows(tokens))))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            builder.add_block("\n".join(_format_list(tokens, token.type.replace("open", "close"))))
        elif token.type == "inline":
            builder.add_block(_inline_text(token))
        elif token.type in ("fence", "code_block"):
            builder.add_block(token.content)
        elif token.type == "html_block":
            builder.add_block(extract_html(token.content.encode(), name).text)
    return builder.build(None if title is None else str(title), meta)


def _parse_front_matter(text: str, name: str) -> dict[str, Any] | None:
    """Return the mapping between two lines of dashes, or None if it is text between two horizontal rules."""
    try:
        values = yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(
            f"{name}: front matter is not valid YAML ({reason}); correct or remove it", field=name
        ) from error
    if values is None:
        return {}
    return {str(key): _to_scalar(value) for key, value in values.items()} if isinstance(values, Mapping) else None


def _to_scalar(value: object) -> str | int | float | bool | None:
    """Return a value that metadata accepts: dates in ISO form, lists joined by commas."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Sequence):
        return ", ".join(str(_to_scalar(part)) for part in value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _inline_text(inline: Token) -> str:
    """Return the text of an inline token, with its line breaks."""
    pieces = []
    for child in inline.children or ():
        if child.type in ("text", "code_inline"):
            pieces.append(child.content)
        elif child.type == "image":
            pieces.append(_inline_text(child))
        elif child.type in ("softbreak", "hardbreak") or _BREAK.fullmatch(child.content):
            pieces.append("\n")
    return "".join(pieces)


def _read_rows(tokens: Iterator[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_inline_text(token))
        elif token.type == "tr_close":
            yield row


def _format_list(tokens: Iterator[Token], end: str) -> Iterator[str]:
    """Yield the lines of a list up to its `end` token, each with its marker, including those of nested lists."""
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
                text = _inline_text(token)
            elif token.type == "html_block":
                text = extract_html(token.content.encode(), "html").text
            else:
                text = token.content.rstrip()
            yield "  " * depth + marker + text
            marker = ""
