"""Measure OCR on scans made from PDFs with text: share of words recognised, wrong words, and seconds a page.

    OMP_THREAD_LIMIT=1 python -m eval.extraction.ocr FOLDER [--pages N] [--dpi N] [--shade LIGHT]

Renders some pages of each PDF below FOLDER, tilts them by up to one degree, adds noise, and stores them as JPEG, as a
scanner does. Recall is the share of the page's words that are recognised, and precision the share of the recognised
words that are on the page. Words are runs of letters and digits, each counted as often as it occurs. Code and
formulas, whose words the model for English does not know, count too. Needs the extra `ocr`.
"""

from __future__ import annotations

import argparse
import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from PIL import Image

from qa.documents.extract.images.ocr import is_available, recognise_page

_WORD = re.compile(r"\w+")
_POINTS = 72
_MAX_TILT = 1.0
# Of 255.
_CONTRAST, _BLACK, _NOISE = 0.8, 30, 12
_JPEG_QUALITY = 60
# A page with fewer words says little.
_MIN_WORDS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of one page: numbers of words, processor seconds, and the recogniser's confidence."""

    path: Path
    page: int
    words: int
    recognised: int
    right: int
    seconds: float
    confidence: float

    def __str__(self) -> str:
        recall, precision = self.right / self.words, self.right / max(1, self.recognised)
        return (
            f"{self.path.name[:40]:40} {self.page:5} {self.words:6} {recall:7.3f} {precision:7.3f}"
            f" {self.seconds:6.2f} {self.confidence:6.2f}"
        )


def count_words(text: str) -> Counter[str]:
    """Return how often each word occurs in a text."""
    return Counter(_WORD.findall(text.casefold()))


def make_scan(page: pdfium.PdfPage, dpi: int, shade: float, seed: int) -> Image.Image:
    """Return a page as a scanner would store it; `shade` is the light at its darkest corner, 1 for even light."""
    random = np.random.default_rng(seed)
    image = page.render(scale=dpi / _POINTS).to_pil().convert("L")
    image = image.rotate(random.uniform(-_MAX_TILT, _MAX_TILT), fillcolor=255, resample=Image.Resampling.BICUBIC)
    pixels = np.asarray(image, np.float32) * _CONTRAST + _BLACK + random.normal(0, _NOISE, (image.height, image.width))
    light = np.linspace(1, shade, image.width)[None, :] * np.linspace(1, (1 + shade) / 2, image.height)[:, None]
    stored = io.BytesIO()
    Image.fromarray((pixels.clip(0, 255) * light).astype(np.uint8)).save(stored, "JPEG", quality=_JPEG_QUALITY)
    return Image.open(stored)


def measure(path: Path, pages: int, dpi: int, shade: float) -> Iterator[Row]:
    """Yield the measurements of a file's pages, evenly spaced."""
    with closing(pdfium.PdfDocument(path)) as pdf:
        for part in range(pages):
            number = len(pdf) * (part + 1) // (pages + 1)
            page = pdf[number]
            words = count_words(page.get_textpage().get_text_bounded())
            if words.total() < _MIN_WORDS:
                continue
            scan = make_scan(page, dpi, shade, number)
            start = time.process_time()
            recognised = recognise_page(scan, *page.get_size())
            seconds = time.process_time() - start
            found = count_words("\n".join(line.text for line in recognised.lines))
            right = (words & found).total()
            yield Row(path, number + 1, words.total(), found.total(), right, seconds, recognised.confidence)


def main() -> None:
    """Print a row for each page, and the totals."""
    parser = argparse.ArgumentParser(description="Measure OCR on scans made from PDFs with text.")
    parser.add_argument("folder", type=Path, help="folder with PDFs")
    parser.add_argument("--pages", type=int, default=2, help="number of pages of each file")
    parser.add_argument("--dpi", type=int, default=200, help="resolution of the scans")
    parser.add_argument("--shade", type=float, default=1.0, help="light at the darkest corner, from 0 to 1")
    options = parser.parse_args()
    if not is_available():
        parser.error("the extra is missing; run pip install 'spanlight[ocr]'")
    print(f"{'file':40} {'page':>5} {'words':>6} {'recall':>7} {'precis.':>7} {'CPU s':>6} {'conf.':>6}")
    rows = []
    for path in sorted(options.folder.rglob("*.pdf")):
        for row in measure(path, options.pages, options.dpi, options.shade):
            print(row, flush=True)
            rows.append(row)
    if not rows:
        parser.error("no page with text below this folder; name a folder with PDFs")
    words, recognised, right = (sum(getattr(row, name) for row in rows) for name in ("words", "recognised", "right"))
    seconds = sum(row.seconds for row in rows) / len(rows)
    print(
        f"{len(rows)} pages: recall {right / words:.4f}, precision {right / recognised:.4f}, {seconds:.2f} CPU s a page"
    )


if __name__ == "__main__":
    main()
