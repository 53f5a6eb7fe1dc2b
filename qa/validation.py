"""What a user may give: each check returns the value or raises an error that names the field and the limit (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from qa.errors import InvalidInput, TooLarge
from qa.types import Document, Mark, Meta

MAX_QUESTION = 2_000
MAX_QUESTIONS = 64
MAX_TOP_K = 100
MAX_TEXT = 10_000_000
MAX_READ_TEXT = 100_000
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
    """Return a question that can be asked."""
    if not question.strip():
        raise InvalidInput("the question is blank", field=field)
    if len(question) > MAX_QUESTION:
        raise InvalidInput(f"at most {MAX_QUESTION:,} characters, not {len(question):,}", field=field)
    return check_characters(question, field)


def check_text(text: str, field: str = "text", limit: int = MAX_TEXT) -> str:
    """Return a text that can be stored or read."""
    if not text.strip():
        raise InvalidInput("the document has no text", field=field)
    if len(text) > limit:
        raise TooLarge(f"at most {limit:,} characters, not {len(text):,}", field=field)
    return check_characters(text, field)


def check_characters(text: str, field: str) -> str:
    """Refuse what cannot be stored and given back as it was."""
    place = text.find("\0")
    if place >= 0:
        raise InvalidInput(f"U+0000 at character {place}", field=field)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"a lone surrogate at character {error.start}", field=field) from None
    return text


def check_document_id(id: str, field: str = "id") -> str:
    """Return an id that can stand in a path and on a line."""
    if not id.strip() or id != id.strip():
        raise InvalidInput("an id is not blank and has no white space around it", field=field)
    if len(id) > MAX_ID:
        raise InvalidInput(f"at most {MAX_ID} characters, not {len(id)}", field=field)
    if _UNFIT_FOR_ID.search(id) or id in {".", ".."}:
        raise InvalidInput("an id has no slashes, line ends or control characters", field=field)
    return check_characters(id, field)


def check_meta(meta: Mapping[str, object], field: str = "meta") -> Meta:
    """Return metadata whose values are text, numbers, true, false or null."""
    if len(meta) > MAX_META_FIELDS:
        raise InvalidInput(f"at most {MAX_META_FIELDS} fields, not {len(meta)}", field=field)
    checked: dict[str, str | int | float | bool | None] = {}
    for name, value in meta.items():
        where = f"{field}.{name}"
        check_characters(name, field)
        if not isinstance(value, str | int | float | bool | None):
            raise InvalidInput(f"text, a number, true, false or null, not {type(value).__name__}", field=where)
        if len(name) > MAX_ID or (isinstance(value, str) and len(value) > MAX_META_VALUE):
            raise InvalidInput(
                f"names of at most {MAX_ID} and values of at most {MAX_META_VALUE:,} characters", field=where
            )
        if isinstance(value, float) and value - value != 0:
            raise InvalidInput("a number must be finite", field=where)
        if isinstance(value, str):
            check_characters(value, where)
        checked[name] = value
    return checked


def check_optional(text: str | None, field: str, limit: int) -> str | None:
    """Return a title or an address, or None."""
    if text is None:
        return None
    if len(text) > limit:
        raise InvalidInput(f"at most {limit:,} characters, not {len(text):,}", field=field)
    return check_characters(text, field)


def check_top_k(top_k: int) -> int:
    """Return how many results may be asked for."""
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidInput(f"from 1 to {MAX_TOP_K}, not {top_k}", field="top_k")
    return top_k


def check_confidence(min_confidence: float | None) -> float | None:
    """Return the confidence from which on answers are to be given, if there is to be such a bound."""
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise InvalidInput(f"from 0 to 1, not {min_confidence}", field="min_confidence")
    return min_confidence


def is_index_name(name: str) -> bool:
    """Tell whether an index can be called so."""
    return re.fullmatch(INDEX_NAME_PATTERN, name) is not None


def check_index_name(name: str) -> str:
    """Return a name that is safe as that of a folder."""
    if not is_index_name(name):
        raise InvalidInput(
            "a name has 1 to 63 lower-case letters, digits, hyphens or underscores, and starts with a letter or digit",
            field="index",
        )
    return name


def check_document(
    text: str,
    id: str | None = None,
    title: str | None = None,
    uri: str | None = None,
    meta: Mapping[str, object] | None = None,
    prefix: str = "",
    marks: Sequence[Mark] = (),
    boxes: bytes = b"",
) -> Document:
    """Return a document that can be stored; without an id it gets one from its text and address.

    In errors, `prefix` stands before the name of the field.
    """
    text = check_text(text, f"{prefix}text")
    uri = check_optional(uri, f"{prefix}uri", MAX_URI)
    title = check_optional(title, f"{prefix}title", MAX_TITLE)
    name = derived_id(text, uri) if id is None else check_document_id(id, f"{prefix}id")
    return Document(name, text, title, uri, check_meta(meta or {}, f"{prefix}meta"), marks, boxes)


def derived_id(text: str, uri: str | None) -> str:
    """Return the id of a document that was given none: equal for equal text and address."""
    return hashlib.sha256(f"{uri or ''}\0{text}".encode()).hexdigest()[:32]
