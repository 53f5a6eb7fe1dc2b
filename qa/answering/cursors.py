"""Cursors of extractions: they name the revision at which an extraction began, and its last row so far (pure)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from qa.errors import InvalidInput

if TYPE_CHECKING:
    from qa.answering.extraction import Extraction


class Begun(NamedTuple):
    """The revision at which an extraction began, and its mark, which no other index has."""

    revision: int
    mark: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """Names the next page of an extraction.

    Attributes:
        begun: the revision at which the extraction began.
        after: document id of the last row.
        fingerprint: of the extraction.
    """

    begun: Begun
    after: str
    fingerprint: str

    def encode(self) -> str:
        """Return the cursor as a text that is valid in a URL."""
        content = json.dumps([*self.begun, self.after, self.fingerprint])
        return base64.urlsafe_b64encode(content.encode()).decode()

    @staticmethod
    def decode(text: str) -> Cursor:
        """Return the cursor that a text encodes.

        Raises:
            InvalidInput: the text is no cursor.
        """
        try:
            content = json.loads(base64.b64decode(text.encode(), b"-_", validate=True))
            revision, mark, after, identity = content
            # SQLite rejects larger numbers and lone surrogates.
            is_valid = type(revision) is int and 0 <= revision < 2**63 and bool(after.encode())
        except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError):
            raise _invalid() from None
        if not is_valid:
            raise _invalid()
        return Cursor(Begun(revision, mark), after, identity)

    def check(self, identity: str, mark_of: Callable[[int], str | None]) -> tuple[Begun, str]:
        """Return the revision at which the extraction began, and the id of its last row.

        Args:
            identity: fingerprint of the extraction that the cursor is sent with.
            mark_of: returns the mark of a revision of the index.

        Raises:
            InvalidInput: the cursor is of another extraction or of another index.
        """
        if self.fingerprint != identity or mark_of(self.begun.revision) != self.begun.mark:
            raise InvalidInput(
                "the cursor belongs to another extraction; send it with the questions, index, filters, document_ids"
                " and min_confidence of the previous page, or start again without a cursor",
                field="cursor",
            )
        return self.begun, self.after


def fingerprint(extraction: Extraction) -> str:
    """Return a hash of an extraction; equal for equal ones."""
    return hashlib.sha256(json.dumps(asdict(extraction), sort_keys=True).encode()).hexdigest()[:16]


def _invalid() -> InvalidInput:
    return InvalidInput("invalid cursor; send the `next_cursor` of the previous page", field="cursor")
