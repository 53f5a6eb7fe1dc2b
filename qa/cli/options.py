"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from qa.errors import InvalidInput
from qa.search.filters import ATTRIBUTES
from qa.types import Meta
from qa.validation import MAX_TOP_K, check_meta

IndexOption = Annotated[str, typer.Option("--index", help="Name of the index.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=MAX_TOP_K, help="Maximum number of results.")]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        "--min-confidence", min=0, max=1, help="Return answers from this confidence upwards; 0 returns every guess."
    ),
]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="NAME=VALUE that a document must have: a metadata field, title, uri or document_id. Repeat for more "
        "names, or for more values of a name, any of which matches.",
    ),
]
Tolerance = Annotated[float, typer.Option(min=0, help="Points by which a measure may fall.")]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="Use a running server; its API key is the first of QA_API_KEYS.")
]
Question = Annotated[str, typer.Argument(help="A question in plain language.")]


def parse_meta(options: Sequence[str]) -> Meta:
    """Return the metadata that NAME=VALUE options give.

    Raises:
        BadParameter: an option has no equals sign or no name, or its value cannot be stored.
    """
    try:
        return check_meta({name: value for name, _, value in _parse_pairs(options, "--meta")})
    except InvalidInput as error:
        raise typer.BadParameter(f"{error.field}: {error.message}", param_hint="--meta") from error


def parse_filters(options: Sequence[str]) -> dict[str, object]:
    """Return the filters that NAME=VALUE options give; a repeated name accepts any of its values.

    Raises:
        BadParameter: an option has no equals sign or no name.
    """
    values: dict[str, list[object]] = {}
    for name, text, value in _parse_pairs(options, "--filter"):
        # Document attributes are always text, even if the text looks like a number.
        values.setdefault(name, []).append(text if name in ATTRIBUTES and not isinstance(value, str) else value)
    return {name: accepted[0] if len(accepted) == 1 else accepted for name, accepted in values.items()}


def _parse_pairs(options: Sequence[str], hint: str) -> Iterator[tuple[str, str, object]]:
    """Yield name, text and value of each option.

    The value is a number, true, false, null or a quoted string as in JSON, else the text itself.
    """
    for option in options:
        name, sign, text = option.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{option!r} is not NAME=VALUE", param_hint=hint)
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        yield name.strip(), text, text if isinstance(value, dict | list) else value
