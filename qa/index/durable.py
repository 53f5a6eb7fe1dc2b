"""Atomic file replacement that survives a crash, and locks between processes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Modes of files and folders that only their owner may use: they hold texts of documents."""


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Replace a file, which only its owner may read; after a crash it has the old content or the new."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def append_durably(path: Path, data: bytes) -> None:
    """Append to a file, which is created if it does not exist; after a crash the end of the data may be missing."""
    is_new = not path.exists()
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def copy_durably(source: Path, path: Path) -> None:
    """Copy a file to a path that does not exist yet; the copy, which only its owner may read, is then on disk."""
    with source.open("rb") as original, path.open("xb") as copy:
        os.fchmod(copy.fileno(), PRIVATE_FILE)
        shutil.copyfileobj(original, copy)
        copy.flush()
        os.fsync(copy.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def file_lock(path: Path) -> Iterator[int]:
    """Wait for an exclusive lock between processes and threads, and hold it; the system releases it after a crash.

    Yields the file descriptor. A child process that inherits it holds the lock too, until both have closed it.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


@contextmanager
def try_file_lock(path: Path) -> Iterator[int | None]:
    """Take and hold a lock as `file_lock` does, but do not wait: yield None if it is taken."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def is_locked(path: Path) -> bool:
    """Return whether a process or thread holds a lock; concurrent callers do not disturb each other."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
