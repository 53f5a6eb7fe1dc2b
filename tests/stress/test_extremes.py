"""What is far larger, smaller or stranger than usual. A little of it in every run, all of it with `make stress`."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qa.engine import Engine
from qa.errors import Conflict, TooLarge, Unavailable
from qa.index import writes
from qa.index.local import LocalIndex
from qa.index.verification import verify_index
from qa.service.service_db import ServiceDatabase
from tests.conftest import SPECIFICATION, found, prepared, put
from tests.stress.test_faults import MANY

AT_ONCE = 100_000 if MANY else 3_000
SMALL_FILES = 10_000 if MANY else 200


def test_many_documents_in_one_add(index: LocalIndex) -> None:
    put(index, *(prepared(str(n), f"Mill {n} was built in {1500 + n % 500}.") for n in range(AT_ONCE)))
    assert index.counts() == (AT_ONCE, AT_ONCE)
    assert index.state().revision == AT_ONCE
    last = AT_ONCE - 1
    assert str(last) in found(index, f"mill {last}", limit=50)
    assert [info.id for info in index.documents(None, 3)] == ["0", "1", "10"]


def test_a_file_of_two_hundred_megabytes_is_named_and_not_read(engine: Engine, tmp_path: Path) -> None:
    large, good = tmp_path / "large.txt", tmp_path / "good.txt"
    with large.open("wb") as file:
        for _ in range(200):
            file.write(b"The lamp burns all night.\n" * 40_000)
    good.write_text("The kettle is blue.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = engine.add_files(tmp_path)
    (refused,) = report.errors
    assert isinstance(refused, TooLarge)
    assert str(large) in refused.message
    assert [document.change for document in report.documents] == ["created"]
    # Kilobytes; the file was not taken into memory.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_many_small_files(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    for number in range(SMALL_FILES):
        place = folder / str(number % 100)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.txt").write_text(f"Note {number}: lamp {number} stands in room {number % 50}.")
    assert len(engine.add_files(folder).documents) == SMALL_FILES
    answer = engine.ask(f"Where does lamp {SMALL_FILES - 1} stand?", min_confidence=0).answers[0]
    assert f"room {(SMALL_FILES - 1) % 50}" in answer.context
    assert {document.change for document in engine.add_files(folder).documents} == {"unchanged"}


def test_everything_is_deleted(index: LocalIndex) -> None:
    ids = [str(number) for number in range(300)]
    put(index, *(prepared(id, f"Fact {id} of them all. " * 10) for id in ids))
    assert found(index, "fact 7")
    assert index.remove(ids) is None
    assert found(index, "fact 7") == []
    assert index.counts() == (0, 0)
    verified = verify_index(index)
    assert (verified.broken, verified.documents, verified.passages) == ((), 0, 0)
    put(index, prepared("again", "One more fact."))
    assert found(index, "one more fact") == ["again"]


class _Backwards(datetime):
    """Each look at it is an hour earlier than the one before."""

    looks = 0

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        cls.looks += 1
        return datetime.fromtimestamp(2_000_000_000 - 3600 * cls.looks, UTC)


def test_a_clock_that_goes_backwards(index: LocalIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(writes, "datetime", _Backwards)
    for number in range(5):
        put(index, prepared("fact", f"It is {number}."))
        assert found(index, f"it is {number}") == ["fact"]
    stored = index.document("fact")
    assert stored is not None
    assert (stored[0].text, stored[1].revision, _Backwards.looks >= 5) == ("It is 4.", 5, True)
    # Neither calls nor replies of a time that is still to come are held against anybody.
    state, now = ServiceDatabase(tmp_path), 2_000_000_000.0
    monkeypatch.setattr("qa.service.service_db.time.time", lambda: now)
    assert state.count_call("desk", 1, 60)
    assert state.claim("order") is None
    now -= 7200
    assert state.count_call("desk", 1, 60)
    assert state.claim("order") is None
    state.close()


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """An index in a file system that is read-only meanwhile."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("a file system takes the right to mount one")
    try:
        index = LocalIndex(place / "books", SPECIFICATION, create=True)
        put(index, prepared("mill", "The mill stands at the river."))
        found(index, "mill")
        index.close()
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_read_only_folder_is_told_and_loses_nothing(sealed: Path) -> None:
    with pytest.raises(Unavailable, match=str(sealed)):
        put(LocalIndex(sealed / "books", SPECIFICATION), prepared("lost", "It is not acknowledged."))
    with pytest.raises(Unavailable, match="Read-only"):
        LocalIndex(sealed / "new", SPECIFICATION, create=True)
    subprocess.run(["mount", "-o", "remount,rw", sealed], check=True)
    index = LocalIndex(sealed / "books", SPECIFICATION)
    assert found(index, "mill") == ["mill"]
    assert verify_index(index).broken == ()
    index.close()


def test_a_damaged_catalogue_is_refused_and_the_last_export_offered(tmp_path: Path) -> None:
    folder, backup = tmp_path / "indexes" / "books", tmp_path / "books.backup"
    index = LocalIndex(folder, SPECIFICATION, create=True)
    put(index, *(prepared(str(n), f"Mill {n} stands at the river. " * 20) for n in range(30)))
    index.catalog.export(backup)
    index.close()
    for file in folder.glob("catalog.sqlite3*"):
        file.write_bytes(b"not a catalogue at all" * 1000)
    with pytest.raises(Conflict) as refused:
        LocalIndex(folder, SPECIFICATION)
    for told in (str(folder), f"qa import {backup} --index books", "damaged"):
        assert told in refused.value.message
    backup.unlink()
    with pytest.raises(Conflict) as refused:
        LocalIndex(folder, SPECIFICATION)
    assert "qa import" not in refused.value.message
