"""Files that are there whole or not at all, and a lock between processes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Replace a file so that a crash leaves the old content or the new."""
    aside = path.with_name(path.name + ".new")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def copy_durably(source: Path, path: Path) -> None:
    """Copy a file to one that is not there yet, so that it is on disk when this returns."""
    with source.open("rb") as read, path.open("xb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusively_or_not(path: Path) -> Iterator[int | None]:
    """Hold a lock as `exclusively` does, and yield the same; if somebody holds it, yield None."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def is_held(path: Path) -> bool:
    """Tell whether somebody holds a lock; any number may ask at once."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def exclusively(path: Path) -> Iterator[int]:
    """Hold a lock that one holder at a time, of any process or thread, can have; the system frees it on a crash.

    Yields the file descriptor: a process that inherits it holds the lock too, until both have let go.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
