"""The named indexes of a folder, each opened once."""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing
from pathlib import Path

from qa.errors import Conflict, NotFound, Unavailable
from qa.index.catalog import Specification
from qa.index.durable import PRIVATE_FOLDER, copy_durably, sync_folder
from qa.index.local import CATALOG, LocalIndex
from qa.validation import check_index_name, is_index_name

DEFAULT_INDEX = "default"
# No index name starts with a dot.
_TEMPORARY_PREFIX = "."


class Indexes:
    """The indexes of a folder, used with one specification; without one, each is opened with its own."""

    def __init__(self, folder: Path, specification: Specification | None = None) -> None:
        self.folder = folder
        self._specification = specification
        self._open: dict[str, LocalIndex] = {}
        self._guard = threading.Lock()

    def in_folder(self, folder: Path) -> Indexes:
        """Return the indexes of another folder, with the same specification."""
        return Indexes(folder, self._specification)

    def get(self, name: str) -> LocalIndex:
        """Return an index.

        Raises:
            InvalidInput: the name is not valid.
            NotFound: the index does not exist.
            Conflict: the index was built with another embedder or splitting.
        """
        return self._open_index(check_index_name(name), create=False)

    def get_or_create(self, name: str) -> LocalIndex:
        """Return an index; create it if it does not exist.

        Raises:
            InvalidInput: the name is not valid.
            Conflict: the index was built with another embedder or splitting.
        """
        return self._open_index(check_index_name(name), create=True)

    def has(self, name: str) -> bool:
        """Return whether an index exists.

        Raises:
            InvalidInput: the name is not valid.
        """
        return (self.folder / check_index_name(name) / CATALOG).exists()

    def names(self) -> list[str]:
        """Return the names of all indexes, sorted."""
        names = (path.parent.name for path in self.folder.glob(f"*/{CATALOG}"))
        return sorted(name for name in names if is_index_name(name))

    def delete(self, name: str) -> None:
        """Delete an index with its documents; a crash leaves the whole index or nothing.

        Raises:
            InvalidInput: the name is not valid.
            NotFound: the index does not exist.
            Conflict: it is the default index.
        """
        if name == DEFAULT_INDEX:
            raise Conflict(
                f"index {name!r} serves requests that name no index and cannot be deleted; remove its documents",
                field="index",
            )
        index = self.get(name)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY_PREFIX, dir=self.folder) as temporary:
            index.catalog.delete(Path(temporary) / name)

    def restore(self, name: str, file: Path) -> LocalIndex:
        """Create an index from a file that `Catalog.export` wrote; a crash leaves the whole index or nothing.

        Raises:
            InvalidInput: the name is not valid.
            NotFound: the file does not exist.
            Conflict: the index already exists, or the file is damaged, not an export, or of a newer version or another
                specification.
        """
        if self.has(name):
            raise Conflict(f"index {name!r} already exists; import with another --index", field="index")
        if not file.is_file():
            raise NotFound(f"{file}: no such file", field="file")
        self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY_PREFIX, dir=self.folder) as temporary:
            copy = Path(temporary) / name
            copy.mkdir(PRIVATE_FOLDER)
            copy_durably(file, copy / CATALOG)
            self._check_export(copy, file)
            copy.rename(self.folder / name)
            sync_folder(self.folder)
        return self.get(name)

    def _check_export(self, copy: Path, file: Path) -> None:
        try:
            with closing(LocalIndex(copy, self._specification)) as index:
                problems = index.catalog.check()
        except (Conflict, Unavailable) as error:
            reason = error.message.replace(f"{copy / CATALOG}: ", "")
            raise Conflict(f"{file}: cannot be imported: {reason}", field="file") from error
        if problems:
            raise Conflict(f"{file}: damaged ({problems[0]}); import another export", field="file")

    def open_to_rebuild(self, name: str) -> LocalIndex:
        """Open an index for the caller alone, and accept any specification. The caller closes it.

        Raises:
            InvalidInput: the name is not valid.
            NotFound: the index does not exist.
        """
        if not self.has(name):
            raise _not_found(name)
        return LocalIndex(self.folder / name, self._specification, to_rebuild=True)

    def close(self) -> None:
        """Close the files of all indexes."""
        with self._guard:
            for index in self._open.values():
                index.close()
            self._open.clear()

    def _open_index(self, name: str, *, create: bool) -> LocalIndex:
        with self._guard:
            index = self._open.get(name)
            if index is None or index.catalog.is_deleted():
                if index:
                    index.close()
                    del self._open[name]
                try:
                    self._open[name] = LocalIndex(self.folder / name, self._specification, create=create)
                except NotFound:
                    raise _not_found(name) from None
            return self._open[name]


def _not_found(name: str) -> NotFound:
    hint = "add documents with `qa add`" if name == DEFAULT_INDEX else "run `qa list --indexes`"
    return NotFound(f"index {name!r} not found; {hint}", field="index")
