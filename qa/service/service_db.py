"""State that all workers share, besides jobs and keys: counted calls, and replies to idempotent requests.

indexes/.service.sqlite3   rows expire after a day. Deleting the file loses only what it counts and replays.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from qa.errors import Unavailable
from qa.index.durable import PRIVATE_FILE, PRIVATE_FOLDER

# Not a valid name of an index.
_FILE = ".service.sqlite3"
_DAY = 86_400.0
# Seconds. Rows from further in the future were written before the clock was set back.
_MAX_AHEAD = 60.0
# Field 22 of /proc/PID/stat, counted from the state, which is field 3.
_START_TIME = 19

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (caller TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_caller ON calls (caller, at);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (at);
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, at REAL NOT NULL, owner TEXT NOT NULL, request TEXT, status INTEGER, headers TEXT, body BLOB
);
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The stored response to a request.

    Attributes:
        request: hash of the request's body.
        status: status code of the response.
        headers: headers of the response.
        body: body of the response.
    """

    request: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class InProgress(Exception):
    """A request with this key is still running."""


class ServiceDatabase:
    """A small SQLite database. Any thread of any worker may use it. A damaged file is replaced by an empty one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def count_call(self, caller: str, limit: int, seconds: float) -> bool:
        """Count a call, unless the caller made `limit` calls in the last `seconds`; return whether it was counted."""
        with self._transaction("calls") as (connection, now):
            connection.execute("DELETE FROM calls WHERE caller = ? AND at <= ?", (caller, now - seconds))
            (count,) = connection.execute("SELECT count(*) FROM calls WHERE caller = ?", (caller,)).fetchone()
            if count >= limit:
                return False
            connection.execute("INSERT INTO calls VALUES (?, ?)", (caller, now))
        return True

    def first_call(self, caller: str, seconds: float) -> float:
        """Return the time of the caller's first call in the last `seconds`, or the current time if there was none."""
        with self._transaction("calls") as (connection, now):
            query = "SELECT min(at) FROM calls WHERE caller = ? AND at > ?"
            (first,) = connection.execute(query, (caller, now - seconds)).fetchone()
        return now if first is None else float(first)

    def claim(self, key: str) -> Reply | None:
        """Claim a key for a new request and return None, or return the reply to the request that had this key.

        Raises:
            InProgress: a live process is working on a request with this key.
        """
        with self._transaction("replies") as (connection, now):
            query = "SELECT owner, request, status, headers, body FROM replies WHERE key = ?"
            row = connection.execute(query, (key,)).fetchone()
            if row is None or (row[2] is None and not _is_alive(row[0])):
                connection.execute("REPLACE INTO replies (key, at, owner) VALUES (?, ?, ?)", (key, now, _process_id()))
                return None
        _, request, status, headers, body = row
        if status is None:
            raise InProgress
        return Reply(request, status, [(name, value) for name, value in json.loads(headers)], body)

    def store(self, key: str, reply: Reply) -> None:
        """Store the reply to a request whose key was claimed."""
        with self._transaction("replies") as (connection, now):
            connection.execute(
                "REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, now, _process_id(), reply.request, reply.status, json.dumps(reply.headers), reply.body),
            )

    def release(self, key: str) -> None:
        """Release the key of a request that changed nothing; it may be used again."""
        with self._transaction("replies") as (connection, _):
            connection.execute("DELETE FROM replies WHERE key = ?", (key,))

    def erase_replies(self) -> None:
        """Erase all replies, also from the free pages of the file and from the WAL."""
        with self._transaction("replies") as (connection, _):
            connection.execute("DELETE FROM replies WHERE status IS NOT NULL")
        with self._connect() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _transaction(self, table: str) -> Iterator[tuple[sqlite3.Connection, float]]:
        """Open a transaction on a table and delete its expired rows; yields the current time too."""
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                # Read after the write lock is held: rows that others wrote while this one waited are then in the past.
                now = time.time()
                delete_expired = f"DELETE FROM {table} WHERE at <= ? OR at > ?"  # noqa: S608 - one of two names
                connection.execute(delete_expired, (now - _DAY, now + _MAX_AHEAD))
                yield connection, now

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, which the calling thread uses alone.

        Raises:
            Unavailable: the file cannot be read or written.
        """
        try:
            with self._lock:
                self._connection = self._connection or self._open()
                yield self._connection
        except sqlite3.Error as error:
            if type(error) is sqlite3.DatabaseError:
                self._delete_damaged(error)
            raise Unavailable(f"{self._path}: {error}; check free space and permissions, then retry") from error

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        # SQLite gives its other files the mode of this one. If this fails, SQLite reports why.
        with suppress(OSError):
            self._path.touch(PRIVATE_FILE)
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power failure may lose the last second: some calls are then not counted, and a retry repeats its request.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
        return connection

    def _delete_damaged(self, error: sqlite3.Error) -> None:
        _log.warning("%s is damaged (%s); replacing it with an empty file", self._path, error)
        self.close()
        for path in self._path.parent.glob(f"{_FILE}*"):
            path.unlink(missing_ok=True)


def _process_id() -> str:
    """Return an identifier of this process that no other process has, not even one with a reused PID."""
    return f"{os.getpid()} {_start_time(os.getpid())}"


def _is_alive(process_id: str) -> bool:
    pid, _, started = process_id.partition(" ")
    return started == _start_time(int(pid))


def _start_time(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot; empty if there is no such process."""
    with suppress(OSError):
        # The name of the program may contain anything; it ends with the last parenthesis.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_START_TIME]
    return ""
