"""Files of data sets and reports: read whole, with their faults told by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError


def content_of(path: Path) -> str:
    """Return a file's text as it is, line ends included.

    Raises:
        DatasetError: it cannot be read, is not UTF-8, or is empty.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}", field="dataset") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: not UTF-8 (byte {error.start})", field="dataset") from error
    if not text.strip():
        raise DatasetError(f"{path}: the file is empty", field="dataset")
    return text


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the object in each line that is not blank, with the line's number.

    Raises:
        DatasetError: as for `content_of`, or a line is not a JSON object.
    """
    for line, text in enumerate(content_of(path).split("\n"), 1):
        if text.strip():
            try:
                entry = json.loads(text)
            except ValueError as error:
                raise DatasetError(f"{path}: line {line}: not JSON ({error})", field="dataset") from error
            if not isinstance(entry, dict):
                raise DatasetError(f"{path}: line {line}: not a JSON object", field="dataset")
            yield line, entry
