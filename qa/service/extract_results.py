"""The rows of an extraction on disk: a JSON object on each line, appended while the job runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.errors import Unavailable
from qa.index.durable import append_durably
from qa.wire.extraction import RowOut


class ResultFile:
    """A file of rows. One process appends; any process reads the complete lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        """Return the size in bytes; 0 before the first row."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def lines(self) -> Iterator[bytes]:
        """Yield the complete lines so far, in the order of the rows."""
        try:
            with self._path.open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        # The process that appends is still writing it, or died meanwhile.
                        return
                    yield line
        except FileNotFoundError:
            return

    def append(self, rows: Sequence[RowOut]) -> None:
        """Append rows; they are on disk when this returns.

        Raises:
            Unavailable: the file cannot be written.
        """
        data = "".join(f"{row.model_dump_json()}\n" for row in rows).encode()
        try:
            append_durably(self._path, data)
        except OSError as error:
            message = f"{self._path}: cannot write the result ({error.strerror}); check free space and permissions"
            raise Unavailable(message) from error

    def recover(self) -> tuple[int, str | None]:
        """Drop an incomplete line at the end; return the number of rows, and the document id of the last one."""
        count, size, last = 0, 0, b""
        for line in self.lines():
            count, size, last = count + 1, size + len(line), line
        if size < self.size():
            with self._path.open("r+b") as file:
                file.truncate(size)
        return count, RowOut.model_validate_json(last).document_id if last else None
