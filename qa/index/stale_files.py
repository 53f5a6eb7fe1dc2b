"""Errors of the derived files that tantivy reports."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from qa.errors import Unavailable

# Operating system errors that leave the files sound.
_SYSTEM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE)


class StaleFiles(Unavailable):
    """Derived files are missing, damaged or of another format; rebuild them from the catalogue."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn tantivy's errors into the package's.

    Raises:
        StaleFiles: tantivy reports an error, or panics, which has no public exception class.
        Unavailable: the system does not allow the files to be written.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        # tantivy's errors carry the system's message, but no errno.
        if any(os.strerror(number) in str(error) for number in _SYSTEM_ERRORS):
            raise Unavailable(f"cannot write postings: {error}", field="index") from error
        raise StaleFiles(f"cannot use postings: {error}") from error
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise StaleFiles(f"cannot use postings: {error}") from error
