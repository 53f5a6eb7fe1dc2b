"""Count the tokens of a JSON text as it arrives, without parsing it."""

from __future__ import annotations


class JsonTokens:
    """Counts strings, commas and opening brackets, which bound the time and the memory that a parser needs.

    Attributes:
        count: number of tokens so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._in_string = False
        self._backslashes = b""

    def add(self, part: bytes) -> None:
        """Add the next part of the text, which must be UTF-8."""
        part = self._backslashes + part
        text = part.rstrip(b"\\")
        # They may escape the first character of the next part.
        self._backslashes = part[len(text) :]
        # Escaped backslashes first: the quotation mark after one ends a string.
        pieces = text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        structure = b"".join(pieces[self._in_string :: 2])
        self._in_string ^= len(pieces) % 2 == 0
        self.count += len(pieces) // 2 + sum(structure.count(token) for token in (b",", b"[", b"{"))
