"""A file that overloads or crashes its parser raises an error, and the next file is extracted."""

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
from tests.conftest import PROCESS_TIMEOUT_S
from tests.documents.files import pdf_with_compressed_text, pdf_with_nested_drawings

PAGE = b"<title>The pump</title><h1>Oil</h1><p>Every six weeks.</p>"


@pytest.fixture
def extractor() -> Iterator[Extractor]:
    # Enough memory that even a fast processor runs out of time first.
    extractor = Extractor(seconds=1, memory=8_000_000_000)
    yield extractor
    extractor.close()


def children() -> set[int]:
    """Return the ids of the child processes of this process."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(number) for path in lists for number in path.read_text().split()}


def test_returns_the_same_as_extraction_in_this_process(extractor: Extractor) -> None:
    assert extractor.extract(PAGE, "pump.html") == extract(PAGE, "pump.html")
    rows = b"id,answer\n7,Every six weeks.\n"
    columns = Columns(text="answer")
    assert extractor.extract(rows, "pump.csv", columns) == extract(rows, "pump.csv", columns)
    for data, name, error in ((b"", "a.zip", UnsupportedFormat), (b"no", "a.pdf", InvalidInput)):
        with pytest.raises(error, match=name) as in_child:
            extractor.extract(data, name)
        with pytest.raises(error, match=name) as in_process:
            extract(data, name)
        assert (in_child.value.message, in_child.value.field) == (in_process.value.message, in_process.value.field)


def test_rejects_a_file_that_takes_too_long_and_extracts_the_next(extractor: Extractor) -> None:
    bomb = pdf_with_nested_drawings()
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge, match=r"bomb\.pdf: extraction takes over 2 s"):
        extractor.extract(bomb, "bomb.pdf")
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"


def test_rejects_a_file_that_takes_too_much_memory() -> None:
    bomb = pdf_with_compressed_text(200)
    assert len(bomb) < 1_000_000
    extractor = Extractor(memory=400_000_000)
    with pytest.raises(TooLarge, match=r"bomb\.pdf: extraction takes over [\d,]+ bytes of memory"):
        extractor.extract(bomb, "bomb.pdf")
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    extractor.close()


def test_a_crashing_parser_does_not_stop_the_extractor() -> None:
    extractor, before = Extractor(), children()

    def crash() -> None:
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while not (started := children() - before):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(started.pop(), signal.SIGSEGV)

    thread = threading.Thread(target=crash)
    thread.start()
    with pytest.raises(
        InvalidInput, match=r"bad\.pdf: damaged, or too complex for its parser, which crashed \(status -11\)"
    ):
        extractor.extract(pdf_with_nested_drawings(), "bad.pdf")
    thread.join()
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    extractor.close()
    assert children() == before


def test_a_process_ignores_stop_signals_and_is_replaced_when_killed(extractor: Extractor) -> None:
    before = children()
    extractor.extract(PAGE, "pump.html")
    (process,) = children() - before
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(process, number)
        assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    assert children() - before == {process}
    os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + PROCESS_TIMEOUT_S
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"


def test_a_process_ends_after_a_large_file(extractor: Extractor) -> None:
    before = children()
    extractor.extract(PAGE, "pump.html")
    (small,) = children() - before
    rows = b'{"text": "It is oiled every six weeks."}\n' * 50_000
    assert len(extractor.extract(rows, "many.jsonl")) == 50_000
    assert children() == before
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    assert small not in children()


def test_extracts_files_in_several_threads(extractor: Extractor) -> None:
    files = [(f"<p>Note {number} of many.</p>".encode(), f"{number}.html") for number in range(40)]
    with ThreadPoolExecutor(4) as threads:
        texts = list(threads.map(lambda file: extractor.extract(*file)[0].text, files))
    assert texts == [f"Note {number} of many." for number in range(40)]
