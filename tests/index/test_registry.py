from __future__ import annotations

import threading
from pathlib import Path

import pytest

from qa.errors import Conflict, NotFound
from qa.index.registry import Indexes
from tests.conftest import SPECIFICATION, found, prepared, put


def opened(folder: Path) -> Indexes:
    """As another process has it."""
    return Indexes(folder, SPECIFICATION)


def test_a_deleted_index_is_gone_for_everybody(tmp_path: Path) -> None:
    here, there = opened(tmp_path), opened(tmp_path)
    index = here.get_or_create("books")
    put(index, prepared("a", "The mill burned down."))
    held, late = there.get("books"), opened(tmp_path).get("books")
    assert found(held, "mill") == found(late, "mill") == ["a"]
    generation = held.state().generation
    here.delete("books")
    with pytest.raises(NotFound, match="no index 'books'"):
        there.get("books")
    # One has a connection to the file that is gone; the other would have to open it.
    for index in (held, late):
        with pytest.raises(NotFound, match="'books' was deleted"):
            index.put([prepared("b", "Written too late.")], generation)
    assert list(tmp_path.iterdir()) == []
    made = here.get_or_create("books")
    put(made, prepared("c", "A new beginning."))
    with pytest.raises(NotFound, match="was deleted"):
        late.put([prepared("b", "Written too late.")], generation)
    assert found(there.get("books"), "beginning") == ["c"]
    assert there.get("books").state().documents == 1


def test_of_two_that_delete_one_is_told_that_it_is_gone(tmp_path: Path) -> None:
    opened(tmp_path).get_or_create("books")
    told: list[str] = []

    def delete() -> None:
        try:
            opened(tmp_path).delete("books")
            told.append("deleted")
        except NotFound:
            told.append("gone")

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["deleted", "gone", "gone", "gone"]
    assert list(tmp_path.iterdir()) == []


def test_names_are_those_of_indexes(tmp_path: Path) -> None:
    indexes = opened(tmp_path)
    for name in ("b", "a", "default"):
        indexes.get_or_create(name)
    (tmp_path / "default").rename(tmp_path / "default.bak")
    (tmp_path / "empty").mkdir()
    assert indexes.names() == ["a", "b"]
    with pytest.raises(Conflict, match="it stays"):
        indexes.delete("default")
