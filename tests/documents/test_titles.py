"""Titles in the properties of files: the names of programs, files and templates are none."""

from __future__ import annotations

import pytest

from qa.documents.extract.pdf.titles import clean_title
from tests.documents.pdf_files import extract_one, painted

TEXT = "The harbour of Tarn. It was built in 1822."


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Handbook of the harbour", "Handbook of the harbour"),
        ("Microsoft Word - Handbook of the harbour.docx", "Handbook of the harbour"),
        ("Microsoft PowerPoint - The harbour of Tarn", "The harbour of Tarn"),
        ("handbook_of_the_harbour.pdf", "handbook of the harbour"),
        ("  Handbook\n of   the harbour ", "Handbook of the harbour"),
        ("Python 3.12", "Python 3.12"),
        ("The Harbour of Tarn.docx", "The Harbour of Tarn"),
        ("Test", ""),
        ("untitled", ""),
        ("Untitled-3", ""),
        ("Microsoft Word - x.docx", ""),
        ("Microsoft Word - Document1", ""),
        ("PowerPoint Presentation", ""),
        ("Slide 1", ""),
        ("Document (2)", ""),
        ("manual_v3.indd", ""),
        ("C:\\Users\\ada\\Desktop\\final.doc", ""),
        ("file:///tmp/print.html", ""),
        ("IEEE Paper Template in A4 (V1)", ""),
        ("2021-05-04", ""),
        ("", ""),
    ],
)
def test_junk_titles_are_cleaned_or_dropped(title: str, clean: str) -> None:
    assert clean_title(title, TEXT) == clean


def test_a_doubtful_title_that_the_text_has_stays() -> None:
    assert clean_title("Harbour Template", "Harbour Template. Fill in your name.") == "Harbour Template"


def test_a_pdf_has_no_junk_title() -> None:
    for title, expected in (("Slide 1", None), ("Microsoft Word - The harbour of Tarn.doc", "The harbour of Tarn")):
        data = painted(lambda canvas, title=title: [canvas.setTitle(title), canvas.drawString(80, 700, TEXT)])  # type: ignore[misc]
        assert extract_one(data, "a.pdf").title == expected
