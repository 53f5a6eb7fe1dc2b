"""The truth of an index: one SQLite file with documents, their passages and vectors, and every change in order.

A transaction that committed is on disk (WAL, `synchronous=FULL`). Readers see one revision for as long as their
transaction is open. Passage ids are never reused. Vectors and postings elsewhere are derived from here.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import secrets
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qa.documents.splitting import MIXED_WITH
from qa.errors import Conflict, NotFound, Unavailable
from qa.index.durable import sync_folder, write_durably
from qa.index.schema import prepare
from qa.index.transactions import ReadTransaction
from qa.index.writes import WriteTransaction

# The ids of documents may tell what was in them.
_FORGET_REMOVED = "UPDATE changes SET document = '' WHERE document NOT IN (SELECT id FROM documents)"


_log = logging.getLogger(__name__)

# Tells where the last export went, for the day on which the catalogue is damaged.
_LAST_EXPORT = "exported.json"


@dataclass(frozen=True, slots=True)
class Specification:
    """What decides an index's passages and vectors: what differs cannot be mixed, but for `MIXED_WITH`."""

    embedder: str
    dimension: int
    splitting: str

    def check(self, found: Specification, index: str) -> None:
        """Refuse an index that was made otherwise, but for a way of splitting that an earlier version had.

        Raises:
            Conflict: `found` is another specification.
        """
        splitting = self.splitting if {found.splitting, self.splitting} <= MIXED_WITH else found.splitting
        if replace(found, splitting=splitting) != self:
            raise Conflict(
                f"index {index!r} was made with {found.described()}, but the settings name {self.described()}:"
                " use the same, rebuild it, or use another index",
                field="index",
            )

    def described(self) -> str:
        """Return it in words."""
        return f"embedder {self.embedder!r} and splitting {self.splitting!r}"

    @staticmethod
    def parse(text: str) -> Specification:
        """Read the JSON form that the catalogue keeps.

        Raises:
            Conflict: it is of another version.
        """
        try:
            return Specification(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise Conflict(f"not a specification that this version knows: {text}", field="index") from error


class Catalog:
    """The file, and this process's connections to it, each lent to one thread at a time."""

    def __init__(self, path: Path, specification: Specification | None = None) -> None:
        """Open a catalogue, or make one with `specification` if there is none.

        Raises:
            NotFound: there is none, and no specification to make one with.
            Conflict: it was made by a newer version of this program, or the file is no catalogue.
            Unavailable: it cannot be read or written now.
        """
        self.path = path
        self._file = _identity(path)
        if specification is None and self._file is None:
            raise NotFound(f"no index at {path.parent}", field="index")
        self._was_there = specification is None
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        try:
            with self._connection() as connection:
                prepare(connection, path, json.dumps(asdict(specification)) if specification else None)
            self._file = self._file or _identity(path)
            self._was_there = True
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        """Open a transaction that sees one revision until it ends."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            # A deferred transaction takes its snapshot at the first read, not at BEGIN.
            connection.execute("SELECT 1 FROM changes LIMIT 1").fetchone()
            yield ReadTransaction(connection)

    @contextmanager
    def write(self) -> Iterator[WriteTransaction]:
        """Open the one writing transaction; leaving it without an error is the acknowledgement.

        Raises:
            NotFound: the index was deleted meanwhile, and nothing was written.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield WriteTransaction(connection)
            if self.is_deleted():
                raise NotFound(f"the index {self.path.parent.name!r} was deleted", field="index")
            connection.execute("COMMIT")

    def is_deleted(self) -> bool:
        """Tell whether the file is no longer where it was opened: it was removed, or another one put in its place."""
        return _identity(self.path) != self._file

    def delete(self, aside: Path) -> None:
        """Move the folder with all that belongs to it away; a write that was begun before is on disk, or refused.

        Raises:
            NotFound: it was deleted already.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if self.is_deleted():
                raise NotFound(f"no index {self.path.parent.name!r}", field="index")
            self.path.parent.rename(aside)
            sync_folder(aside.parent)

    def specification(self) -> tuple[int, Specification]:
        """Return the live generation and what it was made with."""
        with self.read() as transaction:
            generation, spec = transaction.live_generation()
        return generation, Specification.parse(spec)

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file; empty when it is sound."""
        with self._connection() as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"] + [f"foreign key of {row[0]}" for row in broken]

    def export(self, path: Path) -> None:
        """Write all of it to one new file, as it is at this moment, without anything of documents that were removed.

        Raises:
            Conflict: there is such a file.
            OSError: it cannot be written.
        """
        if path.exists():
            raise Conflict(f"{path}: there is such a file", field="file")
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            # Made here, so that it is told if that cannot be.
            aside.touch()
            with self._connection() as connection:
                connection.execute("VACUUM INTO ?", (str(aside),))
            _forget_removed(aside)
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(path)
            sync_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)
        told = {"file": str(path.resolve()), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            write_durably(self.path.parent / _LAST_EXPORT, json.dumps(told).encode())
        except OSError as error:
            _log.warning("%s was written; that cannot be noted: %s", path, error)

    def way_back(self) -> str:
        """Return in words how the last export brings the index back; empty if there is none any more."""
        try:
            told = json.loads((self.path.parent / _LAST_EXPORT).read_text(encoding="utf-8"))
            file, at = Path(told["file"]), told["at"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        if not file.is_file():
            return ""
        folder = self.path.parent
        command = shlex.join(["qa", "import", str(file), "--index", folder.name])
        return f"as it was at {at} it is in {file}: move {folder} away, then `{command}`"

    def purge(self) -> None:
        """Let nothing of documents that were removed stay in the file or its log.

        Raises:
            Unavailable: another process reads or writes, and does not end.
        """
        with self._connection() as connection:
            connection.execute(_FORGET_REMOVED)
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Unavailable(f"{self.path}: in use by others; its log still has what was removed", field="index")

    def close(self) -> None:
        """Close the connections that are not in use."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; a transaction that is still open at the end is rolled back.

        Raises:
            Unavailable: the file cannot be read or written now.
            NotFound: it was deleted meanwhile.
            Conflict: it is damaged, or no catalogue.
        """
        try:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._opened()
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._idle.put(connection)
        except sqlite3.OperationalError as error:
            if self._was_there and self.is_deleted():
                raise NotFound(f"the index {self.path.parent.name!r} was deleted", field="index") from error
            raise Unavailable(f"{self.path}: {error}", field="index") from error
        except sqlite3.DatabaseError as error:
            # SQLite has no class of its own for it; all others mean a mistake of this program.
            if type(error) is not sqlite3.DatabaseError:
                raise
            told = "; ".join(filter(None, (f"{self.path}: damaged, or not a catalogue ({error})", self.way_back())))
            raise Conflict(told, field="index") from error

    def _opened(self) -> sqlite3.Connection:
        # One thread at a time uses it, but not always the one that opened it.
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


def _forget_removed(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(_FORGET_REMOVED)
        connection.execute("VACUUM")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
