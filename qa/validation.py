"""Checks of input: each returns the valid value, or raises an error that names the field and the limit (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qa.errors import InvalidInput, TooLarge
from qa.rows import NamedQuestion
from qa.types import Document, Meta

MAX_QUESTION = 2_000
MAX_QUESTIONS = 64
MAX_EXTRACT_QUESTIONS = 32
MAX_ROWS = 100
MAX_TOP_K = 100
MAX_TEXT = 10_000_000
MAX_READ_TEXT = 100_000
MAX_HIGHLIGHT_TEXTS = 64
MAX_HIGHLIGHT_CHARACTERS = 200_000
MIN_QUOTE, MAX_QUOTE = 3, 2_000
MAX_QUOTES = 64
MAX_DOCUMENTS = 1_000
MAX_ID = 200
MAX_TITLE = 1_000
MAX_URI = 16_000
MAX_META_FIELDS = 100
MAX_META_VALUE = 10_000
MAX_IDEMPOTENCY_KEY = 255

INDEX_NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"
_UNFIT_FOR_ID = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_question(question: str, field: str = "question") -> str:
    """Return a question that is neither blank nor too long."""
    if not question.strip():
        raise InvalidInput(f"{field} must not be blank", field=field)
    if len(question) > MAX_QUESTION:
        raise InvalidInput(_too_long(field, question, MAX_QUESTION), field=field)
    return check_characters(question, field)


def check_quote(text: str, field: str = "text") -> str:
    """Return the text of a quotation that is neither blank, too short nor too long."""
    if not text.strip():
        raise InvalidInput(f"{field} must not be blank", field=field)
    if len(text) < MIN_QUOTE:
        raise InvalidInput(f"{field} has {len(text)} characters; at least {MIN_QUOTE} are required", field=field)
    if len(text) > MAX_QUOTE:
        raise InvalidInput(_too_long(field, text, MAX_QUOTE), field=field)
    return check_characters(text, field)


def check_named_questions(questions: Sequence[NamedQuestion], field: str = "questions") -> Sequence[NamedQuestion]:
    """Return questions whose number, names and texts are within the limits, and whose names differ."""
    if not 1 <= len(questions) <= MAX_EXTRACT_QUESTIONS:
        raise InvalidInput(f"{field} must have 1 to {MAX_EXTRACT_QUESTIONS} entries, got {len(questions)}", field=field)
    numbers: dict[str, int] = {}
    for number, (name, question) in enumerate(questions):
        check_question(name, f"{field}.{number}.name")
        check_question(question, f"{field}.{number}.question")
        first = numbers.setdefault(name, number)
        if first != number:
            path = f"{field}.{number}.name"
            raise InvalidInput(f"{path} {name!r} is also the name of {field}.{first}; rename one", field=path)
    return questions


def check_document_ids(ids: Sequence[str], field: str = "document_ids") -> Sequence[str]:
    """Return a list of ids that is neither empty nor too long."""
    if not 1 <= len(ids) <= MAX_DOCUMENTS:
        raise InvalidInput(f"{field} must have 1 to {MAX_DOCUMENTS:,} entries, got {len(ids):,}", field=field)
    for number, id in enumerate(ids):
        check_characters(id, f"{field}.{number}")
    return ids


def check_text(text: str, field: str = "text", limit: int = MAX_TEXT) -> str:
    """Return a text that is neither blank nor too long."""
    if not text.strip():
        raise InvalidInput("the document has no text", field=field)
    if len(text) > limit:
        raise TooLarge(_too_long(field, text, limit), field=field)
    return check_characters(text, field)


def check_characters(text: str, field: str) -> str:
    """Return a text that can be stored and read back unchanged: no U+0000, no lone surrogates."""
    position = text.find("\0")
    if position >= 0:
        raise InvalidInput(f"{field} contains U+0000 at character {position}; remove it", field=field)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{field} contains a lone surrogate at character {error.start}; remove it", field=field
        ) from None
    return text


def check_document_id(id: str, field: str = "id") -> str:
    """Return an id that is valid in a URL path and on a line of output."""
    if not id.strip() or id != id.strip():
        raise InvalidInput(f"{field} must not be blank or have white space around it", field=field)
    if len(id) > MAX_ID:
        raise InvalidInput(_too_long(field, id, MAX_ID), field=field)
    if _UNFIT_FOR_ID.search(id) or id in {".", ".."}:
        raise InvalidInput(f"{field} must not contain slashes, line breaks or control characters", field=field)
    return check_characters(id, field)


def check_meta(meta: Mapping[str, object], field: str = "meta") -> Meta:
    """Return metadata whose values are text, numbers, true, false or null."""
    if len(meta) > MAX_META_FIELDS:
        raise InvalidInput(f"{field} has {len(meta)} fields; at most {MAX_META_FIELDS} are allowed", field=field)
    checked: dict[str, str | int | float | bool | None] = {}
    for name, value in meta.items():
        path = f"{field}.{name}"
        check_characters(name, field)
        if not isinstance(value, str | int | float | bool | None):
            raise InvalidInput(
                f"{path} must be text, a number, true, false or null, got {type(value).__name__}", field=path
            )
        if len(name) > MAX_ID or (isinstance(value, str) and len(value) > MAX_META_VALUE):
            raise InvalidInput(f"{path}: a name may have {MAX_ID} characters, a value {MAX_META_VALUE:,}", field=path)
        if isinstance(value, float) and value - value != 0:
            raise InvalidInput(f"{path} must be a finite number", field=path)
        if isinstance(value, str):
            check_characters(value, path)
        checked[name] = value
    return checked


def check_optional(text: str | None, field: str, limit: int) -> str | None:
    """Return a text that is not too long, or None."""
    if text is None:
        return None
    if len(text) > limit:
        raise InvalidInput(_too_long(field, text, limit), field=field)
    return check_characters(text, field)


def check_top_k(top_k: int, field: str = "top_k") -> int:
    """Return a number of results within the limits."""
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidInput(f"{field} must be from 1 to {MAX_TOP_K}, got {top_k}", field=field)
    return top_k


def check_row_limit(limit: int, field: str = "limit") -> int:
    """Return a number of rows within the limits."""
    if not 1 <= limit <= MAX_ROWS:
        raise InvalidInput(f"{field} must be from 1 to {MAX_ROWS}, got {limit}", field=field)
    return limit


def check_group_by(group_by: str | None) -> str | None:
    """Return what answers are grouped by: `document`, or None."""
    if group_by not in (None, "document"):
        raise InvalidInput(f"group_by must be 'document' or left out, got {group_by!r}", field="group_by")
    return group_by


def check_confidence(min_confidence: float | None, field: str = "min_confidence") -> float | None:
    """Return a confidence from 0 to 1, or None."""
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise InvalidInput(f"{field} must be from 0 to 1, got {min_confidence}", field=field)
    return min_confidence


def is_index_name(name: str) -> bool:
    """Return whether a name is valid for an index."""
    return re.fullmatch(INDEX_NAME_PATTERN, name) is not None


def check_index_name(name: str) -> str:
    """Return an index name, which is also safe as a folder name."""
    if not is_index_name(name):
        raise InvalidInput(
            f"index name {name!r} is not valid; use 1 to 63 lower-case letters, digits, hyphens or underscores,"
            " starting with a letter or digit",
            field="index",
        )
    return name


def new_document(
    text: str,
    id: str | None = None,
    title: str | None = None,
    uri: str | None = None,
    meta: Mapping[str, object] | None = None,
    prefix: str = "",
) -> Document:
    """Return a valid document; without an id, one is derived from its text and address.

    Errors name the field with `prefix` before it.
    """
    text = check_text(text, f"{prefix}text")
    uri = check_optional(uri, f"{prefix}uri", MAX_URI)
    title = check_optional(title, f"{prefix}title", MAX_TITLE)
    document_id = derive_id(text, uri) if id is None else check_document_id(id, f"{prefix}id")
    return Document(document_id, text, title, uri, check_meta(meta or {}, f"{prefix}meta"))


def check_document(document: Document, prefix: str = "") -> Document:
    """Return a valid document; errors name the field with `prefix` before it."""
    checked = new_document(document.text, document.id, document.title, document.uri, document.meta, prefix)
    return replace(document, meta=checked.meta)


def derive_id(text: str, uri: str | None) -> str:
    """Return an id that depends on text and address alone."""
    return hashlib.sha256(f"{uri or ''}\0{text}".encode()).hexdigest()[:32]


def _too_long(field: str, text: str, limit: int) -> str:
    return f"{field} has {len(text):,} characters; at most {limit:,} are allowed"
