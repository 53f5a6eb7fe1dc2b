from __future__ import annotations

import io
import os
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from qa.documents.extract.formats import extract
from qa.documents.extract.tables.columns import Columns
from qa.documents.files import find_files, read_documents, read_text
from qa.errors import InvalidInput, UnsupportedFormat


def test_keeps_line_ends_and_characters(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo \xf0\x9f\x99\x82\n")
    (document,) = read_documents(path, extract)
    assert document.text == "one\r\ntwo 🙂\n"
    assert document.title == "a b.txt"
    assert document.id.startswith("a-b.txt-")


def test_finds_each_file_of_a_folder_once_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.md", ".hidden/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files, errors = find_files([str(tmp_path), str(tmp_path / "a.txt")])
    assert [str(file.path.relative_to(tmp_path)) for file in files] == ["a.txt", "b.txt", "sub/c.md"]
    assert [file.explicit for file in files] == [True, False, False]
    assert errors == []


def test_expands_patterns_and_reports_missing_files(tmp_path: Path) -> None:
    for name in ("b.txt", "sub/a.txt", "sub/deep/c.txt", "sub/d.md", "odd[1].txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    files, errors = find_files(
        [f"{tmp_path}/**/[ac].txt", f"{tmp_path}/odd[1].txt", f"{tmp_path}/gone.txt", f"{tmp_path}/*.x"]
    )
    assert [file.path.name for file in files] == ["a.txt", "c.txt", "odd[1].txt"]
    assert ["gone.txt: No such file" in error.message for error in errors] == [True, False]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("bad.txt", b"ab\0cd", UnsupportedFormat, "binary file of an unknown format, not text; convert it"),
        ("bad.txt", b" \n ", InvalidInput, "no text"),
        ("bad.pdf", b"%PDF-1.7 nothing", InvalidInput, "not a PDF, or damaged"),
        ("bad.docx", b"PK nothing", InvalidInput, "not a DOCX file, or damaged"),
        ("bad.xlsx", b"PK\x03\x04 nothing", InvalidInput, "not a workbook, or damaged"),
        ("bad.zip", b"PK\x03\x04 nothing", UnsupportedFormat, "an archive; unpack it first"),
        ("bad.jsonl", b'{"text": "a"}\n{"text": ', InvalidInput, "line 2: not valid JSON"),
        ("bad.jsonl", b'{"text": [3]}\n', InvalidInput, "line 1: column 'text' must hold text, got list"),
        ("bad.csv", b"id,text\n", InvalidInput, "the table has no rows with text"),
        ("bad.csv", b'id,text\na,x\nb,"y\nc,z\n', InvalidInput, "row 2: unclosed quotation mark"),
        ("bad.csv", b'"id,text\na,x\n', InvalidInput, "header: unclosed quotation mark"),
        ("bad.csv", b"id,text,text\na,x,y\n", InvalidInput, "two columns are named 'text'"),
        ("bad.jsonl", b"[]\n", InvalidInput, "line 1: not a JSON object"),
    ],
)
def test_names_a_file_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes, error: type[InvalidInput], message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error, match=f"{name}: .*{message}"):
        read_documents(path, extract)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The café’s owner — Zoë — paid €3.", "cp1252"),
        ("The café is naïve.", "latin-1"),
        ("The café’s owner.", "utf-16"),
        ("Der Hörsaal über dem Café ist größer als früher, und die Bänke wurden für Gäste geöffnet.", "latin-1"),
    ],
)
def test_detects_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_documents(path, extract)[0].text == text


def test_converts_columns_of_numbers_or_truth_values(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    path.write_text(
        "text,price,paid,postcode,version,mixed,note\n"
        "Nut.,3,true,01234,1.9,7,null\nBolt.,,false,99999,1.10,none,\nScrew.,2.5,true,20000,2.0,true,8\n"
    )
    metas = [document.meta for document in read_documents(path, extract)]
    assert [meta.get("price") for meta in metas] == [3, None, 2.5]
    assert [meta["paid"] for meta in metas] == [True, False, True]
    # Converting any of these columns would change a value.
    assert [meta["postcode"] for meta in metas] == ["01234", "99999", "20000"]
    assert [meta["version"] for meta in metas] == ["1.9", "1.10", "2.0"]
    assert [meta.get("note") for meta in metas] == ["null", None, "8"]
    assert [meta["mixed"] for meta in metas] == ["7", "none", "true"]


def test_reads_a_document_from_each_row_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text('id;question;answer;year\nq1;When?;"In May;\nor June.";2020\nq2;Who?;;2021\n;Where?;In Oslo.;\n')
    documents = read_documents(path, extract, Columns(text="answer", title="question"), {"source": "faq"})
    assert [(d.text, d.title) for d in documents] == [("In May;\nor June.", "When?"), ("In Oslo.", "Where?")]
    assert documents[0].id == "q1"
    assert documents[1].id.startswith("faq.csv-")
    assert documents[0].meta == {"year": 2020, "source": "faq"}
    assert documents[0].uri != documents[1].uri
    path.write_text("\n,text,title\n0,Hello there.,A\n1,More.,B\n")
    assert [d.text for d in read_documents(path, extract)] == ["Hello there.", "More."]
    path.write_text("text\nOnly one.\n")
    (document,) = read_documents(path, extract)
    path.write_text("text\nOnly one.\nNow two.\n")
    assert read_documents(path, extract)[0].id == document.id
    path = tmp_path / "notes.jsonl"
    path.write_text('{"text": "One.", "n": 3, "tags": ["a"]}\n\n{"text": "Two.", "id": 7}\n')
    first, second = read_documents(path, extract)
    assert (first.text, first.meta, second.id) == ("One.", {"n": 3, "tags": '["a"]'}, "7")
    with pytest.raises(InvalidInput, match="2 texts"):
        read_text(path, extract)


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(b"<html><title>Note</title><body>piped</body></html>")

    monkeypatch.setattr(sys, "stdin", Piped)
    (document,) = read_documents(Path("-"), extract)
    assert (document.text, document.title, document.uri) == ("piped", "Note", None)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files, (error,) = find_files([str(tmp_path / "pipe")])
    assert not files
    assert error.message == f"{tmp_path / 'pipe'}: not a regular file; use '-' to read standard input"


def test_excluded_folders_and_lock_files_of_office_programs_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "indexes").mkdir()
    for name in ("a.txt", "~$a.docx", "indexes/catalog.txt"):
        (tmp_path / name).write_text(name)
    excluded = [tmp_path / "indexes"]
    for path in (tmp_path, tmp_path / "**" / "a.txt"):
        files, errors = find_files([str(path)], excluded)
        assert ([file.path for file in files], errors) == ([tmp_path / "a.txt"], [])
    files, errors = find_files([str(tmp_path / "**" / "*.txt")], excluded)
    assert [file.path for file in files] == [tmp_path / "a.txt"]
    files, errors = find_files([str(tmp_path / "indexes")], excluded)
    assert [file.path.name for file in files] == ["catalog.txt"], "a folder that is named is read"


def test_a_document_without_text_names_what_was_not_read(tmp_path: Path) -> None:
    (tmp_path / "plan.html").write_text("<html><body><iframe src='drawing.html'></iframe></body></html>")
    with pytest.raises(InvalidInput, match=r"plan\.html: the document has no text; not read: .*drawing\.html"):
        read_documents(tmp_path / "plan.html", extract)


def test_reads_the_message_of_a_mail_without_its_attachments(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Pump"
    message.set_content("The pump is oiled every six weeks.")
    message.add_attachment("The belt is red.", filename="belt.txt")
    (tmp_path / "pump.eml").write_bytes(message.as_bytes())
    assert read_text(tmp_path / "pump.eml", extract).text == "The pump is oiled every six weeks."
    (tmp_path / "rows.csv").write_text("text\nOne row.\nAnother row.\n")
    with pytest.raises(InvalidInput, match=r"rows\.csv: 2 texts, such as the rows of a table; add the file"):
        read_text(tmp_path / "rows.csv", extract)


def test_unfinished_downloads_are_left_out_of_folders(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt.part", "c.pdf.crdownload"):
        (tmp_path / name).write_text(name)
    files, _ = find_files([str(tmp_path)])
    assert [file.path.name for file in files] == ["a.txt"]
