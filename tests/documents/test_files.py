from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from qa.documents.extract.formats import extract
from qa.documents.extract.tables import Columns
from qa.documents.files import documents_of, files_in, text_of
from qa.errors import InvalidInput, UnsupportedFormat


def test_line_ends_and_characters_stay(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo \xf0\x9f\x99\x82\n")
    (document,) = documents_of(path, extract)
    assert document.text == "one\r\ntwo 🙂\n"
    assert document.title == "a b.txt"
    assert document.id.startswith("a-b.txt-")


def test_a_folder_gives_every_file_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.md", ".hidden/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found, wrong = files_in([str(tmp_path), str(tmp_path / "a.txt")])
    assert [str(file.path.relative_to(tmp_path)) for file in found] == ["a.txt", "b.txt", "sub/c.md"]
    assert [file.chosen for file in found] == [True, False, False]
    assert wrong == []


def test_patterns_and_what_is_not_there(tmp_path: Path) -> None:
    for name in ("b.txt", "sub/a.txt", "sub/deep/c.txt", "sub/d.md", "odd[1].txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    found, wrong = files_in(
        [f"{tmp_path}/**/[ac].txt", f"{tmp_path}/odd[1].txt", f"{tmp_path}/gone.txt", f"{tmp_path}/*.x"]
    )
    assert [file.path.name for file in found] == ["a.txt", "c.txt", "odd[1].txt"]
    assert ["gone.txt: No such file" in error.message for error in wrong] == [True, False]


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("bad.txt", b"ab\0cd", UnsupportedFormat, "binary"),
        ("bad.txt", b" \n ", InvalidInput, "no text"),
        ("bad.pdf", b"%PDF-1.7 nothing", InvalidInput, "not a PDF that can be read"),
        ("bad.docx", b"PK nothing", InvalidInput, "not a DOCX file"),
        ("bad.xlsx", b"PK nothing", UnsupportedFormat, "convert it"),
        ("bad.md", b"---\na: [\n---\ntext", InvalidInput, "front matter is not YAML"),
        (
            "bad.csv",
            b"body,title\nx,y\n",
            InvalidInput,
            "row 1: no column 'text' for the text; there are: body, title",
        ),
        ("bad.csv", b"text,title\nx,y,z\n", InvalidInput, "row 1: more fields than columns"),
        ("bad.jsonl", b'{"text": "a"}\n{"text": ', InvalidInput, "line 2: not JSON"),
        ("bad.jsonl", b'{"text": 3}\n', InvalidInput, "line 1: text is int"),
        ("bad.csv", b"id,text\n1,x\n1,y\n", InvalidInput, "row 2: id '1' is that of an earlier row"),
        ("bad.csv", b"id,text\n", InvalidInput, "no row has a text"),
        ("bad.csv", b'id,text\na,x\nb,"y\nc,z\n', InvalidInput, "row 2: a quotation mark is left open"),
        ("bad.csv", b'"id,text\na,x\n', InvalidInput, "the names of the columns: a quotation mark is left open"),
        ("bad.csv", b"id,text,text\na,x,y\n", InvalidInput, "two columns are called 'text'"),
        ("bad.csv", b"id,text\n../x,y\n", InvalidInput, "row 1: id: an id has no slashes"),
        ("bad.csv", b"text,html\nx," + b"y" * 20_000, InvalidInput, "row 1: meta.html: names of at most"),
        ("bad.jsonl", b"[]\n", InvalidInput, "line 1: not a JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, error: type[InvalidInput], says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error, match=f"{name}: .*{says}"):
        documents_of(path, extract)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The café’s owner — Zoë — paid €3.", "cp1252"),
        ("The café is naïve.", "latin-1"),
        ("The café’s owner.", "utf-16"),
        ("Der Hörsaal über dem Café ist größer als früher, und die Bänke wurden für Gäste geöffnet.", "latin-1"),
    ],
)
def test_encodings_are_found_out(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert documents_of(path, extract)[0].text == text


def test_a_column_of_numbers_or_truth_values_has_them_as_such(tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    path.write_text(
        "text,price,paid,postcode,version,mixed,note\n"
        "Nut.,3,true,01234,1.9,7,null\nBolt.,,false,99999,1.10,none,\nScrew.,2.5,true,20000,2.0,true,8\n"
    )
    meta = [document.meta for document in documents_of(path, extract)]
    assert [one.get("price") for one in meta] == [3, None, 2.5]
    assert [one["paid"] for one in meta] == [True, False, True]
    # As text, nothing is lost.
    assert [one["postcode"] for one in meta] == ["01234", "99999", "20000"]
    assert [one["version"] for one in meta] == ["1.9", "1.10", "2.0"]
    assert [one.get("note") for one in meta] == ["null", None, "8"]
    assert [one["mixed"] for one in meta] == ["7", "none", "true"]


def test_a_table_gives_a_document_for_each_row(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text('id;question;answer;year\nq1;When?;"In May;\nor June.";2020\nq2;Who?;;2021\n;Where?;In Oslo.;\n')
    made = documents_of(path, extract, Columns(text="answer", title="question"), {"source": "faq"})
    assert [(d.text, d.title) for d in made] == [("In May;\nor June.", "When?"), ("In Oslo.", "Where?")]
    assert made[0].id == "q1"
    assert made[1].id.startswith("faq.csv-")
    assert made[0].meta == {"year": 2020, "source": "faq"}
    assert made[0].uri != made[1].uri
    path.write_text("\n,text,title\n0,Hello there.,A\n1,More.,B\n")
    assert [d.text for d in documents_of(path, extract)] == ["Hello there.", "More."]
    path.write_text("text\nOnly one.\n")
    (one,) = documents_of(path, extract)
    path.write_text("text\nOnly one.\nNow two.\n")
    assert documents_of(path, extract)[0].id == one.id
    path = tmp_path / "notes.jsonl"
    path.write_text('{"text": "One.", "n": 3, "tags": ["a"]}\n\n{"text": "Two.", "id": 7}\n')
    one, two = documents_of(path, extract)
    assert (one.text, one.meta, two.id) == ("One.", {"n": 3, "tags": '["a"]'}, "7")
    with pytest.raises(InvalidInput, match="2 texts"):
        text_of(path, extract)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(b"<html><title>Note</title><body>piped</body></html>")

    monkeypatch.setattr(sys, "stdin", Piped)
    (document,) = documents_of(Path("-"), extract)
    assert (document.text, document.title, document.uri) == ("piped", "Note", None)
