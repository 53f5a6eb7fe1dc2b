"""Compiled graphs kept on disk: to read one again takes a third of the time that compiling takes.

OpenVINO writes and reads them, but into the very file that another process may have mapped, and takes one that was
compiled for other arithmetic. So each goes into a folder of its own, named by all that decides it, which gets that name
only when it is complete. What cannot be kept is compiled each time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

# Of some 60 MB each: those of two versions, each for two ways of computing.
_MOST_KEPT = 8
_NEW = "new-"
# In a folder that a user named there may be other things.
_OURS = ("[0-9a-f]" * 32, f"{_NEW}*")


def name_for(graph: Path, identity: str, decides: Mapping[str, object]) -> str:
    """Return the name of a compiled graph's folder: another one for another graph, or another way of compiling it.

    Args:
        graph: the file, of which OpenVINO takes path and time for what it is.
        identity: of its content.
        decides: what else does.
    """
    written = graph.stat().st_mtime_ns if graph.exists() else 0
    told = (str(graph.resolve()), written, identity, sorted(decides.items()))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


@contextmanager
def kept(cache: Path | None, name: str) -> Iterator[Path | None]:
    """Yield the folder that OpenVINO is to read a compiled graph from, or to write it into; None if nothing is kept."""
    if cache is None:
        yield None
        return
    folder = cache / name
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = None if folder.exists() else Path(tempfile.mkdtemp(prefix=_NEW, dir=cache))
    except OSError:
        yield None
        return
    # That it was used; a cache that can only be read does as well.
    with suppress(OSError):
        os.utime(folder)
    try:
        yield written or folder
        if written and any(written.iterdir()):
            # Another process may have been first.
            with suppress(OSError):
                written.rename(folder)
            _forget(cache)
    finally:
        if written:
            shutil.rmtree(written, ignore_errors=True)


def _forget(cache: Path) -> None:
    """Delete what was used the longest ago; who reads from it has it until he closes it."""
    with suppress(OSError):
        by_age = sorted(
            (folder for pattern in _OURS for folder in cache.glob(pattern)), key=lambda f: f.stat().st_mtime
        )
        for folder in by_age[:-_MOST_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)
