"""Front matter: the properties before a Markdown text, in YAML between dashes or in TOML between plus signs.

Generators of sites accept more than both formats allow, such as a title with a colon. Front matter that cannot be
parsed is read line by line, so it never costs the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from qa.types import Meta
from qa.validation import MAX_ID, MAX_META_FIELDS, MAX_META_VALUE

# The first line is not blank, as after a horizontal rule; the first that is neither blank nor a comment has a key.
_YAML = re.compile(
    r"---[ \t]*\r?\n(?![ \t]*\r?\n)(?=(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:[\w.\"'-][^:\n]*:(?:\s|$)|---))"
    r"(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|$)",
    re.DOTALL,
)
_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(.*?\n)??\+\+\+[ \t]*(?:\r?\n|$)", re.DOTALL)
_PROPERTY = re.compile(r"([\w.][\w. /-]{0,99}?|\"[^\"]{1,100}\"|'[^']{1,100}')\s{0,100}(?::(?:\s+|$)|=\s*)(.*)")
_ENTRY = re.compile(r"\s*-\s+(.*)")
# What the constructors of YAML and TOML raise on values that are not of their type, and Python on long numbers.
_INVALID = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Rejects aliases: a few lines of them expand to more text than fits into memory."""

    def compose_node(self, parent: object, index: object) -> object:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def split_front_matter(text: str) -> tuple[Meta, str]:
    """Return the properties before a text, and the text; no properties if it has no front matter."""
    for pattern, parse in ((_YAML, _parse_yaml), (_TOML, _parse_toml)):
        match = pattern.match(text)
        if match and (meta := _parse(match[1] or "", parse)) is not None:
            return meta, text[match.end() :]
    return {}, text


def _parse(source: str, parse: Callable[[str], object]) -> Meta | None:
    """Return the properties between two lines of marks, or None if it is text between two horizontal rules."""
    try:
        values = parse(source)
        return _to_meta(values) if isinstance(values, Mapping) else None
    except _INVALID:
        lines = _parse_lines(source)
        return None if lines is None else _to_meta(lines)


def _parse_yaml(source: str) -> object:
    values = yaml.load(source, _Loader)  # noqa: S506 - derived from SafeLoader
    return {} if values is None else values


def _parse_toml(source: str) -> object:
    return tomllib.loads(source.replace("\r\n", "\n"))


def _parse_lines(source: str) -> Mapping[Any, object] | None:
    """Return the properties that are on lines, with the entries of a list after its key; None if most is prose."""
    values: dict[str, object] = {}
    key: str | None = None
    prose = 0
    for line in source.splitlines():
        if match := _PROPERTY.match(line):
            key = match[1].strip("\"'")
            values[key] = _unquote(match[2])
        elif key is not None and line.strip() and not line.lstrip().startswith("#"):
            entry = _ENTRY.match(line)
            prose += not (entry or line[0].isspace())
            before = str(values[key]).strip("|> ")
            separator = "" if not before else ", " if entry else " "
            values[key] = f"{before}{separator}{_unquote(entry[1] if entry else line)}"[:MAX_META_VALUE]
    return values if len(values) > prose else None


def _unquote(value: str) -> str:
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value.removeprefix("[").removesuffix("]") if value.startswith("[") else value


def _to_meta(values: Mapping[Any, object]) -> dict[str, str | int | float | bool | None]:
    """Return the properties that can be stored; what is too long is cut."""
    names = {_clean(str(key))[:MAX_ID]: value for key, value in list(values.items())[:MAX_META_FIELDS]}
    return {name: _to_scalar(value) for name, value in names.items() if name}


def _to_scalar(value: object) -> str | int | float | bool | None:
    """Return a value that metadata accepts: dates in ISO form, lists joined by commas."""
    if isinstance(value, bool | None):
        return value
    if isinstance(value, int | float):
        # Other numbers cannot be stored.
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, str):
        return _clean(value)[:MAX_META_VALUE]
    if isinstance(value, Sequence | set):
        return ", ".join(str(_to_scalar(part)) for part in value)[:MAX_META_VALUE]
    return _clean(value.isoformat() if hasattr(value, "isoformat") else str(value))[:MAX_META_VALUE]


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("", text)
