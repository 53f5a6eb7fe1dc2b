"""What all workers of a service must know at once, beside jobs and keys: calls counted, and replies to give again.

indexes/.service.sqlite3   nothing in it is older than a day, and nothing is lost with it but that
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

# No index can be called so.
_FILE = ".service.sqlite3"
_DAY = 86_400.0
# Seconds: what is further ahead was written before the clock was put back.
_AHEAD = 60.0
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
    """What a request was answered with.

    Attributes:
        request: a hash of its body.
        status, headers, body: of the response.
    """

    request: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class InProgress(Exception):
    """A request with this key is being worked on."""


class ServiceDatabase:
    """A small database; any thread of any worker may use it. Damaged, it is begun anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._connection: sqlite3.Connection | None = None
        self._guard = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            if self._connection:
                self._connection.close()
            self._connection = None

    def count_call(self, caller: str, limit: int, seconds: float) -> bool:
        """Count a call, unless there were `limit` in so many seconds; return whether it was counted."""
        with self._transaction("calls") as (connection, now):
            connection.execute("DELETE FROM calls WHERE caller = ? AND at <= ?", (caller, now - seconds))
            (count,) = connection.execute("SELECT count(*) FROM calls WHERE caller = ?", (caller,)).fetchone()
            if count >= limit:
                return False
            connection.execute("INSERT INTO calls VALUES (?, ?)", (caller, now))
        return True

    def first_call(self, caller: str, seconds: float) -> float:
        """Return when the first of a caller's calls in the last so many seconds was; now, if there was none."""
        with self._transaction("calls") as (connection, now):
            query = "SELECT min(at) FROM calls WHERE caller = ? AND at > ?"
            (first,) = connection.execute(query, (caller, now - seconds)).fetchone()
        return now if first is None else float(first)

    def claim(self, key: str) -> Reply | None:
        """Begin a request, or return the reply to the one that had this key.

        Raises:
            InProgress: a process that is alive works on it.
        """
        with self._transaction("replies") as (connection, now):
            query = "SELECT owner, request, status, headers, body FROM replies WHERE key = ?"
            row = connection.execute(query, (key,)).fetchone()
            if row is None or (row[2] is None and not _is_alive(row[0])):
                connection.execute("REPLACE INTO replies (key, at, owner) VALUES (?, ?, ?)", (key, now, _own_name()))
                return None
        _, request, status, headers, body = row
        if status is None:
            raise InProgress
        return Reply(request, status, [(name, value) for name, value in json.loads(headers)], body)

    def keep(self, key: str, reply: Reply) -> None:
        """Remember what a request that was claimed was answered with."""
        with self._transaction("replies") as (connection, now):
            connection.execute(
                "REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key, now, _own_name(), reply.request, reply.status, json.dumps(reply.headers), reply.body),
            )

    def release(self, key: str) -> None:
        """Forget a request that changed nothing: it may be made again."""
        with self._transaction("replies") as (connection, _):
            connection.execute("DELETE FROM replies WHERE key = ?", (key,))

    def forget(self) -> None:
        """Let no reply stay, in any file."""
        with self._transaction("replies") as (connection, _):
            connection.execute("DELETE FROM replies WHERE status IS NOT NULL")
        with self._lent() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _transaction(self, table: str) -> Iterator[tuple[sqlite3.Connection, float]]:
        """Open a transaction on a table that holds nothing any more which is older than a day; yields the time, too."""
        with self._lent() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                # Not before others have let go: theirs would seem to be ahead.
                now = time.time()
                gone = f"DELETE FROM {table} WHERE at <= ? OR at > ?"  # noqa: S608 - one of two names
                connection.execute(gone, (now - _DAY, now + _AHEAD))
                yield connection, now

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection.

        Raises:
            Unavailable: the file cannot be read or written now.
        """
        try:
            with self._guard:
                self._connection = self._connection or self._opened()
                yield self._connection
        except sqlite3.Error as error:
            if type(error) is sqlite3.DatabaseError:
                self._begin_anew(error)
            raise Unavailable(f"{self._path}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may cost the last second: then a call counts no more, and a request is done once more.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
        return connection

    def _begin_anew(self, error: sqlite3.Error) -> None:
        _log.warning("%s: %s; it is begun anew", self._path, error)
        self.close()
        for path in self._path.parent.glob(f"{_FILE}*"):
            path.unlink(missing_ok=True)


def _own_name() -> str:
    """Return what tells this process from every other one, dead ones of the same number too."""
    return f"{os.getpid()} {_started(os.getpid())}"


def _is_alive(name: str) -> bool:
    number, _, started = name.partition(" ")
    return started == _started(int(number))


def _started(pid: int) -> str:
    """Return when a process was started, in the system's own count; empty if there is none."""
    with suppress(OSError):
        # Its name, which may hold anything, ends with the last bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_START_TIME]
    return ""
