from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.documents.files import InputFile
from qa.errors import InvalidInput, NotFound, QAError
from qa.index.registry import Indexes
from qa.index.verification import verify_index
from qa.indexing import ingestion
from qa.indexing.indexer import Indexer
from qa.indexing.ingestion import Ingestion, PathSource, UploadSource
from qa.reports import describe_reading, describe_unread
from qa.types import Document, Mark, SourceFile, Unread
from tests.conftest import EMBEDDER, SPECIFICATION

Start = Callable[..., Indexer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Open the documents of an empty default index."""
    with closing(Indexes(tmp_path / "indexes", SPECIFICATION)) as indexes:
        indexes.get_or_create("default")
        yield lambda **options: Indexer(indexes, EMBEDDER, **options)


def extract_lines(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
    """Return a document for each line of a file; a line that begins with `?` has a part that cannot be read."""
    lines = data.decode().splitlines()
    return [
        ExtractedText(line, unread=(Unread(number, f"a picture in {name}"),) * line.startswith("?"), row=number)
        for number, line in enumerate(lines, 1)
    ]


def upload(name: str, text: str) -> UploadSource:
    return UploadSource(name, text.encode)


def test_stores_the_original_of_every_file(start: Start) -> None:
    indexer = start()
    Ingestion(indexer, extract_lines).add([upload("a.txt", "One.\nTwo."), upload("b.txt", "Three.")])
    files = [indexer.file(info.id) for info in indexer.all()]
    assert [(file.name, file.media_type, file.data) for file in files] == [
        ("a.txt", "text/plain", b"One.\nTwo."),
        ("a.txt", "text/plain", b"One.\nTwo."),
        ("b.txt", "text/plain", b"Three."),
    ]


def test_stores_no_original_if_files_are_not_kept(start: Start) -> None:
    indexer = start(keep_files=False)
    sources = [upload("a.txt", "One.\nTwo.")]
    Ingestion(indexer, extract_lines).add(sources)
    assert [info.file for info in indexer.all()] == [None, None]
    first = next(indexer.all()).id
    with pytest.raises(NotFound, match=r"no original file.*QA_KEEP_FILES=false; add its file again"):
        indexer.file(first)
    preview = Ingestion(indexer, extract_lines, dry_run=True).add(sources)
    assert [document.change for document in preview.documents] == ["unchanged", "unchanged"]
    # Nothing is embedded again when the setting changes.
    for setting, files in ((True, ["a.txt", "a.txt"]), (False, [None, None])):
        report = Ingestion(start(keep_files=setting), extract_lines).add(sources)
        assert [document.change for document in report.documents] == ["unchanged", "unchanged"]
        assert [info.file and info.file.name for info in indexer.all()] == files


def test_a_new_title_or_metadata_keeps_the_original(start: Start) -> None:
    indexer = start()
    Ingestion(indexer, extract_lines).add([upload("a.txt", "One.")])
    (info,) = indexer()
    for description in ({"title": "New"}, {"meta": {"year": 2024}}):
        assert indexer.update(info.id, description).file == info.file  # type: ignore[arg-type]
        assert indexer.file(info.id).data == b"One."


def test_the_originals_of_a_batch_are_bounded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[str]] = []
    add = Indexer.add

    def note_batch(self: Indexer, documents: list[Document], **options: str) -> object:
        batches.append([document.text for document in documents])
        return add(self, documents, **options)

    monkeypatch.setattr(Indexer, "add", note_batch)
    monkeypatch.setattr(ingestion, "_BATCH_BYTES", 25)
    rows = "\n".join("abcdefgh")
    names = [upload(f"{n}.txt", f"Ten bytes{n}") for n in range(5)]
    Ingestion(start(), extract_lines).add([*names, upload("rows.txt", rows)])
    # The rows of a file share its 15 bytes.
    assert batches == [["Ten bytes0", "Ten bytes1", "Ten bytes2"], ["Ten bytes3", "Ten bytes4", "a"], list("bcdefgh")]


def test_reports_what_could_not_be_read_in_each_document(start: Start) -> None:
    sources = [upload("a.txt", "One.\n? two\n? three"), upload("b.txt", "Four.")]
    for dry_run, change in ((True, "created"), (False, "created"), (False, "unchanged")):
        report = Ingestion(start(), extract_lines, dry_run=dry_run).add(sources)
        assert [(d.change, d.unread) for d in report.documents] == [
            (change, ()),
            (change, (Unread(2, "a picture in a.txt"),)),
            (change, (Unread(3, "a picture in a.txt"),)),
            (change, ()),
        ]
        assert [list(describe_unread(file.unread)) for file in report.files] == [
            ["pages 2, 3 not read: a picture in a.txt"],
            [],
        ]
    assert [len(info.unread) for info in start().all()] == [0, 1, 1, 0]


def test_rows_that_stay_equal_get_the_new_file_of_their_table(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    indexer = start()
    Ingestion(indexer, extract_lines).add([upload("a.txt", "One.\nTwo.")])
    embedded: list[str] = []
    prepare = Indexer._prepare

    def note_prepared(self: Indexer, documents: list[Document]) -> object:
        embedded.extend(document.text for document in documents)
        return prepare(self, documents)

    monkeypatch.setattr(Indexer, "_prepare", note_prepared)
    report = Ingestion(indexer, extract_lines).add([upload("a.txt", "One.\nTwo, changed.")])
    assert [document.change for document in report.documents] == ["unchanged", "replaced"]
    assert embedded == ["Two, changed."]
    assert [indexer.file(info.id).data for info in indexer.all()] == [b"One.\nTwo, changed."] * 2
    opened = indexer.indexes.get("default")
    assert verify_index(opened).broken == ()
    with opened.catalog.read() as transaction:
        assert len(list(transaction.files())) == 1


def test_a_document_that_changes_meanwhile_is_embedded_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    indexer = start()
    Ingestion(indexer, extract_lines).add([upload("a.txt", "One.")])
    (info,) = indexer()
    put, opened = type(indexer.indexes.get("default")).put, indexer.indexes.get("default")
    calls: list[int] = []

    def change_before_the_first_put(self: object, *arguments: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            indexer.update(info.id, {"meta": {"year": 2024}})
        return put(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(opened), "put", change_before_the_first_put)
    (outcome,) = Ingestion(indexer, extract_lines).add([upload("a.txt", "One.\n")]).documents
    assert (outcome.change, len(calls)) == ("replaced", 2)
    assert (indexer.info(info.id).meta, indexer.file(info.id).data) == ({}, b"One.\n")


def test_rejects_a_file_without_its_data(start: Start) -> None:
    indexer, other = start(), "other"
    Ingestion(indexer, extract_lines).add([upload("a.txt", "One.")])
    document, _ = indexer.get(next(indexer.all()).id)
    indexer.indexes.get_or_create(other)
    with pytest.raises(InvalidInput, match=r"the data of its file 'a\.txt' is neither given nor stored"):
        indexer.add([document], index=other)
    with pytest.raises(InvalidInput, match="surrogate") as raised:
        indexer.add([Document("b", "Two.", file=SourceFile("\ud800", "text/plain", "0" * 64, 1, b"x"))])
    assert raised.value.field == "0.file"


@pytest.mark.parametrize(
    ("pages", "line"),
    [
        ([4], "page 4 not read: a scan"),
        ([9, 4, 7, 8, 4], "pages 4, 7-9 not read: a scan"),
        ([1, 2], "pages 1, 2 not read: a scan"),
        ([None], "not read: a scan"),
        ([None, None], "2 parts not read: a scan"),
    ],
)
def test_joins_the_pages_that_were_not_read(pages: list[int | None], line: str) -> None:
    assert list(describe_unread([Unread(page, "a scan") for page in pages])) == [line]


def test_names_each_reason_once() -> None:
    unread = [Unread(2, "a scan"), Unread(None, "an object"), Unread(1, "a scan"), Unread(None, "a scan")]
    assert list(describe_unread(unread)) == [
        "pages 1, 2 not read: a scan",
        "not read: a scan",
        "not read: an object",
    ]


def test_reports_the_pages_that_were_recognised(start: Start) -> None:
    marks = (Mark(0, 1), Mark(5, 2, None, "ocr"), Mark(9, 3, None, "ocr"), Mark(12, 3), Mark(15, 4, None, "ocr"))

    def extract_scan(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
        return [ExtractedText(data.decode(), marks=marks, unread=(Unread(5, f"a picture in {name}"),))]

    report = Ingestion(start(), extract_scan).add([upload("scan.pdf", "It is a scanned text.")])
    assert [document.ocr_pages for document in report.documents] == [(2, 3, 4)]
    assert list(describe_reading(report.files[0])) == [
        "pages 2-4 recognised in pictures (OCR)",
        "page 5 not read: a picture in scan.pdf",
    ]


def extract_ids(data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
    """Return a document for each line, whose id is the first word."""
    rows = [line.split(maxsplit=1) for line in data.decode().splitlines()]
    return [ExtractedText(text, id=id, row=number) for number, (id, text) in enumerate(rows, 1)]


def test_a_file_does_not_replace_rows_of_another_file_with_the_same_ids(start: Start, tmp_path: Path) -> None:
    indexer = start()
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("1 York is in the north.")
    second.write_text("1 The Severn is a river.")

    def add(path: Path, columns: Columns | None = None) -> QAError | None:
        source = PathSource(InputFile(path, explicit=True), columns or Columns())
        return Ingestion(indexer, extract_ids).add([source]).files[0].error

    assert add(first) is None
    error = add(second)
    assert isinstance(error, InvalidInput)
    assert error.message.startswith(f"{second}: document id '1' is already used by {first}; rename")
    assert indexer.get("1")[0].text == "York is in the north."
    assert add(first) is None, "a file replaces its own documents"
    assert add(second, Columns(id="id")) is None, "the caller decided that ids are the same in all files"
    assert indexer.get("1")[0].text == "The Severn is a river."
    second.unlink()
    assert add(first) is None, "a file that is gone has no claim to its ids"


def test_uploads_do_not_replace_rows_of_an_upload_with_another_name(start: Start) -> None:
    indexer = start()
    Ingestion(indexer, extract_ids).add([upload("a.csv", "1 York is in the north.")])
    report = Ingestion(indexer, extract_ids).add([upload("b.csv", "1 The Severn is a river.")])
    assert [error.message.split(";")[0] for error in report.errors] == [
        "b.csv: document id '1' is already used by a.csv"
    ]
    assert indexer.get("1")[0].text == "York is in the north."


def test_two_uploads_of_the_same_name_in_one_request_are_an_error(start: Start) -> None:
    indexer = start()
    report = Ingestion(indexer, extract_lines).add([upload("same.txt", "Ada."), upload("same.txt", "Bob.")])
    first, second = report.files
    assert [document.change for document in first.documents] == ["created"]
    assert second.error is not None
    assert "is already used by same.txt" in second.error.message
    assert [indexer.get(info.id)[0].text for info in indexer.all()] == ["Ada."]
