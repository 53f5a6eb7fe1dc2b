"""Whatever a file does to its parser, whoever asked is told, and the next file is read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qa.documents.extract.extractor import Extractor
from qa.documents.extract.formats import extract
from qa.documents.extract.tables import Columns
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from tests.conftest import ENOUGH_S
from tests.documents.files import pdf_of_much_text, pdf_of_much_work

PAGE = b"<title>The pump</title><h1>Oil</h1><p>Every six weeks.</p>"


@pytest.fixture
def extractor() -> Iterator[Extractor]:
    # So much that a quick processor runs out of time first.
    made = Extractor(seconds=1, memory=8_000_000_000)
    yield made
    made.close()


def children() -> set[int]:
    """The processes that this one has started."""
    found = Path("/proc/self/task").glob("*/children")
    return {int(number) for path in found for number in path.read_text().split()}


def test_it_gives_what_reading_it_here_gives(extractor: Extractor) -> None:
    assert extractor.extract(PAGE, "pump.html") == extract(PAGE, "pump.html")
    rows = b"id,answer\n7,Every six weeks.\n"
    columns = Columns(text="answer")
    assert extractor.extract(rows, "pump.csv", columns) == extract(rows, "pump.csv", columns)
    for data, name, kind in ((b"", "a.zip", UnsupportedFormat), (b"no", "a.pdf", InvalidInput)):
        with pytest.raises(kind) as there:
            extractor.extract(data, name)
        with pytest.raises(kind) as here:
            extract(data, name)
        assert (there.value.message, there.value.field) == (here.value.message, here.value.field)


def test_a_file_of_endless_work_is_told_and_stops_none_of_the_others(extractor: Extractor) -> None:
    bomb = pdf_of_much_work()
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge, match=r"bomb\.pdf: reading it takes over 2 s"):
        extractor.extract(bomb, "bomb.pdf")
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"


def test_a_file_of_more_than_there_is_memory_for_is_told() -> None:
    bomb = pdf_of_much_text(200)
    assert len(bomb) < 1_000_000
    extractor = Extractor(memory=400_000_000)
    with pytest.raises(TooLarge, match=r"bomb\.pdf: reading it takes over [\d,]+ bytes of memory"):
        extractor.extract(bomb, "bomb.pdf")
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    extractor.close()


def test_a_parser_that_fails_takes_nobody_with_it() -> None:
    extractor, before = Extractor(), children()

    def fail() -> None:
        deadline = time.monotonic() + ENOUGH_S
        while not (started := children() - before):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(started.pop(), signal.SIGSEGV)

    thread = threading.Thread(target=fail)
    thread.start()
    with pytest.raises(
        InvalidInput, match=r"bad\.pdf: damaged, or too much for its parser, which failed \(status -11\)"
    ):
        extractor.extract(pdf_of_much_work(), "bad.pdf")
    thread.join()
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    extractor.close()
    assert children() == before


def test_one_that_somebody_ended_is_replaced_and_what_stops_a_service_does_not_end_it(extractor: Extractor) -> None:
    before = children()
    extractor.extract(PAGE, "pump.html")
    (process,) = children() - before
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(process, number)
        assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    assert children() - before == {process}
    os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + ENOUGH_S
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"


def test_what_a_large_file_took_is_not_kept(extractor: Extractor) -> None:
    before = children()
    extractor.extract(PAGE, "pump.html")
    (small,) = children() - before
    rows = b'{"text": "It is oiled every six weeks."}\n' * 50_000
    assert len(extractor.extract(rows, "many.jsonl")) == 50_000
    assert children() == before
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    assert small not in children()


def test_several_at_once(extractor: Extractor) -> None:
    files = [(f"<p>Note {number} of many.</p>".encode(), f"{number}.html") for number in range(40)]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda file: extractor.extract(*file)[0].text, files))
    assert made == [f"Note {number} of many." for number in range(40)]
