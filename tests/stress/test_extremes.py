"""Extreme sizes and conditions: small in every run, full size with `make stress`."""

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
from tests.conftest import SPECIFICATION, prepare_document, put, search_ids
from tests.stress.test_faults import MANY

pytestmark = pytest.mark.slow

AT_ONCE = 100_000 if MANY else 3_000
SMALL_FILES = 10_000 if MANY else 200


def test_adds_many_documents_at_once(index: LocalIndex) -> None:
    put(index, *(prepare_document(str(n), f"Mill {n} was built in {1500 + n % 500}.") for n in range(AT_ONCE)))
    assert index.counts() == (AT_ONCE, AT_ONCE)
    assert index.state().revision == AT_ONCE
    last = AT_ONCE - 1
    assert str(last) in search_ids(index, f"mill {last}", limit=50)
    assert [info.id for info in index.documents(None, 3)] == ["0", "1", "10"]


def test_rejects_a_file_of_200_megabytes_without_reading_it(engine: Engine, tmp_path: Path) -> None:
    large, good = tmp_path / "large.txt", tmp_path / "good.txt"
    with large.open("wb") as file:
        for _ in range(200):
            file.write(b"The lamp burns all night.\n" * 40_000)
    good.write_text("The kettle is blue.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = engine.add_files(tmp_path)
    (error,) = report.errors
    assert isinstance(error, TooLarge)
    assert str(large) in error.message
    assert [document.change for document in report.documents] == ["created"]
    # In kilobytes: the file was not loaded into memory.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_adds_many_small_files(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    for number in range(SMALL_FILES):
        subfolder = folder / str(number % 100)
        subfolder.mkdir(parents=True, exist_ok=True)
        (subfolder / f"{number}.txt").write_text(f"Note {number}: lamp {number} stands in room {number % 50}.")
    assert len(engine.add_files(folder).documents) == SMALL_FILES
    answer = engine.ask(f"Where does lamp {SMALL_FILES - 1} stand?", min_confidence=0).answers[0]
    assert f"room {(SMALL_FILES - 1) % 50}" in answer.context
    assert {document.change for document in engine.add_files(folder).documents} == {"unchanged"}


def test_removes_all_documents(index: LocalIndex) -> None:
    ids = [str(number) for number in range(300)]
    put(index, *(prepare_document(id, f"Fact {id} of them all. " * 10) for id in ids))
    assert search_ids(index, "fact 7")
    assert index.remove(ids) is None
    assert search_ids(index, "fact 7") == []
    assert index.counts() == (0, 0)
    verified = verify_index(index)
    assert (verified.broken, verified.documents, verified.passages) == ((), 0, 0)
    put(index, prepare_document("again", "One more fact."))
    assert search_ids(index, "one more fact") == ["again"]


class _BackwardClock(datetime):
    """A clock that each call sets back by an hour."""

    calls = 0

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        cls.calls += 1
        return datetime.fromtimestamp(2_000_000_000 - 3600 * cls.calls, UTC)


def test_works_when_the_clock_is_set_backwards(
    index: LocalIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(writes, "datetime", _BackwardClock)
    for number in range(5):
        put(index, prepare_document("fact", f"It is {number}."))
        assert search_ids(index, f"it is {number}") == ["fact"]
    stored = index.document("fact")
    assert stored is not None
    assert (stored[0].text, stored[1].revision, _BackwardClock.calls >= 5) == ("It is 4.", 5, True)
    # Calls and replies with a later time do not count against a client.
    state, now = ServiceDatabase(tmp_path), 2_000_000_000.0
    monkeypatch.setattr("qa.service.service_db.time.time", lambda: now)
    assert state.count_call("desk", 1, 60)
    assert state.claim("order") is None
    now -= 7200
    assert state.count_call("desk", 1, 60)
    assert state.claim("order") is None
    state.close()


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """An index in a file system that is mounted read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        index = LocalIndex(folder / "books", SPECIFICATION, create=True)
        put(index, prepare_document("mill", "The mill stands at the river."))
        search_ids(index, "mill")
        index.close()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_reports_a_read_only_folder_and_loses_nothing(read_only_disk: Path) -> None:
    with pytest.raises(Unavailable, match=str(read_only_disk)):
        put(LocalIndex(read_only_disk / "books", SPECIFICATION), prepare_document("lost", "It is not acknowledged."))
    with pytest.raises(Unavailable, match="Read-only"):
        LocalIndex(read_only_disk / "new", SPECIFICATION, create=True)
    subprocess.run(["mount", "-o", "remount,rw", read_only_disk], check=True)
    index = LocalIndex(read_only_disk / "books", SPECIFICATION)
    assert search_ids(index, "mill") == ["mill"]
    assert verify_index(index).broken == ()
    index.close()


def test_rejects_a_damaged_catalogue_and_names_the_last_export(tmp_path: Path) -> None:
    folder, backup = tmp_path / "indexes" / "books", tmp_path / "books.backup"
    index = LocalIndex(folder, SPECIFICATION, create=True)
    put(index, *(prepare_document(str(n), f"Mill {n} stands at the river. " * 20) for n in range(30)))
    index.catalog.export(backup)
    index.close()
    for file in folder.glob("catalog.sqlite3*"):
        file.write_bytes(b"not a catalogue at all" * 1000)
    with pytest.raises(Conflict) as raised:
        LocalIndex(folder, SPECIFICATION)
    for part in (str(folder), f"qa import {backup} --index books", "damaged"):
        assert part in raised.value.message
    backup.unlink()
    with pytest.raises(Conflict) as raised:
        LocalIndex(folder, SPECIFICATION)
    assert "qa import" not in raised.value.message
