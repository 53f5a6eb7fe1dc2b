"""The named indexes of one folder, each opened once."""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing
from pathlib import Path

from qa.errors import Conflict, NotFound, Unavailable
from qa.index.catalog import Specification
from qa.index.durable import copy_durably, sync_folder
from qa.index.local import CATALOG, LocalIndex
from qa.validation import check_index_name, is_index_name

DEFAULT_INDEX = "default"
# No index can be called so.
_ASIDE = "."


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
        return self._opened(check_index_name(name), create=False)

    def get_or_create(self, name: str) -> LocalIndex:
        """Return an index, made empty if there was none.

        Raises:
            InvalidInput: that cannot be the name of one.
            Conflict: it was made with another model.
        """
        return self._opened(check_index_name(name), create=True)

    def has(self, name: str) -> bool:
        """Tell whether there is an index of that name.

        Raises:
            InvalidInput: that cannot be the name of one.
        """
        return (self.folder / check_index_name(name) / CATALOG).exists()

    def names(self) -> list[str]:
        """Return the names of all indexes, in order."""
        found = (path.parent.name for path in self.folder.glob(f"*/{CATALOG}"))
        return sorted(name for name in found if is_index_name(name))

    def delete(self, name: str) -> None:
        """Remove an index with all that is in it; a crash leaves it whole or gone.

        Raises:
            InvalidInput: that cannot be the name of one.
            NotFound: there is none of that name.
            Conflict: it is the one that is meant where none is named.
        """
        if name == DEFAULT_INDEX:
            raise Conflict(f"{name!r} is the index that is meant where none is named; it stays", field="index")
        index = self.get(name)
        with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=self.folder) as place:
            index.catalog.delete(Path(place) / name)

    def restore(self, name: str, file: Path) -> LocalIndex:
        """Make an index of what `Catalog.export` wrote; it is there whole or not at all.

        Raises:
            InvalidInput: that cannot be the name of an index.
            NotFound: there is no such file.
            Conflict: there is an index of that name, or the file is damaged, no index, of a newer version or of another
                model.
        """
        if self.has(name):
            raise Conflict(f"there is an index {name!r}", field="index")
        if not file.is_file():
            raise NotFound(f"{file}: no such file", field="file")
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=self.folder) as place:
            made = Path(place) / name
            made.mkdir()
            copy_durably(file, made / CATALOG)
            self._check_exported(made, file)
            made.rename(self.folder / name)
            sync_folder(self.folder)
        return self.get(name)

    def _check_exported(self, made: Path, file: Path) -> None:
        try:
            with closing(LocalIndex(made, self._specification)) as index:
                wrong = index.catalog.check()
        except (Conflict, Unavailable) as error:
            told = error.message.replace(f"{made / CATALOG}: ", "")
            raise Conflict(f"{file}: cannot be made an index of: {told}", field="file") from error
        if wrong:
            raise Conflict(f"{file}: damaged ({wrong[0]})", field="file")

    def open_to_rebuild(self, name: str) -> LocalIndex:
        """Return an index that may have been made with another model, opened for the caller alone, who closes it.

        Raises:
            InvalidInput: that cannot be the name of one.
            NotFound: there is none of that name.
        """
        if not self.has(name):
            raise NotFound(f"no index {name!r}", field="index")
        return LocalIndex(self.folder / name, self._specification, to_rebuild=True)

    def _opened(self, name: str, *, create: bool) -> LocalIndex:
        with self._guard:
            opened = self._open.get(name)
            if opened is None or opened.catalog.is_deleted():
                if opened:
                    opened.close()
                    del self._open[name]
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
