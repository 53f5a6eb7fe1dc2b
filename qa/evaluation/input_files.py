"""Read the files of data sets and reports; errors name the file and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError


def read_text(path: Path) -> str:
    """Return a file's text with its line ends unchanged.

    Raises:
        DatasetError: the file cannot be read, is not UTF-8, or is empty.
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


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the object of each line that is not blank.

    Raises:
        DatasetError: the file cannot be read (see `read_text`), or a line is not a JSON object.
    """
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if text.strip():
            try:
                entry = json.loads(text)
            except ValueError as error:
                raise DatasetError(f"{path}: line {line}: not JSON ({error})", field="dataset") from error
            if not isinstance(entry, dict):
                raise DatasetError(f"{path}: line {line}: not a JSON object", field="dataset")
            yield line, entry
