"""A file that overloads or crashes its parser raises an error, and the next file is extracted."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from qa.documents.extract import extractor as extractor_module
from qa.documents.extract.extractor import Extractor
from qa.documents.extract.formats import extract
from qa.documents.extract.messages import (
    Message,
    MessageError,
    pack_documents,
    read_message,
    unpack_documents,
    write_message,
)
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, TooLarge, UnsupportedFormat
from qa.types import Mark, SourceFile, Table, Unread
from tests.conftest import PROCESS_TIMEOUT_S
from tests.documents.files import pdf_with_compressed_text, pdf_with_nested_drawings

pytestmark = pytest.mark.slow

DOCUMENTS = [
    ExtractedText(
        "Oiled — every 6 weeks\0 😀",
        "The pump",
        {"rooms": 4, "rate": 0.1, "open": True, "note": None, "place": "Nørth"},
        (Mark(0, 1, "Oil", "ocr"), Mark(3, 2)),
        b"\x00\xff boxes",
        (Table(0, ((5, 0), (2, 3)), ("Month", ""), 1, labelled=True, numbers=(4, 5), first_column=2),),
        (Unread(2, "a picture"), Unread(None, "an embedded file")),
        "pump-1",
        7,
        "letter",
        SourceFile("pump.pdf", "application/pdf", "ab" * 32, 4, b"%PDF"),
    ),
    ExtractedText("Only text."),
    ExtractedText("A long text — with 😀. " * 10_000, row=3),
]
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


def transfer(header: object, parts: object = ()) -> Message:
    """Return what a process reads of a message."""
    pipe = io.BytesIO()
    write_message(pipe, header, parts)  # type: ignore[arg-type]
    pipe.seek(0)
    return read_message(pipe, 10_000_000)


def test_every_field_of_a_document_survives_the_pipe() -> None:
    unpacked = unpack_documents(transfer(*pack_documents(DOCUMENTS)))
    assert unpacked == DOCUMENTS
    # The data of a file does not count when files are compared.
    assert unpacked[0].file is not None
    assert unpacked[0].file.data == b"%PDF"
    assert unpack_documents(transfer(*pack_documents([]))) == []


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    for repeats in (1, 100_000):
        (document,) = unpack_documents(transfer(*pack_documents([ExtractedText("40\ud800 euros" * repeats)])))
        assert document.text == "40\ufffd euros" * repeats


@pytest.mark.parametrize(
    "documents",
    [
        b"[{}]",
        b'[{"text": 5}]',
        b'[{"text": "a", "marks": [{"start": "0"}]}]',
        b'[{"text": "a", "marks": [{"start": 0, "kind": "secret"}]}]',
        b'[{"text": "a", "meta": {"a": []}}]',
        b'{"text": "a"}',
        b"[" * 100_000,
        b"\xff",
        b"",
    ],
)
def test_rejects_data_that_is_not_documents(documents: bytes) -> None:
    with pytest.raises(MessageError, match="does not hold documents"):
        unpack_documents(Message({"places": []}, [documents]))


@pytest.mark.parametrize("place", [(0, "title"), (1, "boxes"), (0, "file"), ("0", "boxes"), 0, None])
def test_rejects_bytes_for_a_field_that_has_none(place: object) -> None:
    with pytest.raises(MessageError, match="does not hold documents"):
        unpack_documents(Message({"places": [place]}, [b'[{"text": "a"}]', b"boxes"]))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_bytes_are_a_message_or_an_error(data: st.DataObject) -> None:
    pipe = io.BytesIO()
    write_message(pipe, *pack_documents(DOCUMENTS[:2]))
    sent = bytearray(pipe.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    del sent[data.draw(st.integers(0, len(sent))) :]
    try:
        documents = unpack_documents(read_message(io.BytesIO(bytes(sent)), 1_000_000))
    except (EOFError, MessageError):
        return
    assert all(type(document) is ExtractedText for document in documents)


def test_a_message_over_the_limit_is_not_read() -> None:
    pipe = io.BytesIO()
    write_message(pipe, {}, [b"0" * 1001])
    pipe.seek(0)
    with pytest.raises(MessageError, match=r"parts of 1,001 bytes exceed the limit of 1,000"):
        read_message(pipe, 1000)


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ({"kind": "documents", "places": []}, [b'[{"text": 5}]']),
        ({"kind": "documents"}, []),
        ({"kind": "page"}, [b"PNG"]),
        ({"kind": "error", "error": "SystemExit", "message": "", "field": None}, []),
        ({"kind": "error", "error": "InvalidInput", "message": None, "field": None}, []),
        ({"kind": "error", "error": ["InvalidInput"], "message": "", "field": None}, []),
        ({"kind": "progress", "done": "1", "pages": 2}, []),
        ([], []),
    ],
)
def test_a_process_that_sends_garbage_is_an_error_of_the_file(
    header: object, parts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = io.BytesIO()
    write_message(pipe, header, parts)  # type: ignore[arg-type]
    send = f"import sys; sys.stdout.buffer.write({pipe.getvalue()!r}); sys.stdout.flush(); sys.stdin.read()"
    monkeypatch.setattr(extractor_module, "_PROGRAM", send)
    before, extractor = children(), Extractor()
    with pytest.raises(InvalidInput, match=r"^pump\.html: damaged; its parser returned no valid reply; save the file"):
        extractor.extract(PAGE, "pump.html", progress=lambda done, pages: None)
    assert children() == before


def test_a_process_that_sends_a_pickle_runs_nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "taken",)

    sent = pickle.dumps(Payload())
    monkeypatch.setattr(extractor_module, "_PROGRAM", f"import sys; sys.stdout.buffer.write({sent!r})")
    with pytest.raises(InvalidInput, match=r"pump\.html: damaged"):
        Extractor().extract(PAGE, "pump.html")
    assert not (tmp_path / "taken").exists()


def test_a_process_has_no_secrets_and_few_rights(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_API_KEYS", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LC_TIME", "C")
    before = children()
    extractor.extract(PAGE, "pump.html")
    (process,) = children() - before
    variables = Path(f"/proc/{process}/environ").read_text().split("\0")
    assert "LC_TIME=C" in variables
    assert "OMP_THREAD_LIMIT=1" in variables
    assert not [variable for variable in variables if "secret" in variable or variable.startswith("QA_")]
    limits = Path(f"/proc/{process}/limits").read_text()
    for limit, value in (("file size", 0), ("core file size", 0), ("open files", 64)):
        assert f"Max {limit} ".ljust(26) + f"{value} ".ljust(21) + f"{value} " in limits


def test_a_process_finds_the_package_in_any_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the working folder was imported')")
    monkeypatch.chdir(tmp_path)
    extractor = Extractor()
    assert extractor.extract(PAGE, "pump.html")[0].title == "The pump"
    extractor.close()


def test_progress_is_reported_for_each_page(extractor: Extractor) -> None:
    reports: list[tuple[int, int]] = []
    (document,) = extractor.extract(
        pdf_of_pages(3), "pages.pdf", progress=lambda done, pages: reports.append((done, pages))
    )
    assert reports == [(1, 3), (2, 3), (3, 3)]
    assert [mark.page for mark in document.marks] == [1, 2, 3]


def test_an_error_of_the_progress_callback_ends_the_process(extractor: Extractor) -> None:
    def cancel(done: int, pages: int) -> None:
        raise KeyboardInterrupt

    before = children()
    with pytest.raises(KeyboardInterrupt):
        extractor.extract(pdf_of_pages(2), "pages.pdf", progress=cancel)
    assert children() == before


def pdf_of_pages(count: int, squares: int = 0) -> bytes:
    """Return a PDF with a line of text on each page, and that many squares."""
    data = io.BytesIO()
    canvas = Canvas(data, pageCompression=1)
    for number in range(1, count + 1):
        canvas.drawString(72, 700, f"This is page {number} of the manual.")
        canvas._code += ["9 9 9 9 re f"] * squares
        canvas.showPage()
    canvas.save()
    return data.getvalue()


@pytest.mark.parametrize(
    ("context", "rest", "status"),
    [
        ("limits.allow_recognition()", 0.1, 0),
        ("limits.allow_recognition()", 3.2, -signal.SIGXCPU),
        ("nullcontext()", 0.1, -signal.SIGXCPU),
    ],
)
def test_only_the_recognition_of_a_page_has_more_time(context: str, rest: float, status: int) -> None:
    program = f"""
import time
from contextlib import nullcontext
from qa.documents.extract.child import Limits

def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

limits = Limits(2, 8_000_000_000)
for page in range(3):
    with {context}:
        work(1.2)
work({rest})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == status


@pytest.mark.parametrize("ocr", [True, False])
def test_pages_without_pictures_share_the_time_of_the_file(ocr: bool) -> None:
    extractor = Extractor(seconds=1, memory=8_000_000_000, ocr=ocr)
    slow = pdf_of_pages(20, squares=100_000)
    with pytest.raises(TooLarge, match=r"^slow\.pdf: extraction takes over 2 s of processor time; split the file$"):
        extractor.extract(slow, "slow.pdf")
    extractor.close()
