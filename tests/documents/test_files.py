from __future__ import annotations

from pathlib import Path

import pytest

from qa.documents.files import documents_in, in_batches
from qa.errors import InvalidInput, UnsupportedFormat
from qa.types import Document


def test_line_ends_and_characters_stay(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo \xf0\x9f\x99\x82\n")
    (document,) = documents_in([path])
    assert document.text == "one\r\ntwo 🙂\n"
    assert document.title == "a b.txt"
    assert document.id.startswith("a-b.txt-")


def test_a_folder_gives_every_file_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.md", ".hidden/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [d.text for d in documents_in([tmp_path, tmp_path / "a.txt"])] == ["a.txt", "b.txt", "sub/c.md"]


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"ab\0cd", UnsupportedFormat, "binary"),
        (b"caf\xe9", InvalidInput, r"not UTF-8 \(byte 3"),
        (b" \n ", InvalidInput, "no text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes, error: type[InvalidInput], says: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(error, match=f"bad.txt: .*{says}"):
        documents_in([path])


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.txt: No such file"):
        documents_in([tmp_path / "gone.txt"])


def test_batches_keep_order_and_everything() -> None:
    documents = [Document(str(i), "x" * 200_000) for i in range(7)]
    batches = list(in_batches(documents))
    assert [d for batch in batches for d in batch] == documents
    assert [len(batch) for batch in batches] == [3, 3, 1]
