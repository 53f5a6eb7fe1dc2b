"""Three realistic files of each format, each with a question and the place of its answer."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Paragraph, Table

_STYLES = getSampleStyleSheet()


@dataclass(frozen=True)
class RealFile:
    """A file, a question about it, and the expected answer with its page and section."""

    name: str
    data: bytes
    question: str
    answer: str
    page: int | None = None
    section: str | None = None


class _Pages(BaseDocTemplate):  # type: ignore[misc]
    """Pages of one or two columns, with an outline of the headings and a running foot."""

    def __init__(self, file: io.BytesIO, title: str, columns: int) -> None:
        super().__init__(file, pagesize=A4, title=title, author="The council")
        width = (A4[0] - 80 - 20 * (columns - 1)) / columns
        frames = [Frame(40 + side * (width + 20), 60, width, A4[1] - 120) for side in range(columns)]
        self._title = title
        self.addPageTemplates([PageTemplate(frames=frames, onPage=self._foot)])

    def _foot(self, canvas: Canvas, document: Any) -> None:
        canvas.drawString(200, 30, f"{self._title}, page {document.page}")

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802
        if isinstance(flowable, Paragraph) and flowable.style.name == "Heading1":
            self.canv.bookmarkPage(flowable.getPlainText())
            self.canv.addOutlineEntry(flowable.getPlainText(), flowable.getPlainText())


def _pdf(title: str, parts: Sequence[str | Sequence[Sequence[str]]], columns: int = 1) -> bytes:
    """Return a PDF of headings (`# …`), page breaks (`---`), paragraphs and tables."""
    flowables: list[Flowable] = []
    for part in parts:
        if not isinstance(part, str):
            flowables.append(Table(part))
        elif part == "---":
            flowables.append(PageBreak())
        elif part.startswith("# "):
            flowables.append(Paragraph(part.removeprefix("# "), _STYLES["Heading1"]))
        else:
            flowables.append(Paragraph(part, _STYLES["BodyText"]))
    file = io.BytesIO()
    _Pages(file, title, columns).build(flowables)
    return file.getvalue()


def _save(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _minutes() -> bytes:
    """Return minutes in DOCX whose list and table assign tasks."""
    document = docx.Document()
    document.core_properties.author = "Ines Moreau"
    document.add_heading("Minutes of the garden club", 0)
    document.add_heading("Decisions", 1)
    document.add_paragraph("The greenhouse is painted in April.", style="List Bullet")
    document.add_paragraph("The compost is turned by Oskar Lindqvist every month.", style="List Bullet")
    document.add_heading("Tasks", 1)
    table = document.add_table(4, 3)
    rows = (
        ("Task", "Who", "Until"),
        ("Order tulip bulbs", "Hana Sato", "3 September"),
        ("Repair the pump", "Piet de Vries", "19 June"),
        ("Print the calendar", "Amara Okafor", "1 November"),
    )
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    return _save(document)


def _lease() -> bytes:
    """Return a lease in DOCX with a tracked change and a clause in a content control."""
    document = docx.Document()
    document.add_heading("Lease of the boathouse", 0)
    document.add_heading("Rent", 1)
    paragraph = document.add_paragraph("The rent of the boathouse is ")
    for tag, words in (("del", "310 crowns"), ("ins", "345 crowns")):
        text = f'<w:t xml:space="preserve">{words}</w:t>' if tag == "ins" else f"<w:delText>{words}</w:delText>"
        paragraph._p.append(parse_xml(f'<w:{tag} {nsdecls("w")} w:id="1"><w:r>{text}</w:r></w:{tag}>'))
    paragraph.add_run(" a month, paid in advance.")
    document.add_heading("Notice", 1)
    words = "Either side may end the lease with a notice of eleven weeks."
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(-1, parse_xml(control))
    return _save(document)


def _handbook() -> bytes:
    """Return a handbook in DOCX with opening hours in a table with merged cells."""
    document = docx.Document()
    document.add_heading("Handbook of the swimming hall", 0)
    document.add_heading("Opening hours", 1)
    table = document.add_table(3, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "The sauna and the pools"
    for index, words in enumerate(("The sauna opens", "at 14:30", "The large pool opens", "at 06:15")):
        table.cell(1 + index // 2, index % 2).text = words
    document.add_heading("Lost property", 1)
    document.add_paragraph("What is found is kept for ninety days in the cabinet behind the till.")
    return _save(document)


_FILLER = (
    "The members met in the old hall and talked about the weather, the harvest and the state of the roads. "
    "Nothing was decided on that day, and the meeting closed before supper. "
)

REAL_FILES = (
    RealFile(
        "letter.txt",
        "Dear Mrs Kowalska,\r\n\r\nyour parcel left our depot in Gdynia on 12 May.\r\n"
        "The courier is called Zbigniew Maj 🚲.\r\n\r\nKind regards\r\n".encode(),
        "What is the courier called?",
        "Zbigniew Maj",
    ),
    RealFile(
        "notice.txt",
        """Notice to residents of Château Row

The “blue” bins are emptied on Thursdays. A second bin costs €18 a year – ask Mr Ferreira at the depot.
""".encode("cp1252"),
        "How much does a second bin cost?",
        "€18",
    ),
    RealFile(
        "log.txt",
        """\ufeffLighthouse log

4 March: the lamp was replaced by keeper Einar Dahl. 🔦 Visibility nine miles.
""".encode("utf-16-le"),
        "Who replaced the lamp of the lighthouse?",
        "Einar Dahl",
    ),
    RealFile(
        "roaster.md",
        b"""---
title: Roaster manual
version: 4
---
# Roaster

A drum of steel.

## Cleaning

1. Let it cool.
2. Brush the drum with a *soft* brush.
   - Never use water.

## Warranty

The roaster's warranty lasts **thirty months** from the day of purchase.
""",
        "How long does the roaster's warranty last?",
        "thirty months",
        section="Warranty",
    ),
    RealFile(
        "ferries.md",
        b"""Ferries
=======

Timetable
---------

| Route           | Leaves | Takes  |
|:----------------|-------:|-------:|
| Skarholm to Vik |  07:40 | 35 min |
| Vik to Ostra    |  09:05 | 50 min |

Tickets
-------

Tickets for the ferry are sold by [Marit Holm](http://example.org) at the pier.
""",
        "Who sells tickets for the ferry?",
        "Marit Holm",
        section="Tickets",
    ),
    RealFile(
        "changes.md",
        b"""# Changes

## 2.1

<p>The importer reads <b>forty</b> formats.</p>

## 2.0

> The old engine was replaced by one called Kestrel.

```
engine = "kestrel"
```
""",
        "What was the old engine replaced by?",
        "Kestrel",
        section="2.0",
    ),
    RealFile(
        "museum.html",
        b"""<html><head><title>Museum of Clocks</title><script>var a = '<p>not text</p>'</script>
<body><nav><ul><li>Home<li>Visit</nav><h1>Museum of Clocks<p>Open <b>daily<i>.</b></i>
<h2>History</h2><p>The museum was founded by the clockmaker Odile Renard in 1911<p>It moved twice.
<h2>Prices<table><tr><td>Adults<td>9 francs<tr><td>Children<td>free</table></div></span>""",
        "Who founded the museum of clocks?",
        "Odile Renard",
        section="History",
    ),
    RealFile(
        "bakery.html",
        """<meta charset="windows-1252"><title>Bäckerei Löwe</title><h1>Bäckerei Löwe</h1>
<h2>Bread</h2><table><tr><th>Loaf<th>Price</tr><tr><td>Rye&nbsp;loaf</td><td>4,20&nbsp;€</td></tr></table>
<h2>About us</h2><p>The bakery’s oven was built by Jürgen Großmann.</p>""".encode("cp1252"),
        "Who built the bakery's oven?",
        "Jürgen Großmann",
        section="About us",
    ),
    RealFile(
        "blog.html",
        b"""<!doctype html><html lang=en><body><header><p>The Hiker, a blog by no one</p></header>
<aside>Subscribe!</aside><article><header><h1>Up the Corran ridge</h1></header><p>We slept in a hut.</p>
<h2>The way down</h2><dl><dt>Water</dt><dd>There is a spring below the Corran ridge at 1,430 metres.</dd></dl>
</article><footer>All rights reserved</footer></body></html>""",
        "At what height is the spring below the Corran ridge?",
        "1,430 metres",
        section="The way down",
    ),
    RealFile(
        "pump.pdf",
        _pdf(
            "The harbour pump",
            [
                *("# Oil", *[_FILLER * 3] * 9, "# Belts", *[_FILLER * 3] * 9),
                "The belt of the harbour pump is replaced by the mechanic Ruben Castellanos.",
                *[_FILLER * 2] * 3,
            ],
            columns=2,
        ),
        "Who replaces the belt of the harbour pump?",
        "Ruben Castellanos",
        page=2,
        section="Belts",
    ),
    RealFile(
        "budget.pdf",
        _pdf(
            "Budget of Nether Wallop",
            [
                *("# Income", _FILLER, "---", "# Spending", "What was spent is in the table."),
                [["Item", "Cost in crowns"], ["Snow plough", "88,400"], ["Choir robes", "3,150"]],
                *("---", "# Debts", "The village owes the bank of Tarn 61,000 crowns."),
            ],
        ),
        "How many crowns does the village owe the bank of Tarn?",
        "61,000",
        page=3,
        section="Debts",
    ),
    RealFile(
        "study.pdf",
        _pdf(
            "A study of larks",
            [
                *("# Method", _FILLER * 4, "---", "# Results"),
                "The larks were counted on the moor of Fenwick; there were 274 of them in the last spring.",
                *("---", _FILLER),
            ],
        ),
        "How many larks were there in the last spring?",
        "274",
        page=2,
        section="Results",
    ),
    RealFile("minutes.docx", _minutes(), "Who turns the compost?", "Oskar Lindqvist", section="Decisions"),
    RealFile("lease.docx", _lease(), "What is the rent of the boathouse?", "345 crowns", section="Rent"),
    RealFile("hall.docx", _handbook(), "How long is lost property kept?", "ninety days", section="Lost property"),
    RealFile(
        "orders.csv",
        b"""id,title,text
1,Order 1,"The vase, ""Aurora"", was broken.
It is sent again from Lisbon."
2,Order 2,"Nothing."
""",
        "Where is the vase sent from?",
        "Lisbon",
    ),
    RealFile(
        "staff.csv",
        """Name;text
José;The caretaker of the castle is José Peñalver.
Anne;The cook of the castle is Anne Lefèvre.
""".encode("cp1252"),
        "Who is the caretaker of the castle?",
        "José Peñalver",
    ),
    RealFile(
        "birds.tsv",
        b"title\ttext\nHeron\tThe heron of the mill pond nests in a poplar.\nWren\tThe wren nests in the ivy.\n",
        "Where does the heron nest?",
        "poplar",
    ),
    RealFile(
        "tickets.jsonl",
        b"""{"id": 7, "title": "Printer", "text": "The printer on the third floor was repaired by Yusuf Demir."}
{"id": 8, "title": "Door", "text": "The door is stuck."}
""",
        "Who repaired the printer?",
        "Yusuf Demir",
    ),
    RealFile(
        "recipes.jsonl",
        '\ufeff{"text": "The dough of the plum cake rests for 45 minutes.", "tags": ["cake", "plums"]}\r\n\r\n'
        '{"text": "Jam keeps for a year."}\r\n'.encode(),
        "How long does the dough of the plum cake rest?",
        "45 minutes",
    ),
    RealFile(
        "news.ndjson",
        rb"""{"title": "Bridge", "text": "The bridge over the Ilse was opened by \u201cmayor\u201d Gr\u00e9ta Winkler."}
{"title": "Empty", "text": ""}
""",
        "Who opened the bridge over the Ilse?",
        "Gréta Winkler",
    ),
)
