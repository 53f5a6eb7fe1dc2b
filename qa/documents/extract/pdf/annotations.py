"""Read what was added on top of a PDF page: values of form fields, notes and typed comments."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.pdf.geometry import Frame
from qa.documents.extract.pdf.placed_text import PlacedText

# Bounds the work for each page and list of choices.
_MAX_ANNOTATIONS, _MAX_OPTIONS = 5_000, 1_000
_MAX_BYTES = 1_000_000
_FLAG_HIDDEN, _FLAG_NO_VIEW = 1 << 1, 1 << 5
_CHECKED, _UNCHECKED = "[x]", "[ ]"
# Comments on the text. Their subject, such as the words that are struck out, is on the page.
_COMMENTS = frozenset(
    (
        raw.FPDF_ANNOT_TEXT,
        raw.FPDF_ANNOT_HIGHLIGHT,
        raw.FPDF_ANNOT_UNDERLINE,
        raw.FPDF_ANNOT_SQUIGGLY,
        raw.FPDF_ANNOT_STRIKEOUT,
        raw.FPDF_ANNOT_CARET,
        raw.FPDF_ANNOT_SQUARE,
        raw.FPDF_ANNOT_CIRCLE,
        raw.FPDF_ANNOT_STAMP,
    )
)

_Handle = ctypes.c_void_p


def read_annotations(page: pdfium.PdfPage, frame: Frame) -> Iterator[PlacedText]:
    """Yield the visible values, texts and comments of a page, in the coordinates of the view a viewer shows."""
    form = page.formenv.raw if page.formenv else None
    box = raw.FS_RECTF()
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            is_hidden = raw.FPDFAnnot_GetFlags(annotation) & (_FLAG_HIDDEN | _FLAG_NO_VIEW)
            if is_hidden or not raw.FPDFAnnot_GetRect(annotation, box):
                continue
            view = frame.view((box.left, box.bottom, box.right, box.top))
            if kind == raw.FPDF_ANNOT_WIDGET and form:
                value = _read_value(form, annotation)
                if value:
                    yield PlacedText(value, view, is_mark=value in (_CHECKED, _UNCHECKED))
            elif kind == raw.FPDF_ANNOT_FREETEXT:
                yield PlacedText(_contents(annotation), view)
            elif kind in _COMMENTS and (comment := _contents(annotation).strip()):
                yield PlacedText(comment, view, is_comment=True)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _read_value(form: _Handle, annotation: _Handle) -> str:
    """Return what a reader sees in a form field; empty for a button or an empty field."""
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return _CHECKED if raw.FPDFAnnot_IsChecked(form, annotation) else _UNCHECKED
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        count = min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MAX_OPTIONS)
        labels = [
            _read_string(raw.FPDFAnnot_GetOptionLabel, form, annotation, option)
            for option in range(count)
            if raw.FPDFAnnot_IsOptionSelected(form, annotation, option)
        ]
        return "\n".join(labels) or _read_string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD:
        return _read_string(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    return ""


def _contents(annotation: _Handle) -> str:
    return _read_string(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")


def _read_string(function: Callable[..., int], *arguments: object) -> str:
    """Return the string of a PDFium function that fills a buffer and returns its length in bytes."""
    length = min(function(*arguments, None, 0), _MAX_BYTES)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw.decode("utf-16-le", "replace").partition("\0")[0]
