"""Recognise the format of a text from how it begins (pure)."""

from __future__ import annotations

import re

from qa.documents.extract.encodings import decode_head
from qa.documents.extract.signatures import Format, Unsupported

# Sources and other texts that may begin with markup or a mail's header and are read as they are.
_SOURCES = frozenset(
    {".md", ".markdown", ".mdx", ".rst", ".adoc", ".tex", ".php", ".js", ".jsx", ".ts", ".tsx", ".vue", ".svelte"}
    | {".css", ".scss", ".less", ".py", ".rb", ".pl", ".java", ".kt", ".go", ".rs", ".c", ".h", ".cc", ".cpp", ".hpp"}
    | {".cs", ".swift", ".sh", ".sql", ".diff", ".patch", ".tmpl", ".tpl", ".j2", ".jinja", ".erb", ".ejs", ".hbs"}
    | {".xsl", ".xslt", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".yaml", ".yml", ".toml", ".ini"}
    | {".cfg", ".log"}
)
# In bytes: how much of a text is looked at.
_HEAD = 8192
_RTF = re.compile(r"\{\\rtf[\d\\{}]")
_PROLOGUE = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?!\s+html)[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL | re.IGNORECASE
)
_HTML = re.compile(r"(?:<!doctype\s+html[^>]*>|<html(?:\s[^>]*)?>)\s*<[a-z!/]", re.IGNORECASE)
_SVG = re.compile(r"<(?:\w+:)?svg[\s>]")
_FLAT_ODT = re.compile(
    r"<office:document\s[^>]*office:mimetype=\"application/vnd\.oasis\.opendocument\.(\w+)", re.DOTALL
)
_WORD_XML = re.compile(r"<(?:w:wordDocument|pkg:package)[\s>]")
_EXCEL_XML = re.compile(r"<(?:\w+:)?Workbook\s[^>]*urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL)
_NOTEBOOK = (re.compile(rb'"nbformat"\s*:\s*\d'), re.compile(rb'"cells"\s*:\s*\['))
_MAIL_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]?(.*)")
# Fields that mail programs write and people do not.
_MAIL_MARKS = frozenset(
    {"return-path", "message-id", "mime-version", "delivered-to", "content-transfer-encoding", "x-mailer"}
)
# The word "received" is in notes too.
_RECEIVED = re.compile(r"\(?(?:from|by)\s+\S", re.IGNORECASE)
_SAVED_BY = re.compile(r"[\"<]*saved by ", re.IGNORECASE)
_MAILBOX = re.compile(r"From \S+.*\d{4}\r?\n(?:[A-Za-z][A-Za-z0-9-]*:|>)")


def sniff_text(data: bytes, suffix: str, by_name: Format | Unsupported) -> Format | Unsupported | None:
    """Return the format of a text that has a mark; None for any other."""
    head = decode_head(data[:_HEAD])
    if head.lstrip().startswith("{") and all(pattern.search(data) for pattern in _NOTEBOOK):
        return Format.NOTEBOOK
    if suffix in _SOURCES:
        return None
    if _RTF.match(head.lstrip()):
        return Format.RTF
    body = _skip_prologue(head)
    if body.startswith("<"):
        return _sniff_markup(body)
    if by_name in (Unsupported.WEB_ARCHIVE, Format.HTML):
        return None
    return _sniff_mail(head)


def _skip_prologue(head: str) -> str:
    """Return a text without the comments and declarations before its first element."""
    start = 0
    while match := _PROLOGUE.match(head, start):
        start = match.end()
    return head[start:]


def _sniff_markup(body: str) -> Format | Unsupported | None:
    if _HTML.match(body):
        return Format.HTML
    if _SVG.match(body):
        return Unsupported.SVG
    if flat := _FLAT_ODT.match(body):
        return Format.ODT if flat[1] == "text" else Unsupported.OPEN_DOCUMENT
    if _WORD_XML.match(body):
        return Unsupported.WORD_XML
    return Unsupported.EXCEL_XML if _EXCEL_XML.match(body) else None


def _sniff_mail(head: str) -> Format | Unsupported | None:
    """Return the format of a mail, which begins with header fields, at least one of them written by a program."""
    if _MAILBOX.match(head):
        return Format.MAILBOX
    fields: dict[str, str] = {}
    for line in head.splitlines():
        if line[:1] in (" ", "\t") and fields:
            continue
        field = _MAIL_FIELD.fullmatch(line)
        if not field:
            break
        fields.setdefault(field[1].casefold(), field[2])
    is_received = _RECEIVED.match(fields.get("received", "")) or (
        "received" in fields and "@" in fields.get("from", "")
    )
    if not (fields.keys() & _MAIL_MARKS or is_received) or not fields.keys() & {"from", "subject", "date", "to"}:
        return None
    if _SAVED_BY.match(fields.get("from", "")) or "snapshot-content-location" in fields:
        return Unsupported.WEB_ARCHIVE
    return Format.MAIL
