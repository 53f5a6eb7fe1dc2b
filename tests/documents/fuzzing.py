"""Check that damaged files are rejected for their own faults, not for those of this package."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType

import qa
from qa.errors import QAError

_PACKAGE = Path(qa.__file__).parent
# `formats.extract` reports any other exception this way.
_WRAPPED = re.compile(r": damaged \(\w+: .*\); save or download the file again", re.DOTALL)


def assert_rejects_file(error: QAError, name: str) -> None:
    """Check that an error names the file, and that one which wraps another exception wraps that of a parser library."""
    assert error.message.startswith(f"{name}: "), error.message
    cause = error.__cause__
    if cause is None or not _WRAPPED.search(error.message):
        return
    # A parser written in C has no frame, but its own exceptions.
    is_own_fault = _is_raised_in_package(cause.__traceback__) and type(cause).__module__ == "builtins"
    assert not is_own_fault, f"{type(cause).__name__} in qa/: {error.message}"


def _is_raised_in_package(traceback: TracebackType | None) -> bool:
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    return traceback is not None and Path(traceback.tb_frame.f_code.co_filename).is_relative_to(_PACKAGE)
