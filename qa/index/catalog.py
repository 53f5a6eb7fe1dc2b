"""The catalogue: one SQLite file with an index's documents, passages, vectors and changes.

A committed transaction is on disk (WAL, `synchronous=FULL`). A reader sees one revision while its transaction is open.
Passage ids are never reused. Vector and posting files are derived from the catalogue.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import secrets
import shlex
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qa.errors import Conflict, NotFound, Unavailable
from qa.index.durable import PRIVATE_FILE, sync_folder, write_durably
from qa.index.schema import prepare
from qa.index.transactions import FOLD, ReadTransaction
from qa.index.writes import WriteTransaction

# A document's id can reveal its content.
_ERASE_REMOVED_IDS = "UPDATE changes SET document = '' WHERE document NOT IN (SELECT id FROM documents)"

_log = logging.getLogger(__name__)

# Records the path of the last export, to restore a damaged catalogue from.
_LAST_EXPORT = "exported.json"

_WAL_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Specification:
    """What determines passages and vectors. Each generation of an index has one."""

    embedder: str
    dimension: int
    splitting: str

    def check(self, actual: Specification, index: str) -> None:
        """Reject an index with another specification; splitting versions in `MIXED_WITH` are compatible.

        Raises:
            Conflict: `actual` is another specification.
        """
        if actual == self:
            return
        from qa.documents.splitting import MIXED_WITH

        splitting = self.splitting if {actual.splitting, self.splitting} <= MIXED_WITH else actual.splitting
        if replace(actual, splitting=splitting) != self:
            raise Conflict(
                f"index {index!r} was built with {actual.describe()}, but the settings name {self.describe()};"
                " use the same settings, run `qa rebuild`, or use another index",
                field="index",
            )

    def describe(self) -> str:
        """Return a description for messages."""
        return f"embedder {self.embedder!r} and splitting {self.splitting!r}"

    @staticmethod
    def parse(text: str) -> Specification:
        """Parse the JSON that the catalogue stores.

        Raises:
            Conflict: the text was written by another version.
        """
        try:
            return Specification(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise Conflict(
                f"unknown index specification {text}; upgrade spanlight or run `qa rebuild`", field="index"
            ) from error


class Catalog:
    """The file, and a pool of this process's connections to it. One thread at a time uses a connection."""

    def __init__(self, path: Path, specification: Specification | None = None) -> None:
        """Open a catalogue; with `specification`, create it if it does not exist.

        Raises:
            NotFound: the file does not exist, and there is no specification to create it with.
            Conflict: the file was written by a newer version of this program, or is not a catalogue.
            Unavailable: the file cannot be read or written now.
        """
        self.path = path
        self._file = _identity(path)
        if specification is None and self._file is None:
            raise NotFound(f"{path.parent}: index not found; run `qa list --indexes`", field="index")
        self._existed = specification is None
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        if self._file is None:
            # SQLite gives its other files the mode of this one. If this fails, SQLite reports why.
            with suppress(OSError):
                path.touch(PRIVATE_FILE)
        try:
            with self._connection() as connection:
                prepare(connection, path, json.dumps(asdict(specification)) if specification else None)
            self._file = self._file or _identity(path)
            self._existed = True
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        """Open a transaction that sees one revision until it ends."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            # SQLite takes the snapshot of a deferred transaction at the first read, not at BEGIN.
            connection.execute("SELECT 1 FROM changes LIMIT 1").fetchone()
            yield ReadTransaction(connection)

    @contextmanager
    def write(self) -> Iterator[WriteTransaction]:
        """Open the only write transaction; leaving the block without an error commits it.

        Raises:
            NotFound: the index was deleted meanwhile; nothing was written.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield WriteTransaction(connection)
            if self.is_deleted():
                raise self._deleted_error()
            connection.execute("COMMIT")

    def is_deleted(self) -> bool:
        """Return whether the file was removed or replaced by another file since it was opened."""
        return _identity(self.path) != self._file

    def delete(self, destination: Path) -> None:
        """Move the index's folder to `destination`. A concurrent write is committed first, or rejected.

        Raises:
            NotFound: the index was already deleted.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if self.is_deleted():
                raise self._deleted_error()
            self.path.parent.rename(destination)
            sync_folder(destination.parent)

    def specification(self) -> tuple[int, Specification]:
        """Return the live generation and its specification."""
        with self.read() as transaction:
            generation, text = transaction.live_generation()
        return generation, Specification.parse(text)

    def check(self) -> list[str]:
        """Return the problems that SQLite finds in the file; empty if it is sound."""
        with self._connection() as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            violations = connection.execute("PRAGMA foreign_key_check").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"] + [f"foreign key of {row[0]}" for row in violations]

    def export(self, path: Path) -> None:
        """Write a consistent copy to a new file, without traces of removed documents.

        Raises:
            Conflict: the file exists.
            OSError: the file cannot be written.
        """
        if path.exists():
            raise Conflict(f"{path}: file exists; choose another path", field="file")
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            # Raise OSError here if the file cannot be written; SQLite's error would look like one of the catalogue.
            temporary.touch(PRIVATE_FILE)
            with self._connection() as connection:
                connection.execute("VACUUM INTO ?", (str(temporary),))
            _erase_removed_ids(temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        record = {"file": str(path.resolve()), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            write_durably(self.path.parent / _LAST_EXPORT, json.dumps(record).encode())
        except OSError as error:
            _log.warning("%s was written, but its path could not be recorded for a restore: %s", path, error)

    def restore_hint(self) -> str:
        """Return how to restore the index from its last export; empty if there is none."""
        try:
            record = json.loads((self.path.parent / _LAST_EXPORT).read_text(encoding="utf-8"))
            file, exported_at = Path(record["file"]), record["at"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        if not file.is_file():
            return ""
        folder = self.path.parent
        command = shlex.join(["qa", "import", str(file), "--index", folder.name])
        return f"to restore the export of {exported_at}, move {folder} away, then run `{command}`"

    def purge(self) -> None:
        """Permanently erase removed documents from the file and its write-ahead log (WAL).

        Raises:
            Unavailable: another process keeps a transaction open.
        """
        with self._connection() as connection:
            connection.execute(_ERASE_REMOVED_IDS)
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(
                f"{self.path}: in use, so its WAL still contains removed documents; stop other processes and retry",
                field="index",
            )

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection from the pool; a transaction that is still open at the end is rolled back.

        Raises:
            Unavailable: the file cannot be read or written now.
            NotFound: the index was deleted meanwhile.
            Conflict: the file is damaged, or not a catalogue.
        """
        try:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._connect()
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._idle.put(connection)
        except sqlite3.OperationalError as error:
            if self._existed and self.is_deleted():
                raise self._deleted_error() from error
            raise Unavailable(
                f"{self.path}: {error}; check free space and permissions, then retry", field="index"
            ) from error
        except sqlite3.DatabaseError as error:
            # SQLite raises the base class itself for a damaged file. Its subclasses indicate bugs in this program.
            if type(error) is not sqlite3.DatabaseError:
                raise
            problem = f"{self.path}: damaged, or not a catalogue ({error})"
            raise Conflict("; ".join(filter(None, (problem, self.restore_hint()))), field="index") from error

    def _connect(self) -> sqlite3.Connection:
        # The pool hands a connection to one thread at a time, but not always to the thread that opened it.
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A write of a large file leaves a large WAL, which the next checkpoint truncates to this size.
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        connection.create_function(FOLD, 1, _fold, deterministic=True)
        connection.row_factory = sqlite3.Row
        return connection

    def _deleted_error(self) -> NotFound:
        return NotFound(f"index {self.path.parent.name!r} was deleted", field="index")


def _fold(text: str | None) -> str | None:
    """Return a text in the form in which titles and file names are compared."""
    return text and unicodedata.normalize("NFKC", text).casefold()


def _erase_removed_ids(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(_ERASE_REMOVED_IDS)
        connection.execute("VACUUM")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which distinguish a file from another of the same name; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
