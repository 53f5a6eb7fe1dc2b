"""Jupyter notebooks (IPYNB, versions 3 and 4): text, code and the text of outputs, in order."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from qa.documents.extract.html.page import extract_html
from qa.documents.extract.joining import join_texts
from qa.documents.extract.markdown.document import extract_markdown
from qa.documents.extract.plain_text import decode
from qa.documents.extract.text_builder import ExtractedText, TextBuilder, clean_properties
from qa.errors import InvalidInput, QAError
from qa.types import Unread

Json: TypeAlias = Mapping[str, object]

# Characters of one output; longer ones are logs.
_MAX_OUTPUT = 20_000
_TERMINAL_CODE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# What Python prints for an object that has no text, such as a figure.
_BARE_OBJECT = re.compile(r"[\[(]?<[^<>\n]{1,200}(?: at 0x[0-9a-f]+|Axes)>[\])]?,?")
# What Python, Altair and R print for an object that is shown as a picture.
_PICTURED_OBJECT = re.compile(
    r"[\[(]?<[^\n]{1,300}>[\])]?,?|[\w.]{1,100}\(\.\.\.\)|plot without title|Plot with title .{0,300}"
)
_ATTACHED_PICTURE = re.compile(r"\]\(attachment:")
_LISTED = 10


def extract_notebook(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a notebook; its title is its first heading.

    Raises:
        InvalidInput: the file is not a notebook.
    """
    notebook = _parse(data, name)
    parts: list[ExtractedText] = []
    pictures: list[int] = []
    for number, cell in enumerate(_cells(notebook), 1):
        texts, has_picture = _read_cell(cell, number, name)
        parts += texts
        if has_picture:
            pictures.append(number)
    if pictures:
        listed = ", ".join(map(str, pictures[:_LISTED])) + (" and more" if len(pictures) > _LISTED else "")
        parts.append(ExtractedText("", unread=(Unread(None, f"pictures in cells {listed}"),)))
    text = join_texts(parts, carry_section=True)
    headings = (mark.section for mark in text.marks if mark.section)
    metadata = _mapping(notebook.get("metadata"))
    title = _string(metadata.get("title")) or next(headings, None)
    language, kernel = _language(metadata), _mapping(metadata.get("kernelspec")).get("display_name")
    meta = clean_properties(author=_authors(metadata), language=language, kernel=_string(kernel))
    return replace(text, title=" ".join(_TERMINAL_CODE.sub("", title or "").split()) or None, meta=meta)


def _parse(data: bytes, name: str) -> Json:
    reason = "it has no cells"
    try:
        notebook = json.loads(decode(data, name))
        if isinstance(notebook, dict) and isinstance(notebook.get("cells", notebook.get("worksheets")), list):
            return notebook
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise InvalidInput(f"{name}: not a Jupyter notebook, or damaged ({reason}); save it again", field=name)


def _cells(notebook: Json) -> Iterator[Json]:
    """Yield the cells; version 3 has them in worksheets."""
    sheets = notebook.get("worksheets")
    groups = [notebook.get("cells"), *(_mapping(sheet).get("cells") for sheet in _sequence(sheets))]
    for group in groups:
        yield from (cell for cell in _sequence(group) if isinstance(cell, Mapping))


def _read_cell(cell: Json, number: int, name: str) -> tuple[list[ExtractedText], bool]:
    """Return the texts of a cell and whether it has a picture that is not read."""
    kind, source = cell.get("cell_type"), _string(cell.get("source", cell.get("input")))
    if kind == "markdown":
        return [_read_markdown(source, name)], bool(_ATTACHED_PICTURE.search(source))
    if kind == "heading":
        builder = TextBuilder()
        builder.add_heading(source)
        return [builder.build()], False
    if kind != "code":
        return [_plain(source)], False
    texts, has_picture = [_plain(source)], False
    for output in _sequence(cell.get("outputs")):
        text, is_picture = _read_output(_mapping(output), number, name)
        texts.append(text)
        has_picture = has_picture or is_picture
    return texts, has_picture


def _read_markdown(source: str, name: str) -> ExtractedText:
    try:
        return extract_markdown(codecs.BOM_UTF8 + source.encode("utf-8", "replace"), name)
    except QAError:
        return _plain(source)


def _plain(text: str) -> ExtractedText:
    """Return code or printed text with its line ends."""
    builder = TextBuilder()
    builder.add_block(_TERMINAL_CODE.sub("", text.replace("\r\n", "\n")).strip("\n"))
    return builder.build()


def _read_output(output: Json, number: int, name: str) -> tuple[ExtractedText, bool]:
    """Return the text of an output, and whether the output is a picture."""
    kind = output.get("output_type")
    if kind == "stream":
        return _printed(_string(output.get("text")), number), False
    if kind in ("error", "pyerr"):
        return _printed(f"{_string(output.get('ename'))}: {_string(output.get('evalue'))}", number), False
    # Version 3 has the forms of an output beside its other fields.
    forms = _mapping(output.get("data")) or {f"text/{key}": value for key, value in output.items()}
    has_picture = any(key.startswith("image/") or key in ("text/png", "text/jpeg", "text/svg") for key in forms)
    plain, html = _string(forms.get("text/plain", forms.get("text/text"))), _string(forms.get("text/html"))
    if html and len(html) < _MAX_OUTPUT * 10:
        table = _read_html(html, name)
        if table.tables or (table.text and not plain):
            return table, has_picture
    if markdown := _string(forms.get("text/markdown")):
        return _read_markdown(markdown, name), has_picture
    bare = _PICTURED_OBJECT if has_picture else _BARE_OBJECT
    if bare.fullmatch(plain.strip()) or any("widget" in key for key in forms):
        plain = ""
    return _printed(plain or _string(forms.get("text/latex")), number), has_picture


def _read_html(html: str, name: str) -> ExtractedText:
    try:
        return extract_html(codecs.BOM_UTF8 + html.encode("utf-8", "replace"), name)
    except QAError:
        return ExtractedText("")


def _printed(text: str, number: int) -> ExtractedText:
    """Return printed text as a terminal shows it: a carriage return begins the line again, as progress bars do."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    shown = _plain("\n".join(lines))
    if len(shown.text) <= _MAX_OUTPUT:
        return shown
    reason = f"cell {number}: the output after its first {_MAX_OUTPUT:,} characters"
    return ExtractedText(shown.text[:_MAX_OUTPUT].rstrip(), unread=(Unread(None, reason),))


def _language(metadata: Json) -> str:
    info, kernel = _mapping(metadata.get("language_info")), _mapping(metadata.get("kernelspec"))
    return _string(info.get("name")) or _string(kernel.get("language")) or _string(metadata.get("language"))


def _authors(metadata: Json) -> str:
    authors = _sequence(metadata.get("authors"))
    return ", ".join(filter(None, (_string(_mapping(author).get("name", author)) for author in authors)))


def _string(value: object) -> str:
    """Return text, which notebooks store whole or as a list of lines."""
    if isinstance(value, str):
        return value
    return "".join(line for line in _sequence(value) if isinstance(line, str))


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
