"""The named indexes under one folder, opened when they are first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from qa.errors import NotFound
from qa.index.catalog import Specification
from qa.index.local import LocalIndex
from qa.limits import checked_index_name

DEFAULT_INDEX = "default"


class Indexes:
    """All indexes that one set of models can use."""

    def __init__(self, folder: Path, specification: Specification) -> None:
        self.folder = folder
        self._specification = specification
        self._open: dict[str, LocalIndex] = {}
        self._guard = threading.Lock()

    def in_folder(self, folder: Path) -> Indexes:
        """Return the indexes of another folder, for the same models."""
        return Indexes(folder, self._specification)

    def get(self, name: str) -> LocalIndex:
        """Return an index.

        Raises:
            InvalidInput: that cannot be the name of one.
            NotFound: there is none of that name.
            Conflict: it was made with another model.
        """
        return self._opened(checked_index_name(name), create=False)

    def get_or_create(self, name: str) -> LocalIndex:
        """Return an index, made empty if there was none.

        Raises:
            InvalidInput: that cannot be the name of one.
            Conflict: it was made with another model.
        """
        return self._opened(checked_index_name(name), create=True)

    def has(self, name: str) -> bool:
        """Tell whether there is an index of that name.

        Raises:
            InvalidInput: that cannot be the name of one.
            Conflict: it was made with another model.
        """
        try:
            self.get(name)
        except NotFound:
            return False
        return True

    def _opened(self, name: str, *, create: bool) -> LocalIndex:
        with self._guard:
            if name not in self._open:
                try:
                    self._open[name] = LocalIndex(self.folder / name, self._specification, create=create)
                except NotFound:
                    raise NotFound(f"no index {name!r}", field="index") from None
            return self._open[name]

    def close(self) -> None:
        """Let go of all files."""
        with self._guard:
            for index in self._open.values():
                index.close()
            self._open.clear()
