"""Read the straight lines that a PDF page draws, which are the borders of its tables."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from qa.documents.extract.pdf.grids import Rule, Rules

# A page with more objects than this is a drawing; its lines are not read, to bound the time.
_MAX_OBJECTS, _MAX_PATHS, _MAX_SEGMENTS = 20_000, 2_000, 1_000
# Content may be nested in forms.
_MAX_DEPTH = 3
# In points: how far the ends of a straight line may differ, and the shortest line of a table.
_SLANT, _MIN_LENGTH = 0.7, 4.0
# Fills at least this bright, of 255, are not visible on paper.
_WHITE = 250

_Matrix = tuple[float, float, float, float, float, float]
_Point = tuple[float, float]


def read_rules(page: pdfium.PdfPage) -> Rules:
    """Return the horizontal and vertical lines of a page, in points from its lower left corner.

    The edges of filled rectangles are lines too: cells have background colours, and many programs draw a line as a
    thin rectangle.
    """
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for path, matrix in _find_paths(page):
        for (x0, y0), (x1, y1) in _edges(path, matrix, x, y):
            if abs(y0 - y1) <= _SLANT and abs(x0 - x1) >= _MIN_LENGTH:
                horizontal.append(Rule((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
            elif abs(x0 - x1) <= _SLANT and abs(y0 - y1) >= _MIN_LENGTH:
                vertical.append(Rule((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
    return Rules(horizontal, vertical)


def _find_paths(page: pdfium.PdfPage) -> Iterator[tuple[ctypes.c_void_p, _Matrix]]:
    """Yield the visible paths of a page, each with the matrix from its coordinates to those of the page."""
    visited = paths = 0
    pending: list[tuple[ctypes.c_void_p, Callable[..., int], Callable[..., ctypes.c_void_p], _Matrix, int]] = [
        (page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0)
    ]
    while pending:
        container, count_objects, get_object, outer, depth = pending.pop()
        for index in range(count_objects(container)):
            visited += 1
            if visited > _MAX_OBJECTS or paths > _MAX_PATHS:
                return
            item = get_object(container, index)
            kind = raw.FPDFPageObj_GetType(item)
            if kind == raw.FPDF_PAGEOBJ_PATH and _is_visible(item):
                paths += 1
                yield item, _multiply(_matrix(item), outer)
            elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
                inner = _multiply(_matrix(item), outer)
                pending.append((item, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, inner, depth + 1))


def _is_visible(path: ctypes.c_void_p) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    if stroke.value:
        return True
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not fill.value or not raw.FPDFPageObj_GetFillColor(path, red, green, blue, alpha):
        return bool(fill.value)
    return alpha.value > 0 and min(red.value, green.value, blue.value) < _WHITE


def _edges(
    path: ctypes.c_void_p, matrix: _Matrix, x: ctypes.c_float, y: ctypes.c_float
) -> Iterator[tuple[_Point, _Point]]:
    """Yield the straight parts of a path, as pairs of points on the page.

    Args:
        path: the path.
        matrix: from the path's coordinates to those of the page.
        x: receives coordinates from PDFium; shared by all paths, which is faster.
        y: the same.
    """
    count = raw.FPDFPath_CountSegments(path)
    if count > _MAX_SEGMENTS:
        return
    get_segment, get_type, get_close = (
        raw.FPDFPath_GetPathSegment,
        raw.FPDFPathSegment_GetType,
        raw.FPDFPathSegment_GetClose,
    )
    get_point, x_reference, y_reference = raw.FPDFPathSegment_GetPoint, ctypes.byref(x), ctypes.byref(y)
    first = previous = (0.0, 0.0)
    for index in range(count):
        segment = get_segment(path, index)
        kind = get_type(segment)
        if kind == raw.FPDF_SEGMENT_BEZIERTO and index == 1:
            # Most curves are letters or parts of a picture.
            return
        get_point(segment, x_reference, y_reference)
        point = _transform((x.value, y.value), matrix)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            first = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield previous, point
        if get_close(segment):
            yield point, first
        previous = point


def _matrix(item: ctypes.c_void_p) -> _Matrix:
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, matrix):
        return 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _multiply(inner: _Matrix, outer: _Matrix) -> _Matrix:
    a, b, c, d, e, f = inner
    (e, f), (ax, ay), (cx, cy) = (
        _transform((e, f), outer),
        _transform((a, b), (*outer[:4], 0.0, 0.0)),
        _transform((c, d), (*outer[:4], 0.0, 0.0)),
    )
    return ax, ay, cx, cy, e, f


def _transform(point: _Point, matrix: _Matrix) -> _Point:
    a, b, c, d, e, f = matrix
    return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f
