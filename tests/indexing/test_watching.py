"""Watching a folder: a change is reported once, when its file is complete."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qa.errors import InvalidInput
from qa.indexing.watching import Settling, watch_folder

Next = Callable[[], list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


@pytest.fixture
def next_names(folder: Path) -> Iterator[Next]:
    """Return the names of the next files that have settled."""
    stop = threading.Event()
    watch = watch_folder(folder, [folder / "indexes"], stop, settle_seconds=0.3)
    assert next(watch) == ()
    yield lambda: [str(path.relative_to(folder)) for path in next(watch)]
    stop.set()


def test_a_file_is_complete_when_it_has_stopped_growing(tmp_path: Path) -> None:
    file, other = tmp_path / "a.txt", tmp_path / "gone.txt"
    settling = Settling(seconds=2)
    file.write_text("half")
    settling.add(file, now=0)
    settling.add(other, now=1)
    assert settling.take(now=1.9) == []
    file.write_text("half and half")
    assert settling.take(now=2.5) == [], "the file has grown; the other has not settled"
    assert settling.take(now=3) == [other], "a removed file settles too"
    assert settling.take(now=4.4) == []
    assert settling.take(now=4.5) == [file]
    assert settling.take(now=9) == [], "each change is reported once"


def test_a_new_folder_is_a_change_of_each_of_its_files(tmp_path: Path) -> None:
    inner = tmp_path / "new" / "inner"
    inner.mkdir(parents=True)
    for name in ("a.txt", "b.txt", ".hidden", "~$b.docx"):
        (inner / name).write_text(name)
    settling = Settling(seconds=0)
    settling.add(tmp_path / "new", now=0)
    assert settling.take(now=0) == [inner / "a.txt", inner / "b.txt"]


def test_reports_added_changed_and_removed_files(folder: Path, next_names: Next) -> None:
    (folder / "a.txt").write_text("one")
    assert next_names() == ["a.txt"]
    (folder / "a.txt").write_text("two and more")
    assert next_names() == ["a.txt"]
    (folder / "a.txt").unlink()
    assert next_names() == ["a.txt"]


def test_reports_a_file_that_was_moved_over_another_and_a_moved_folder(
    folder: Path, next_names: Next, tmp_path: Path
) -> None:
    draft = tmp_path / "draft"
    draft.write_text("ready")
    draft.rename(folder / "final.txt")
    assert next_names() == ["final.txt"]
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "inner.txt").write_text("inner")
    moved.rename(folder / "moved")
    assert next_names() == ["moved/inner.txt"]
    (folder / "moved").rename(tmp_path / "away")
    assert next_names() == ["moved"]


def test_ignores_hidden_and_excluded_files(folder: Path, next_names: Next) -> None:
    (folder / "indexes").mkdir()
    for name in (".swap", "~$a.docx", "indexes/catalog.sqlite3", "seen.txt"):
        (folder / name).write_text(name)
    assert next_names() == ["seen.txt"]


def test_a_file_in_the_middle_of_a_write_is_waited_for(folder: Path, next_names: Next) -> None:
    text = b"The ferry leaves at nine.\n" * 40

    def write_slowly() -> None:
        with (folder / "slow.txt").open("wb", buffering=0) as file:
            for start in range(0, len(text), 100):
                file.write(text[start : start + 100])
                threading.Event().wait(0.1)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    names = next_names()
    size = (folder / "slow.txt").stat().st_size
    writer.join()
    assert names == ["slow.txt"]
    assert size == len(text)


def test_a_folder_that_is_gone_ends_the_watch(folder: Path, next_names: Next) -> None:
    folder.rmdir()
    with pytest.raises(InvalidInput, match="the folder is gone; its documents are kept"):
        next_names()
