"""Books: chapters in reading order with the titles of the table of contents as sections."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.epub.book import extract_epub
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge
from qa.types import Mark, mark_at
from tests.documents.epub_files import book, nav, ncx, page


def extract(data: bytes) -> ExtractedText:
    return extract_epub(data, "a.epub")


def sections(document: ExtractedText, *words: str) -> list[str | None]:
    marks = [mark_at(document.marks, document.text.index(word)) for word in words]
    return [mark.section if mark else None for mark in marks]


def unread(document: ExtractedText) -> list[str]:
    return [part.reason for part in document.unread]


def test_chapters_are_in_the_order_of_the_spine() -> None:
    files = {"a.xhtml": page("<p>Second.</p>"), "b.xhtml": page("<p>First.</p>"), "c.xhtml": page("<p>Unused.</p>")}
    assert extract(book(files, spine=["b.xhtml", "a.xhtml", "b.xhtml"])).text == "First.\n\nSecond."


def test_reads_the_metadata() -> None:
    document = extract(
        book(
            {"a.xhtml": page("<p>Text")},
            metadata="<dc:title>The pump</dc:title><dc:title>A series</dc:title><dc:creator>Mara</dc:creator>"
            "<dc:creator>Odd</dc:creator><dc:language>en</dc:language><dc:publisher>Pump press</dc:publisher>"
            "<dc:date>2024-05-01</dc:date><dc:identifier>other</dc:identifier>"
            '<dc:identifier id="id">isbn</dc:identifier>',
        )
    )
    assert document.title == "The pump"
    assert document.meta == {
        "author": "Mara, Odd",
        "language": "en",
        "publisher": "Pump press",
        "date": "2024-05-01",
        "identifier": "isbn",
    }


@pytest.mark.parametrize("kind", ["nav.xhtml", "toc.ncx"])
def test_the_titles_of_the_table_of_contents_are_the_sections(kind: str) -> None:
    entries = (("a.xhtml", "1. Oil"), ("b%20c.xhtml#start", "2. Belts"), ("b%20c.xhtml#tension", "2.1 Tension"))
    contents = nav(*entries) if kind == "nav.xhtml" else ncx(*entries)
    files = {
        kind: contents,
        "a.xhtml": page("<h1>Oil</h1><p>Every week.</p><h2>Why</h2><p>It dries.</p>"),
        "b c.xhtml": page(
            '<section id="start"><h1>Belts</h1><p>Two of them.</p><section id="tension"><h2>Tension</h2><p>Ten bar.</p>'
            "</section></section>"
        ),
        "d.xhtml": page("<p>Continued.</p>"),
        "e.xhtml": page("<p>Before.</p><h1>Afterword</h1><p>Thanks.</p>"),
    }
    document = extract(book(files))
    assert sections(document, "Oil", "Every", "dries", "Belts", "Two", "Ten", "Continued", "Before", "Thanks") == [
        "1. Oil",
        "1. Oil",
        "1. Oil",
        "2. Belts",
        "2. Belts",
        "2.1 Tension",
        "2.1 Tension",
        "2.1 Tension",
        "Afterword",
    ]


def test_the_headings_are_the_sections_where_the_table_of_contents_only_names_the_book() -> None:
    files = {
        "nav.xhtml": nav(("a.xhtml", "Start reading")),
        "a.xhtml": page("<h1>Oil</h1><p>Every week.</p><h1>Belts</h1><p>Two.</p>"),
    }
    assert sections(extract(book(files)), "Every", "Two") == ["Oil", "Belts"]


def test_a_table_of_contents_and_an_index_are_marked() -> None:
    files = {
        "nav.xhtml": nav(("a.xhtml", "Oil")),
        "toc.xhtml": page(
            "<h1>In this book</h1>" + "".join(f'<p><a href="{name}.xhtml">Chapter {name}</a></p>' for name in "abcde")
        ),
        "a.xhtml": page('<h1>Oil</h1><p>Every week, see <a href="b.xhtml">belts</a>.</p>'),
        "index.xhtml": page('<section epub:type="index"><h1>Index</h1><p>Oil, 1, 12</p></section>'),
    }
    document = extract(book(files, spine=["nav.xhtml", "toc.xhtml", "a.xhtml", "index.xhtml"]))
    kinds = {
        words: mark_at(document.marks, document.text.index(words))
        for words in ("Contents", "In this", "Every", "1, 12")
    }
    assert {words: mark and mark.kind for words, mark in kinds.items()} == {
        "Contents": "contents",
        "In this": "contents",
        "Every": "text",
        "1, 12": "contents",
    }


def test_a_page_that_the_guide_calls_contents_is_marked_only_if_it_is() -> None:
    linked = page('<p><a href="b.xhtml">Oil</a> 1</p>')
    guide = '<reference type="toc" href="a.xhtml"/>'
    document = extract(book({"a.xhtml": linked, "b.xhtml": page("<p>Text")}, guide=guide))
    assert document.marks == (Mark(0, kind="contents"), Mark(document.text.index("Text")))
    assert extract(book({"a.xhtml": page("<p>A long text of the book.</p>")}, guide=guide)).marks == ()


def test_notes_and_title_pages_are_kept() -> None:
    files = {
        "a.xhtml": page(
            "<header><h1>The pump</h1><p>By Mara</p></header>"
            '<p>Every week<a epub:type="noteref" href="#n1"><sup>1</sup></a> or '
            '<span epub:type="pagebreak">12</span>so.</p>'
            '<aside epub:type="footnote" id="n1"><p>In summer only.</p></aside><footer><p>Press of 1902</p></footer>'
        )
    }
    text = extract(book(files)).text
    assert text.startswith("The pump\n\nBy Mara\n\nEvery week")
    assert text.endswith(" or so.\n\nIn summer only.\n\nPress of 1902")


@pytest.mark.parametrize("name", ["footer", "copyright", "colophon", "sidebar", "navbar", "search", "cookie-notice"])
def test_a_part_of_a_book_is_kept_whatever_its_names_are(name: str) -> None:
    parts = f'<div class="{name}"><a href="b.xhtml">Mara</a></div><div id="{name}">40 kg</div><p hidden="">Ten bar.</p>'
    style = "<style>.late { display: none }</style>"
    files = {"a.xhtml": page(f'{style}<p>Text.</p>{parts}<p class="late">Last.</p><p style="display:none">End.</p>')}
    assert extract(book(files)).text == "Text.\n\nMara\n\n40 kg\n\nTen bar.\n\nLast.\n\nEnd."


def test_keeps_tables_and_lists() -> None:
    table = "<table><tr><th>Part</th><th>Price</th></tr><tr><td>Belt</td><td>3</td></tr></table>"
    files = {"a.xhtml": page("<p>Text.</p>"), "b.xhtml": page(f"<ul><li>one</li><li>two</li></ul>{table}")}
    document = extract(book(files))
    assert document.text == "Text.\n\n- one\n- two\n\nPart | Price\nBelt | 3"
    assert [document.text[table.start :] for table in document.tables] == ["Part | Price\nBelt | 3"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (page("<p>caf&eacute;&nbsp;&amp; bar &unknown;</p>").encode(), "café & bar &unknown;"),
        (page("<p>café</p>").encode("utf-16"), "café"),
        (page("<p>café</p>").replace("utf-8", "iso-8859-1").encode("latin-1"), "café"),
        (b"<html><body><p>Not closed<br>and &amp soup<p>Two", "Not closed\nand & soup\n\nTwo"),
        (page("<p>a<a id='x'/>b <i/>c</p><div/><p>d</p>").encode(), "ab c\n\nd"),
        (page("<x:p xmlns:x='http://www.w3.org/1999/xhtml'>prefixed</x:p>").encode(), "prefixed"),
    ],
)
def test_reads_pages_in_any_form(content: bytes, text: str) -> None:
    assert extract(book({"a.xhtml": content})).text == text


def test_reports_pages_that_are_pictures_or_missing() -> None:
    files: dict[str, str | bytes] = {
        "cover.xhtml": page('<img src="cover.jpg" alt=""/>'),
        "a.xhtml": page("<p>Text.</p>"),
        "plan.jpg": b"...",
        "drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg"><text>Drawn words</text></svg>',
        "blank.xhtml": page(""),
    }
    data = book(files, spine=["cover.xhtml", "a.xhtml", "plan.jpg", "drawing.svg", "blank.xhtml"])
    document = extract(data)
    assert document.text == "Text.\n\nDrawn words"
    assert unread(document) == ["pictures without text: cover.xhtml, plan.jpg"]
    missing = extract(data.replace(b"OEBPS/plan.jpg", b"OEBPS/gone.jpg"))
    assert unread(missing) == ["plan.jpg is missing or damaged", "pictures without text: cover.xhtml"]


def test_rejects_a_book_of_pictures() -> None:
    with pytest.raises(InvalidInput, match=r"a\.epub: pictures without text: a\.xhtml; save the book as PDF"):
        extract(book({"a.xhtml": page('<img src="a.jpg"/>')}))


@pytest.mark.parametrize(
    "algorithm", ["http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.idpf.org/2008/embedding"]
)
def test_rejects_only_books_whose_text_is_encrypted(algorithm: str) -> None:
    def encryption(path: str) -> dict[str, str | bytes]:
        return {
            "META-INF/encryption.xml": '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
            f'<EncryptionMethod Algorithm="{algorithm}"/><CipherData><CipherReference URI="{path}"/></CipherData>'
            "</EncryptedData></encryption>"
        }

    files = {"a.xhtml": page("<p>Text.</p>")}
    assert extract(book(files, extra=encryption("OEBPS/font.otf"))).text == "Text."
    if "aes" in algorithm:
        with pytest.raises(InvalidInput, match=r"a\.epub: the book is encrypted \(copy protection, DRM\)"):
            extract(book(files, extra=encryption("OEBPS/a.xhtml")))


@pytest.mark.parametrize("data", [b"", b"PK", b"text"])
def test_rejects_what_is_not_an_archive(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"a\.epub: not an EPUB, or damaged \(.*\); download it again"):
        extract(data)


def test_rejects_an_archive_without_a_package() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(InvalidInput, match="no package document"):
        extract(file.getvalue())


def test_limits_the_unpacked_size() -> None:
    data = book({"a.xhtml": page("<p>Text.</p>"), "b.xhtml": b" " * 100_000_000})
    assert len(data) < 200_000
    with pytest.raises(TooLarge, match=r"a\.epub: over 100,000,000 bytes when unpacked; split the book"):
        extract(data)


def test_entities_of_a_page_do_not_expand() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><html><body><p>Text &b;</p></body></html>'
    assert "lol" not in extract(book({"a.xhtml": bomb})).text


VALID = book(
    {
        "nav.xhtml": nav(("a.xhtml", "Oil"), ("a.xhtml#x", "Belts")),
        "a.xhtml": page("<h1>Oil</h1><p id='x'>Every week."),
    },
    spine=["nav.xhtml", "a.xhtml"],
)
CONTENT = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<h1>", "</h1>", "<nav>", "<a href='a'>", "<aside>", "text", "&nbsp;", "<!--", "<svg>"]
    )
).map("".join)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_document_or_an_error(data: st.DataObject) -> None:
    source = bytearray(VALID[: data.draw(st.integers(0, len(VALID)))] if data.draw(st.booleans()) else VALID)
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(source)))
        source[position : position + 2] = data.draw(st.binary(min_size=2, max_size=2))
    with suppress(QAError):
        assert extract(bytes(source)).text.strip()


@given(CONTENT, CONTENT, CONTENT)
@settings(max_examples=200, deadline=None)
def test_any_content_gives_a_document_or_an_error(chapter: str, contents: str, metadata: str) -> None:
    files = {
        "nav.xhtml": page(contents).encode("utf-8", "replace"),
        "a.xhtml": page(chapter).encode("utf-8", "replace"),
    }
    with suppress(QAError):
        document = extract(book(files, metadata=metadata.encode("utf-8", "replace").decode()))
        assert document.text.strip()
        assert [mark.start for mark in document.marks] == sorted(mark.start for mark in document.marks)
