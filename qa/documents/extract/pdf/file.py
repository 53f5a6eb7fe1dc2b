"""Open PDFs with PDFium, which is not thread-safe: one PDF is open at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pypdfium2 as pdfium

from qa.documents.extract.pdf.properties import open_error

_LOCK = threading.Lock()


@contextmanager
def open_pdf(data: bytes, name: str) -> Iterator[pdfium.PdfDocument]:
    """Open a file, and close it at the end.

    Raises:
        InvalidInput: the file is damaged or encrypted with a password.
    """
    with _LOCK:
        try:
            pdf = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            raise open_error(error, name) from error
        with closing(pdf):
            yield pdf
