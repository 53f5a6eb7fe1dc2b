"""Read the characters of a PDF page with PDFium, by the direction in which they run."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi
from typing import cast

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.office.symbols import INVISIBLE, symbol
from qa.documents.extract.pdf.geometry import Box, Frame
from qa.documents.extract.pdf.layout import Line
from qa.documents.extract.pdf.lines import Run, build_lines, measure_run
from qa.documents.extract.pdf.pictures import Drawings

# PDFium marks the end of a line, and a line end where a hyphen breaks a word.
_HYPHENS = ("\x02", "\ufffe")
_RUN = re.compile(r"[^\n\r\x02\ufffe]+")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_UNKNOWN = "\ufffd"
# Printable characters that stand for other text, or for none.
_TO_DECODE = re.compile(f"[{''.join(_LIGATURES)}{_UNKNOWN}]")
# In radians: text this far from a quarter turn is oblique.
_MAX_TILT = 0.1
# Fills at least this bright, of 255, are not visible on paper.
_WHITE = 250
_FONT_NAME_LENGTH = 100
_SYMBOL_FONTS = ("wingdings 2", "wingdings 3", "wingdings")


@dataclass(frozen=True, slots=True)
class Direction:
    """How text runs on the page that a viewer shows.

    Attributes:
        turns: number of quarter turns clockwise after which it runs from left to right.
        is_oblique: whether it runs in none of the four directions.
        is_recognised: whether it is an invisible text over a picture, as OCR programs add it.
    """

    turns: int = 0
    is_oblique: bool = False
    is_recognised: bool = False


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page.

    Attributes:
        lines: the lines of each direction, in the coordinates of the page turned by its quarter turns.
        unknown: number of characters whose fonts do not say what they are.
    """

    lines: dict[Direction, list[Line]]
    unknown: int


def read_text(page: pdfium.PdfPage, frame: Frame, drawings: Drawings) -> PageText:
    """Return the text of a page, without what is outside the page, or invisible while other text is not.

    Args:
        page: the page.
        frame: the view of the page that a viewer shows.
        drawings: what else the page draws. Invisible text is kept on top of it.
    """
    text_page = page.get_textpage()
    try:
        reader = _Reader(text_page, frame, drawings)
        runs: dict[Direction, list[Run]] = {}
        unseen: dict[Direction, list[Run]] = {}
        for text, numbers, ends_mid_word in reader.split_runs():
            placed = reader.place(text, numbers)
            if placed:
                direction, is_seen = placed
                run = measure_run(
                    text,
                    numbers,
                    reader.places(direction),
                    ends_mid_word=ends_mid_word,
                    is_oblique=direction.is_oblique,
                )
                (runs if is_seen else unseen).setdefault(direction, []).append(run)
        # Programs that only add what a search finds may draw all text invisibly.
        runs = runs or unseen
        lines = {direction: build_lines(runs[direction], reader.places(direction)) for direction in runs}
        return PageText(lines, reader.unknown)
    finally:
        text_page.close()


class _Places:
    """The places of characters, in the coordinates of a view."""

    def __init__(self, text_page: ctypes.c_void_p, view: Frame) -> None:
        self._text_page = text_page
        self._view = view
        self._is_identity = view.is_identity
        self._box = raw.FS_RECTF()
        self._reference = ctypes.byref(self._box)

    def boxes_of(self, text: str, numbers: Sequence[int]) -> list[Box | None]:
        """Return the boxes of characters; None for spaces."""
        page, box, reference, get_box = self._text_page, self._box, self._reference, raw.FPDFText_GetLooseCharBox
        boxes: list[Box | None] = []
        for character, number in zip(text, numbers, strict=True):
            if character == " ":
                boxes.append(None)
            else:
                get_box(page, number, reference)
                boxes.append((box.left, box.bottom, box.right, box.top))
        return boxes if self._is_identity else [box and self._view.view(box) for box in boxes]

    def baseline_of(self, number: int) -> float:
        """Return the height of the base line of a character."""
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(self._text_page, number, x, y)
        return self._view.view((x.value, y.value, x.value, y.value))[1]


class _Reader:
    def __init__(self, text_page: pdfium.PdfTextPage, frame: Frame, drawings: Drawings) -> None:
        self._text_page = text_page.raw
        self._frame = frame
        self._drawings = drawings
        self._page_places = _Places(self._text_page, Frame())
        self._places: dict[int, _Places] = {}
        self.unknown = 0

    def places(self, direction: Direction) -> _Places:
        """Return the places of the characters that run in a direction."""
        if direction.turns not in self._places:
            self._places[direction.turns] = _Places(self._text_page, self._frame.turn(direction.turns))
        return self._places[direction.turns]

    def split_runs(self) -> Iterator[tuple[str, Sequence[int], bool]]:
        """Yield the characters between line ends, their numbers, and whether the last word continues after them."""
        page, get_code = self._text_page, raw.FPDFText_GetUnicode
        codes = [get_code(page, number) for number in range(raw.FPDFText_CountChars(page))]
        text = "".join([chr(code) if code <= sys.maxunicode else _UNKNOWN for code in codes])
        for match in _RUN.finditer(text):
            run, numbers = match[0], cast(Sequence[int], range(match.start(), match.end()))
            if not run.isprintable() or _TO_DECODE.search(run):
                run, numbers = self._decode(run, match.start())
            if run and not run.isspace():
                yield run, numbers, text[match.end() : match.end() + 1] in _HYPHENS

    def _decode(self, run: str, start: int) -> tuple[str, list[int]]:
        """Return a run with only printable characters and spaces, and the numbers of its characters."""
        texts: list[str] = []
        numbers: list[int] = []
        previous = ""
        for number, character in enumerate(run, start):
            text = character if " " <= character <= "~" else self._decode_character(previous, character, number)
            texts.append(text)
            numbers += [number] * len(text)
            previous = character
        return "".join(texts), numbers

    def _decode_character(self, previous: str, character: str, number: int) -> str:
        """Return the text of a character; empty if it has none."""
        if character in _LIGATURES:
            return _LIGATURES[character]
        if "\ue000" <= character <= "\uf8ff":
            is_symbol = "\uf000" <= character <= "\uf0ff"
            text = symbol(self._font_of(number), ord(character)) if is_symbol else ""
            self.unknown += not text
            return text
        if "\ud800" <= character <= "\udfff":
            is_pair = "\ud800" <= previous <= "\udbff" <= character
            return (previous + character).encode("utf-16", "surrogatepass").decode("utf-16") if is_pair else ""
        if character.isspace():
            return " "
        if character.isprintable() and character != _UNKNOWN:
            return character
        self.unknown += ord(character) not in INVISIBLE
        return ""

    def _font_of(self, number: int) -> str:
        """Return the name of a character's font if it is a symbol font, and that of the most common one otherwise."""
        buffer, flags = ctypes.create_string_buffer(_FONT_NAME_LENGTH), ctypes.c_int()
        raw.FPDFText_GetFontInfo(self._text_page, number, buffer, _FONT_NAME_LENGTH, flags)
        name = buffer.value.decode("latin-1").rpartition("+")[2].casefold()
        name = name.replace("-", "").replace(" ", "")
        return next((font for font in _SYMBOL_FONTS if name.startswith(font.replace(" ", ""))), "symbol")

    def place(self, text: str, numbers: Sequence[int]) -> tuple[Direction, bool] | None:
        """Return the direction of a run and whether it is seen; None if it is outside the page."""
        visible = [number for character, number in zip(text, numbers, strict=True) if character != " "]
        middle = visible[len(visible) // 2]
        first, last = cast(Sequence[Box], self._page_places.boxes_of("..", (visible[0], visible[-1])))
        box = (min(first[0], last[0]), min(first[1], last[1]), max(first[2], last[2]), max(first[3], last[3]))
        left, bottom, right, top = self._frame.view(box)
        width, height = self._frame.width, self._frame.height
        if width > 0 and height > 0 and (right < 0 or top < 0 or left > width or bottom > height):
            return None
        is_hidden, is_white = self._visibility(middle)
        is_seen = self._drawings.shows(box) if is_white else not is_hidden or self._drawings.has_behind(box)
        quarters = -raw.FPDFText_GetCharAngle(self._text_page, middle) / (pi / 2)
        is_oblique = abs(quarters - round(quarters)) > _MAX_TILT
        turns = (0 if is_oblique else round(quarters) - self._frame.turns) % 4
        return Direction(turns, is_oblique, is_hidden), is_seen

    def _visibility(self, number: int) -> tuple[bool, bool]:
        """Return whether a character is drawn without ink, and whether it is white."""
        text = raw.FPDFText_GetTextObject(self._text_page, number)
        if not text:
            return False, False
        mode = raw.FPDFTextObj_GetTextRenderMode(text)
        if mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP):
            return True, False
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        is_filled = mode == raw.FPDF_TEXTRENDERMODE_FILL and raw.FPDFPageObj_GetFillColor(text, red, green, blue, alpha)
        return False, bool(is_filled) and min(red.value, green.value, blue.value) >= _WHITE


def page_frame(page: pdfium.PdfPage) -> Frame:
    """Return the view of a page that a viewer shows."""
    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, box)
    return Frame(box.left, box.bottom, box.right, box.top, page.get_rotation() // 90 % 4)
