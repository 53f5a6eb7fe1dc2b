"""Every error the package raises on purpose.

QAError
├── InvalidInput          what was given cannot be used; names the field or the file (HTTP 422, exit 1)
│   ├── TooLarge          over a limit (413)
│   ├── UnsupportedFormat not a format that can be read (415)
│   └── DatasetError      a data set's file is not what it should be
├── NotFound              no such document or index (404)
├── Conflict              the index cannot take this (409): made with another model, or made by a newer version
│   └── Changed           the document is not any more what whoever asks for this believes (412)
├── Unavailable           an index's files cannot be read or written now (503)
├── RetryLater                later, in so many seconds (Retry-After)
│   ├── Overloaded        more questions at once than are allowed (503)
│   └── RateLimited       a caller asked more often than is allowed (429)
├── ClientDisconnected             nobody waits for the answer any more (499, which nobody sees)
├── Unauthorized          no key, or an unknown one (401)
├── Forbidden             a key that is not for this (403)
└── ModelError            shipped or configured weights that are missing, damaged or do not belong together
"""

from __future__ import annotations


class QAError(Exception):
    """Base of all; `field` names what was wrong with the input, where there is such a thing."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(QAError):
    """What was given cannot be used."""


class TooLarge(InvalidInput):
    """What was given is over a limit."""


class UnsupportedFormat(InvalidInput):
    """The bytes are not of a format that can be read."""


class DatasetError(InvalidInput):
    """A data set's file does not hold what its format says."""


class NotFound(QAError):
    """There is no document or index of that name."""


class Conflict(QAError):
    """The index is in a state that does not admit the request."""


class Changed(Conflict):
    """The document is not what it was when the caller saw it."""


class Unavailable(QAError):
    """The index's files cannot be read or written now: locked for long, no space, no permission."""


class RetryLater(QAError):
    """It will be done if it is asked for again in `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(RetryLater):
    """As many questions as allowed are being answered already."""


class RateLimited(RetryLater):
    """The caller asked more often than is allowed."""


class ClientDisconnected(QAError):
    """Whoever asked has hung up before it was his turn."""


class Unauthorized(QAError):
    """The request carries no known key."""


class Forbidden(QAError):
    """The request's key is not for this."""


class ModelError(QAError):
    """Weights are missing, damaged, or do not belong together."""
