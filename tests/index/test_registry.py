from __future__ import annotations

import threading
from pathlib import Path

import pytest

from qa.errors import Conflict, NotFound
from qa.index.registry import Indexes
from tests.conftest import SPECIFICATION, prepare_document, put, search_ids


def open_indexes(folder: Path) -> Indexes:
    """Open the indexes as another process would."""
    return Indexes(folder, SPECIFICATION)


def test_deleted_index_is_gone_for_every_process(tmp_path: Path) -> None:
    deleter, reader = open_indexes(tmp_path), open_indexes(tmp_path)
    index = deleter.get_or_create("books")
    put(index, prepare_document("a", "The mill burned down."))
    queried, unqueried = reader.get("books"), open_indexes(tmp_path).get("books")
    assert search_ids(queried, "mill") == search_ids(unqueried, "mill") == ["a"]
    generation = queried.state().generation
    deleter.delete("books")
    with pytest.raises(NotFound, match="index 'books' not found; run `qa list --indexes`"):
        reader.get("books")
    # `queried` has a connection to the deleted file; `unqueried` would have to open it.
    for index in (queried, unqueried):
        with pytest.raises(NotFound, match="'books' was deleted"):
            index.put([prepare_document("b", "Written too late.")], generation)
    assert list(tmp_path.iterdir()) == []
    created = deleter.get_or_create("books")
    put(created, prepare_document("c", "A new beginning."))
    with pytest.raises(NotFound, match="was deleted"):
        unqueried.put([prepare_document("b", "Written too late.")], generation)
    assert search_ids(reader.get("books"), "beginning") == ["c"]
    assert reader.get("books").state().documents == 1


def test_one_of_several_concurrent_deletes_succeeds(tmp_path: Path) -> None:
    open_indexes(tmp_path).get_or_create("books")
    outcomes: list[str] = []

    def delete() -> None:
        try:
            open_indexes(tmp_path).delete("books")
            outcomes.append("deleted")
        except NotFound:
            outcomes.append("not found")

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["deleted", "not found", "not found", "not found"]
    assert list(tmp_path.iterdir()) == []


def test_lists_index_names_and_keeps_the_default_index(tmp_path: Path) -> None:
    indexes = open_indexes(tmp_path)
    for name in ("b", "a", "default"):
        indexes.get_or_create(name)
    (tmp_path / "default").rename(tmp_path / "default.bak")
    (tmp_path / "empty").mkdir()
    assert indexes.names() == ["a", "b"]
    with pytest.raises(Conflict, match="cannot be deleted"):
        indexes.delete("default")
