"""The characters and words of PDF lines: raised numbers, spaced letters, ligatures, and text that is not seen."""

from __future__ import annotations

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from tests.documents.pdf_files import drawn, extract_one, painted, rectangles

Part = tuple[str, float, float]
SIZE = 12.0


def set_text(*parts: Part) -> bytes:
    """Return a PDF with a line of texts, each with its size and its distance from the base line."""

    def paint(canvas: Canvas) -> None:
        left = 60.0
        for text, size, rise in parts:
            canvas.setFont("Helvetica", size)
            canvas.drawString(left, 700 + rise, text)
            left += stringWidth(text, "Helvetica", size)

    return painted(paint)


def raised(text: str) -> Part:
    return text, 7.0, 5.0


def lowered(text: str) -> Part:
    return text, 7.0, -2.5


def plain(text: str) -> Part:
    return text, SIZE, 0.0


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([plain("A dish holds 10"), raised("6"), plain(" cells.")], "A dish holds 10^6 cells."),
        ([plain("It is 10"), raised("-6"), plain(" m wide.")], "It is 10^-6 m wide."),
        ([plain("An area of 12 m"), raised("2"), plain(", dry.")], "An area of 12 m^2, dry."),
        ([plain("An area of 12 km"), raised("2"), plain(".")], "An area of 12 km^2."),
        ([plain("Then x"), raised("n"), plain(" grows.")], "Then x^n grows."),
        ([plain("It was shown"), raised("12"), plain(" in Oslo.")], "It was shown 12 in Oslo."),
        ([plain("It ended."), raised("3"), plain(" Then it began.")], "It ended. 3 Then it began."),
        ([raised("3"), plain("See the annex.")], "3 See the annex."),
        ([plain("On the 5"), raised("th"), plain(" of May.")], "On the 5th of May."),
        ([plain("Use L"), raised("A"), plain("T"), lowered("E"), plain("X daily.")], "Use LATEX daily."),
        ([plain("Drink H"), lowered("2"), plain("O daily.")], "Drink H2O daily."),
        ([plain("It is 1010"), lowered("2"), plain(" in binary.")], "It is 1010_2 in binary."),
        ([plain("Take 1"), raised("1"), plain("/"), lowered("2"), plain(" cups.")], "Take 1 1/2 cups."),
    ],
)
def test_raised_and_lowered_numbers_do_not_join_the_text(parts: list[Part], text: str) -> None:
    assert extract_one(set_text(*parts), "a.pdf").text == text


def test_a_marked_exponent_has_the_rectangle_of_its_number() -> None:
    extracted = extract_one(set_text(plain("A dish holds 10"), raised("6"), plain(" cells.")), "a.pdf")
    (number,) = rectangles(extracted, "10^6")
    (cells,) = rectangles(extracted, "cells")
    assert number.left == pytest.approx(60 + stringWidth("A dish holds ", "Helvetica", SIZE), abs=1)
    assert number.right <= cells.left


def test_letters_that_are_drawn_apart_are_words() -> None:
    def paint(canvas: Canvas) -> None:
        for number, letter in enumerate("SAFETY RULES"):
            if letter != " ":
                canvas.drawString(60 + 16 * number, 700, letter)
        canvas.drawString(60, 660, "A B C D")

    assert extract_one(painted(paint), "a.pdf").text.split("\n\n") == ["SAFETY RULES", "A B C D"]


def test_a_gap_between_words_is_a_space() -> None:
    def paint(canvas: Canvas) -> None:
        text = canvas.beginText(60, 700)
        # In the array of this operator, a number moves the next string to the left by thousandths of the font size.
        text._code.append("/F1 12 Tf [(any)-240(remaining)] TJ")
        canvas.drawText(text)

    assert extract_one(painted(paint), "a.pdf").text == "any remaining"


@pytest.mark.parametrize(("dx", "later"), [(0.3, False), (0.3, True), (0.0, True)])
def test_a_line_that_is_drawn_twice_is_read_once(dx: float, later: bool) -> None:
    def paint(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "The gate closes at nine.")
        if later:
            canvas.drawString(60, 600, "No entry here.")
        canvas.drawString(60 + dx, 700, "The gate closes at nine.")

    assert extract_one(painted(paint), "a.pdf").text.count("The gate closes at nine.") == 1


def hidden(colour: float, mode: int, background: float | None = None) -> bytes:
    def paint(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "The fee is 12 crowns.")
        if background is not None:
            canvas.setFillGray(background)
            canvas.rect(50, 590, 300, 40, stroke=0, fill=1)
        canvas.setFillGray(colour)
        text = canvas.beginText(60, 600)
        text.setTextRenderMode(mode)
        text.textLine("The fee is 99 crowns.")
        canvas.drawText(text)

    return painted(paint)


def test_text_that_is_not_seen_is_dropped() -> None:
    for data in (hidden(1, 0), hidden(0, 3), hidden(1, 0, background=1)):
        assert extract_one(data, "a.pdf").text == "The fee is 12 crowns."


def test_white_text_on_a_dark_background_is_kept() -> None:
    assert "The fee is 99 crowns." in extract_one(hidden(1, 0, background=0.2), "a.pdf").text


def test_a_page_with_invisible_text_alone_keeps_it() -> None:
    def paint(canvas: Canvas) -> None:
        text = canvas.beginText(60, 600)
        text.setTextRenderMode(3)
        text.textLine("The fee is 99 crowns.")
        canvas.drawText(text)

    assert extract_one(painted(paint), "a.pdf").text == "The fee is 99 crowns."


def test_text_outside_the_page_is_dropped() -> None:
    def paint(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "On the page.")
        canvas.drawString(60, -40, "Printer's marks.")

    assert extract_one(painted(paint), "a.pdf").text == "On the page."


def replaced(text: str, code_points: str) -> bytes:
    """Return a PDF whose only line has a font that maps the letters of `text` to these code points."""
    data = drawn([text])
    mapping = "\n".join(
        f"<{ord(letter):02x}> <{code.encode('utf-16-be').hex()}>"
        for letter, code in zip(dict.fromkeys(text), code_points, strict=True)
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin begincmap /CMapName /X def 1 begincodespacerange <00> <ff> "
        f"endcodespacerange {len(code_points)} beginbfchar\n{mapping}\nendbfchar endcmap end"
    )
    stream = f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream".encode()
    number = int(data[data.index(b"/Size ") + 6 :].split(None, 1)[0])
    data = data.replace(b"/BaseFont /Helvetica", b"/BaseFont /Helvetica /ToUnicode %d 0 R" % number, 1)
    # The table of objects is wrong now, so a reader rebuilds it.
    start = data.rindex(b"xref", 0, data.rindex(b"startxref"))
    return data[:start] + b"%d 0 obj\n%s\nendobj\n" % (number, stream) + data[start:]


@pytest.mark.parametrize(
    ("code_points", "text"),
    [
        ("aﬁb", "afib"),
        ("a\u00adb", "ab"),
        ("a\u200bb", "ab"),
        ("\uf0b7ab", "•ab"),
        ("a\ue123b", "ab"),
    ],
)
def test_special_characters_are_searchable_text_or_dropped(code_points: str, text: str) -> None:
    assert extract_one(replaced("xyz", code_points), "a.pdf").text == text


def test_a_page_of_unknown_characters_is_reported_as_unread() -> None:
    letters = "abcdefghijklmnopqrstuvwxy"
    data = replaced(letters, "".join(chr(0xE000 + number) for number in range(len(letters) - 1)) + "y")
    extracted = extract_one(data, "a.pdf")
    (unread,) = extracted.unread
    assert (unread.page, "fonts" in unread.reason) == (1, True)
