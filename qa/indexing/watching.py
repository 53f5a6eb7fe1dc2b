"""Watch a folder, and report the files that changed once they are completely written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa.documents.files import is_visible, walk
from qa.errors import InvalidInput

# A file is complete if its size and modification time have not changed for this long.
SETTLE_SECONDS = 1.0
_TICK_MS = 200

_log = logging.getLogger(__name__)

_Signature = tuple[int, int] | None


@dataclass(slots=True)
class Settling:
    """Changed files that may still be in the middle of a write."""

    seconds: float
    _pending: dict[Path, tuple[_Signature, float]] = field(default_factory=dict)

    def add(self, path: Path, now: float) -> None:
        """Note a change of a file at the time `now`, in seconds; a change of a folder is one of all its files."""
        for file in walk(path) if path.is_dir() and not path.is_symlink() else (path,):
            self._pending[file] = (_signature(file), now)

    def take(self, now: float) -> list[Path]:
        """Return the paths that have not changed for the time of settling, and forget them."""
        settled: list[Path] = []
        for path, (earlier, since) in list(self._pending.items()):
            signature = _signature(path)
            if signature != earlier:
                self._pending[path] = (signature, now)
            elif now - since >= self.seconds:
                settled.append(path)
                del self._pending[path]
        return sorted(settled)


def _signature(path: Path) -> _Signature:
    """Return size and modification time; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def watch_folder(
    folder: Path,
    excluded: Collection[Path] = (),
    stop: threading.Event | None = None,
    settle_seconds: float = SETTLE_SECONDS,
) -> Iterator[Sequence[Path]]:
    """Yield the paths of files that were added, changed or removed, after they have settled.

    The first item is empty. It is yielded when the watch has begun, so a caller that reads the folder then misses no
    change. A removed folder is yielded as its own path.

    Args:
        folder: the folder, watched with its subfolders; hidden files and folders are ignored.
        excluded: folders to ignore.
        stop: ends the watch when set.
        settle_seconds: how long a file must stay the same before it counts as complete.

    Raises:
        InvalidInput: the folder is gone or cannot be watched.
    """
    from watchfiles import watch

    folder = folder.resolve()
    settling = Settling(settle_seconds)
    events = watch(
        folder, watch_filter=None, rust_timeout=_TICK_MS, yield_on_timeout=True, stop_event=stop, debounce=_TICK_MS
    )
    has_begun = False
    try:
        for changes in events:
            if not has_begun:
                yield ()
                has_begun = True
            now = time.monotonic()
            for _, name in changes:
                path = Path(name)
                if is_visible(path, folder) and not any(path.is_relative_to(other) for other in excluded):
                    try:
                        settling.add(path, now)
                    except InvalidInput as error:
                        _log.warning("%s", error.message)
            if not folder.is_dir():
                raise InvalidInput(f"{folder}: the folder is gone; its documents are kept", field=str(folder))
            if settled := settling.take(now):
                yield settled
    except OSError as error:
        raise InvalidInput(
            f"{folder}: cannot be watched ({error}); set WATCHFILES_FORCE_POLLING=1 to compare files instead",
            field=str(folder),
        ) from error
