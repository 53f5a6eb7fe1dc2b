"""Charts and SmartArt diagrams, which Word and PowerPoint keep in separate parts, as text."""

from __future__ import annotations

from qa.documents.extract.office.archive import OfficeArchive
from qa.documents.extract.office.drawings import MAX_POINTS, Chart, paragraph_text, read_chart, read_diagram
from qa.documents.extract.office.unreadable import count
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer, qn
from qa.documents.extract.text_builder import TextBuilder
from qa.errors import InvalidInput

_REFERENCES = {qn("c:chart"): "r:id", qn("cx:chart"): "r:id", qn("dgm:relIds"): "r:dm"}


def add_graphic(element: Element, part: str, archive: OfficeArchive, builder: TextBuilder) -> str | None:
    """Add the text of a chart or diagram.

    Args:
        element: any element of a drawing.
        part: the part that contains it.
        archive: the file.
        builder: receives the text.

    Returns:
        Why it, or a part of it, cannot be read; an empty string if it was read; None if the element refers to no chart
        or diagram.
    """
    reference = _REFERENCES.get(element.tag)
    if reference is None:
        return None
    try:
        relationship = archive.relationships(part).get(attribute(element, reference) or "")
        if relationship and relationship.target in archive.shown:
            return ""
        root = archive.read_xml(relationship.target) if relationship else None
    except InvalidInput:
        return "a damaged chart or diagram"
    if relationship is None or root is None:
        return "a damaged chart or diagram"
    archive.shown.add(relationship.target)
    if root.tag == qn("dgm:dataModel"):
        builder.add_block("\n".join(read_diagram(root)))
        return ""
    title, rows, left_out = read_chart(root) if root.tag == qn("c:chartSpace") else _read_extended_chart(root)
    builder.add_block(title)
    builder.add_table(rows, header_rows=1 if any(rows[:1]) and any(rows[0]) else 0, labelled=True)
    if left_out:
        return f"{count(left_out, 'point')} of a chart with over {MAX_POINTS:,}; add its values as a workbook"
    return "" if rows else "a chart without stored values"


def _read_extended_chart(root: Element) -> Chart:
    """Return the title and values of a chart of a kind that Office 2016 added, such as a waterfall."""
    title = next((text for text in map(paragraph_text, root.iter(qn("a:p"))) if text), "")
    columns = [
        {integer(point.get("idx")): point.text or "" for point in find_all(dimension, "cx:lvl/cx:pt")}
        for data in find_all(root, "cx:chartData/cx:data")
        for dimension in data.iterchildren(qn("cx:strDim"), qn("cx:numDim"))
    ]
    places = sorted({place for column in columns for place in column})
    rows = [[column.get(place, "") for column in columns] for place in places]
    names = ["" for _ in columns]
    for number, series in enumerate(root.iter(qn("cx:series")), 1):
        name = find(series, "cx:tx/cx:txData/cx:v")
        if name is not None and number < len(names):
            names[number] = name.text or ""
    return Chart(title, [names, *rows] if rows else [])
