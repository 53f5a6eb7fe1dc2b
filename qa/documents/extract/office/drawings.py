"""Text of DrawingML, which Word and PowerPoint share: shapes, charts and SmartArt diagrams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from qa.documents.extract.office.equations import read_omml
from qa.documents.extract.office.symbols import INVISIBLE, replace_symbols
from qa.documents.extract.office.xml_tree import Element, alternative, children, find, find_all, integer, qn
from qa.documents.extract.scripts import subscript, superscript

_SERIES = qn("c:ser")
# Enough for any chart that a reader can read; the positions of points are numbers that a file may set freely.
MAX_POINTS = 2_000
"""The most categories of a chart that are read."""
_MAX_DEPTH = 20
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DAY_ZERO, _MAX_DAYS = datetime(1899, 12, 30), 2_900_000


def paragraph_text(paragraph: Element) -> str:
    """Return the text of an `a:p` element."""
    parts: list[str] = []
    for child in children(paragraph):
        if child.tag == qn("mc:AlternateContent"):
            # PowerPoint stores equations this way.
            chosen = alternative(child)
            parts += [] if chosen is None else map(_equation_text, children(chosen))
        elif child.tag in (qn("a:r"), qn("a:fld")):
            parts.append(_run_text(child, parts[-1] if parts else ""))
        elif child.tag == qn("a:br"):
            parts.append("\n")
        else:
            parts.append(_equation_text(child))
        parts = parts if parts[-1:] != [""] else parts[:-1]
    return "".join(parts).strip()


def _run_text(run: Element, before: str) -> str:
    field = run.get("type") or ""
    if field == "slidenum":
        return ""
    text = "".join(part.text or "" for part in find_all(run, "a:t")).translate(INVISIBLE)
    properties = find(run, "a:rPr")
    font = find(properties, "a:sym")
    text = replace_symbols(text, "" if font is None else font.get("typeface", ""))
    baseline = integer(None if properties is None else properties.get("baseline"))
    if baseline:
        return superscript(before, text) if baseline > 0 else subscript(before, text)
    return text


def _equation_text(element: Element) -> str:
    equations = [*element.iter(qn("m:oMathPara"))] or [*element.iter(qn("m:oMath"))]
    return " ".join(read_omml(equation, lambda part: part.text or "") for equation in equations)


def body_text(body: Element | None) -> str:
    """Return the paragraphs of a text body, one line each."""
    return "\n".join(filter(None, map(paragraph_text, find_all(body, "a:p"))))


class Chart(NamedTuple):
    """A chart.

    Attributes:
        title: its title; empty if it has none.
        rows: its values: a row for each category below a header with the names of the series.
        left_out: number of categories beyond the limit, which have no row.
    """

    title: str
    rows: list[list[str]]
    left_out: int = 0


def read_chart(root: Element) -> Chart:
    """Return the stored values of a chart; without any, it has no rows."""
    title = " ".join(filter(None, map(paragraph_text, _paragraphs(find(root, "c:chart/c:title")))))
    series = [*root.iter(_SERIES)]
    categories: dict[int, str] = {}
    columns: list[tuple[str, dict[int, str]]] = []
    for element in series:
        names = _points(find(element, "c:cat")) or _points(find(element, "c:xVal"))
        for place, name in names.items():
            categories.setdefault(place, name)
        values = _points(find(element, "c:val")) or _points(find(element, "c:yVal"))
        columns.append((" ".join(_points(find(element, "c:tx")).values()), values))
    places = sorted({*categories, *(place for _, values in columns for place in values)})
    rows = [
        [categories.get(place, ""), *(values.get(place, "") for _, values in columns)] for place in places[:MAX_POINTS]
    ]
    axes = [*root.iter(qn("c:catAx"), qn("c:dateAx"))]
    corner = " ".join(filter(None, map(paragraph_text, _paragraphs(find(axes[0], "c:title"))))) if axes else ""
    if not rows:
        return Chart(title, [])
    return Chart(title, [[corner, *(name for name, _ in columns)], *rows], len(places) - len(rows))


def _paragraphs(element: Element | None) -> Iterator[Element]:
    yield from () if element is None else element.iter(qn("a:p"))


def _points(element: Element | None) -> dict[int, str]:
    """Return the cached points of a chart's data by their positions."""
    if element is None:
        return {}
    levels = [*element.iter(qn("c:lvl"))]
    # Of categories in several levels, the first is the finest.
    points = find_all(levels[0], "c:pt") if levels else [*element.iter(qn("c:pt"))]
    texts = {integer(point.get("idx")): point.findtext(qn("c:v")) or "" for point in points}
    if not texts:
        value = element.findtext(qn("c:v"))
        return {0: value} if value else {}
    formats = {integer(point.get("idx")): point.get("formatCode") or "" for point in points}
    common = next((code.text or "" for code in element.iter(qn("c:formatCode"))), "")
    return {place: _format_number(text, formats[place] or common) for place, text in texts.items()}


def _format_number(text: str, code: str) -> str:
    """Return a stored number as a date or percentage, if its format code is that of one, else in few digits."""
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    # What a code quotes or escapes is shown as it is.
    code = _LITERAL.sub("", code).casefold()
    if "y" in code and 0 < number < _MAX_DAYS:
        return str((_DAY_ZERO + timedelta(days=number)).date())
    if "%" in code:
        return f"{100 * number:.10g}%"
    return f"{number:.12g}"


def read_diagram(root: Element) -> list[str]:
    """Return the texts of a SmartArt diagram's data in their order, indented by level."""
    points = {point.get("modelId"): point for point in root.iter(qn("dgm:pt"))}
    below: dict[str | None, list[tuple[int, str | None]]] = {}
    for connection in root.iter(qn("dgm:cxn")):
        if connection.get("type") in (None, "parOf"):
            order = integer(connection.get("srcOrd"))
            below.setdefault(connection.get("srcId"), []).append((order, connection.get("destId")))
    lines: list[str] = []
    seen: set[str | None] = set()
    roots = [point_id for point_id, point in points.items() if point.get("type") == "doc"]
    # Points that hang on no other are transitions and layout, mostly without text.
    stack = [(point_id, 1) for point_id in reversed(points)] + [(point_id, 0) for point_id in reversed(roots)]
    while stack:
        point_id, depth = stack.pop()
        if point_id in seen or point_id not in points:
            continue
        seen.add(point_id)
        text = " ".join(body_text(find(points[point_id], "dgm:t")).split())
        if text:
            lines.append(f"{'  ' * max(0, depth - 1)}- {text}")
        ordered = sorted(below.get(point_id, ()), key=lambda entry: entry[0], reverse=True)
        stack += [(child, min(depth + 1, _MAX_DEPTH)) for _, child in ordered]
    return lines


def anchored_text(element: Element, visit: Callable[[Element], bool]) -> None:
    """Visit the elements of a drawing in their order, of alternatives only those that current programs show.

    Args:
        element: the drawing.
        visit: receives each element; returns whether it is finished with, so that those within it are skipped.
    """
    for child in children(element):
        if child.tag == qn("mc:AlternateContent"):
            chosen = alternative(child)
            if chosen is not None:
                anchored_text(chosen, visit)
        elif not visit(child):
            anchored_text(child, visit)
