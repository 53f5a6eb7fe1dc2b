"""Every error that the package raises on purpose.

QAError
├── InvalidInput             the input is not valid; names the field or the file (HTTP 422, exit 1)
│   ├── TooLarge             the input exceeds a limit (413)
│   ├── UnsupportedFormat    the file format is not supported (415)
│   └── DatasetError         a data set file does not match its format
├── NotFound                 the document or the index does not exist (404)
├── Conflict                 the state of the index does not allow the request (409)
│   └── Changed              the document has changed since the caller last read it (412)
├── Unavailable              the files of an index cannot be read or written now (503)
├── RetryLater               the request may succeed after `retry_after_s` seconds (Retry-After)
│   ├── Overloaded           too many questions at once (503)
│   └── RateLimited          too many calls by one caller (429)
├── ClientDisconnected       the client disconnected while its request was queued (499)
├── Unauthorized             the key is missing or unknown (401)
├── Forbidden                the key does not allow the call (403)
└── ModelError               weights are missing, damaged or do not belong together
"""

from __future__ import annotations

from typing import Any

from qa.deprecation import warn_renamed


class QAError(Exception):
    """Base class.

    Attributes:
        message: what is wrong and what to do, in one line.
        field: the argument, request field or file at fault; None where there is none.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(QAError):
    """The input is not valid."""


class TooLarge(InvalidInput):
    """The input exceeds a limit."""


class UnsupportedFormat(InvalidInput):
    """The file format is not supported."""


class DatasetError(InvalidInput):
    """A data set file does not match its format."""


class NotFound(QAError):
    """The document or the index does not exist."""


class Conflict(QAError):
    """The state of the index does not allow the request."""


class Changed(Conflict):
    """The document has changed since the caller last read it."""


class Unavailable(QAError):
    """The files of an index cannot be read or written now: locked for too long, disk full, or no permission."""


class RetryLater(QAError):
    """The request may succeed if the caller sends it again after `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(RetryLater):
    """The server already answers as many questions as it may."""


class RateLimited(RetryLater):
    """The caller exceeded its rate limit."""


class ClientDisconnected(QAError):
    """The client disconnected while its request was queued."""


class Unauthorized(QAError):
    """The request has no key, or an unknown one."""


class Forbidden(QAError):
    """The key does not allow the call."""


class ModelError(QAError):
    """Weights are missing, damaged, or do not belong together."""


_RENAMED = {"Abandoned": ClientDisconnected, "NotNow": RetryLater}


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        warn_renamed(f"qa.errors.{name}", f"qa.errors.{_RENAMED[name].__name__}")
        return _RENAMED[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
