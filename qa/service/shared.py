"""What all workers of a service must know at once, beside jobs and keys: calls counted, and replies to give again.

indexes/.service.sqlite3   nothing in it is older than a day, and nothing is lost with it but that
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.errors import Unavailable

# No index can be called so.
_FILE = ".service.sqlite3"
_DAY = 86_400.0
# Seconds after which a request that never ended counts as left behind by a process that died.
_LEFT_BEHIND = 300.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (caller TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_caller ON calls (caller, at);
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, at REAL NOT NULL, request TEXT, status INTEGER, headers TEXT, body BLOB
) WITHOUT ROWID;
"""


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


class ServiceState:
    """A small database; any thread of any worker may use it."""

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

    def count_call(self, caller: str, limit: int, seconds: float, amount: int = 1) -> bool:
        """Count calls, unless they were more than `limit` in so many seconds; return whether they were counted."""
        now = time.time()
        with self._transaction() as connection:
            # A caller's limits are one stretch of time; what is older than a day is of callers who come no more.
            connection.execute("DELETE FROM calls WHERE caller = ? AND at <= ?", (caller, now - seconds))
            # A clock that was put back would else keep calls for as long as it was ahead.
            connection.execute("DELETE FROM calls WHERE at <= ? OR at > ?", (now - _DAY, now))
            (count,) = connection.execute("SELECT count(*) FROM calls WHERE caller = ?", (caller,)).fetchone()
            if count + amount > limit:
                return False
            connection.executemany("INSERT INTO calls VALUES (?, ?)", [(caller, now)] * amount)
        return True

    def calls(self, caller: str, seconds: float) -> tuple[float, int]:
        """Return when the first of a caller's calls in the last so many seconds was, and how many there were."""
        now = time.time()
        with self._transaction() as connection:
            query = "SELECT min(at), count(*) FROM calls WHERE caller = ? AND at > ?"
            first, count = connection.execute(query, (caller, now - seconds)).fetchone()
        return first or now, count

    def claim(self, key: str) -> Reply | None:
        """Begin a request, or return the reply to the one that had this key.

        Raises:
            InProgress: it is being worked on.
        """
        now = time.time()
        with self._transaction() as connection:
            connection.execute("DELETE FROM replies WHERE at <= ? OR at > ?", (now - _DAY, now))
            row = connection.execute(
                "SELECT at, request, status, headers, body FROM replies WHERE key = ?", (key,)
            ).fetchone()
            if row is None or (row[2] is None and row[0] <= now - _LEFT_BEHIND):
                connection.execute("REPLACE INTO replies (key, at) VALUES (?, ?)", (key, now))
                return None
        _, request, status, headers, body = row
        if status is None:
            raise InProgress
        return Reply(request, status, [(name, value) for name, value in json.loads(headers)], body)

    def keep(self, key: str, reply: Reply) -> None:
        """Remember what a request was answered with."""
        row = (time.time(), reply.request, reply.status, json.dumps(reply.headers), reply.body, key)
        with self._transaction() as connection:
            connection.execute(
                "UPDATE replies SET at = ?, request = ?, status = ?, headers = ?, body = ? WHERE key = ?", row
            )

    def release(self, key: str) -> None:
        """Forget a request that changed nothing: it may be made again."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM replies WHERE key = ?", (key,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._guard:
                if self._connection is None:
                    self._connection = self._opened()
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield self._connection
        except sqlite3.Error as error:
            raise Unavailable(f"{self._path}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may cost the last second: then a call counts no more, and a request is done once more.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        return connection


class InProgress(Exception):
    """A request with this key is being worked on."""
