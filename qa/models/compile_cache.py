"""A disk cache of compiled graphs: loading one takes a third of the time that compiling takes.

OpenVINO writes and reads the cached graphs. By default, it overwrites a file that another process may have mapped, and
loads a graph that was compiled for different arithmetic. Here each graph therefore has its own folder, named after
everything that affects the compilation. A folder gets that name only when it is complete. A graph that cannot be cached
is compiled each time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

# One entry takes about 60 MB. Eight are both models of two versions, each compiled for two arithmetics.
_MAX_ENTRIES = 8
_PARTIAL = "new-"
# The cache may share its folder with other files, so only these names are evicted.
_ENTRY_PATTERNS = ("[0-9a-f]" * 32, f"{_PARTIAL}*")


def cache_key(graph: Path, identity: str, settings: Mapping[str, object]) -> str:
    """Return the name of a compiled graph's folder, unique to the graph and to how it is compiled.

    Args:
        graph: the graph's file. OpenVINO identifies a graph by path and modification time, so both are in the key.
        identity: identity of the graph's content.
        settings: everything else that affects the compilation.
    """
    modified = graph.stat().st_mtime_ns if graph.exists() else 0
    parts = (str(graph.resolve()), modified, identity, sorted(settings.items()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@contextmanager
def cache_entry(cache: Path | None, key: str) -> Iterator[Path | None]:
    """Yield the folder from which OpenVINO loads a compiled graph, or to which it writes one; None without a cache."""
    if cache is None:
        yield None
        return
    entry = cache / key
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = None if entry.exists() else Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=cache))
    except OSError:
        yield None
        return
    # Eviction goes by the time of last use. A read-only cache works without it.
    with suppress(OSError):
        os.utime(entry)
    try:
        yield partial or entry
        if partial and any(partial.iterdir()):
            # The rename fails if another process has completed the same entry first.
            with suppress(OSError):
                partial.rename(entry)
            _evict(cache)
    finally:
        if partial:
            shutil.rmtree(partial, ignore_errors=True)


def _evict(cache: Path) -> None:
    """Delete the least recently used entries; a process that has mapped one keeps it until it closes the file."""
    with suppress(OSError):
        by_last_use = sorted(
            (entry for pattern in _ENTRY_PATTERNS for entry in cache.glob(pattern)), key=lambda e: e.stat().st_mtime
        )
        for entry in by_last_use[:-_MAX_ENTRIES]:
            shutil.rmtree(entry, ignore_errors=True)
