"""Five realistic mails, mailboxes, Outlook messages, books and notebooks, each with a question and its answer."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import docx

from tests.documents.epub_files import book, nav, ncx, page
from tests.documents.ole_files import Msg, MsgFile, write_msg

_DATE = datetime(2024, 5, 6, 8, 15, tzinfo=UTC)
_SUBJECT, _BODY, _HTML, _SENDER, _SENDER_SMTP = 0x0037, 0x1000, 0x1013, 0x0C1A, 0x5D01


@dataclass(frozen=True)
class AskedFile:
    """A file, a question about it, and the expected answer with its place.

    Attributes:
        name: file name.
        data: its bytes.
        question: has one answer in the file.
        answer: words that the answer contains.
        section: chapter of a book or section of a notebook.
        part: the attachment or the number of the message; None for the file's main document.
    """

    name: str
    data: bytes
    question: str
    answer: str
    section: str | None = None
    part: str | None = None


def _mail(sender: str, subject: str, text: str, html: str = "") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "office@harbour.example", subject
    mail["Date"] = format_datetime(_DATE)
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


def _quotation() -> bytes:
    """Return a mail whose HTML has a table of prices that its plain text breaks into lines."""
    rows = (("Item", "Quantity", "Unit price"), ("Mooring ring", "12", "48 euros"), ("Chain, 10 m", "4", "215 euros"))
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:])
    head = "".join(f"<th>{cell}</th>" for cell in rows[0])
    plain = "Dear Ms Holm,\n\nhere is our quotation.\n\n" + "\n\n".join(cell for row in rows for cell in row)
    html = (
        "<p>Dear Ms Holm,</p><p>here is our quotation.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table><p>Prices are without tax.</p>"
    )
    return bytes(_mail("Anker Ltd <sales@anker.example>", "Quotation 4417", plain, html))


def _thread() -> bytes:
    text = (
        "Hello Jonas,\n\nthe ferry to Utne is out of service because its ramp is cracked. "
        "The replacement bus leaves from the fish market at 6:40."
        "\n\nBest regards\nIngrid\n\nOn Sunday Jonas wrote:\n> Does the ferry run on Monday?\n"
        "> I have a meeting in Utne at nine.\n\n-- \nIngrid Sande, harbour office\n"
    )
    return bytes(_mail("Ingrid Sande <ingrid@harbour.example>", "Re: Ferry on Monday", text))


def _mail_with_document() -> bytes:
    document = docx.Document()
    document.add_heading("Inspection of the crane", 1)
    document.add_paragraph("The inspector was Torunn Vik. The hook has a crack of three millimetres.")
    document.add_heading("Measures", 1)
    document.add_paragraph("Until the hook is replaced, the crane may lift no more than 800 kilograms.")
    file = io.BytesIO()
    document.save(file)
    mail = _mail("Torunn Vik <vik@inspect.example>", "Report on the crane", "The report is attached.\n\nTorunn")
    mail.add_attachment(file.getvalue(), "application", "octet-stream", filename="Crane report.docx")
    return bytes(mail)


def _newsletter() -> bytes:
    html = (
        "<style>td { padding: 4px }</style><div style='display:none'>News of May</div><table><tr><td>"
        "<h1>News from the sailing club</h1><p>The regatta starts on 14 June at ten o'clock from the north pier.</p>"
        "<h2>New rules</h2><p>From this year on, everybody under 16 must wear a life jacket on the piers.</p>"
        "<p><a href='https://x.example/u'>Unsubscribe</a></p></td></tr></table>"
    )
    plain = "This message has to be read as HTML. Open it in your browser: https://x.example/view"
    return bytes(_mail("Sailing club <news@club.example>", "News in May", plain, html))


def _forwarded() -> bytes:
    inner = _mail(
        "Lab <lab@water.example>", "Sample 77", "The sample of basin 3 contained 0.4 milligrams of chlorine per litre."
    )
    mail = _mail("Mara <mara@harbour.example>", "Fwd: Sample 77", "Please file this.")
    mail.add_attachment(inner)
    return bytes(mail)


def _mailbox(*messages: tuple[str, str, str]) -> bytes:
    lines = []
    for sender, subject, text in messages:
        lines.append(f"From {sender} Mon May  6 08:15:00 2024\n".encode() + bytes(_mail(sender, subject, text)) + b"\n")
    return b"".join(lines)


def _outlook(subject: str, text: str, html: str = "", files: Sequence[MsgFile] = ()) -> bytes:
    texts = {_SUBJECT: subject, _SENDER: "Ines Moreau", _SENDER_SMTP: "ines@council.example"}
    if text:
        texts[_BODY] = text
    return write_msg(
        Msg(
            texts,
            {_HTML: html.encode()} if html else {},
            sent=_DATE,
            recipients=[("Peter Lund", "peter@council.example", 1)],
            files=files,
        )
    )


def _notebook(*cells: tuple[str, str] | tuple[str, str, str]) -> bytes:
    """Return a notebook of cells: kind, source and the HTML or text of an output."""
    built: list[dict[str, object]] = []
    for kind, source, *output in cells:
        cell: dict[str, object] = {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": {}}
        if kind == "code":
            form = "text/html" if output and output[0].startswith("<") else "text/plain"
            cell["outputs"] = [{"output_type": "execute_result", "data": {form: text}} for text in output]
        built.append(cell)
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": built}).encode()


def _book(title: str, author: str, chapters: Sequence[tuple[str, str]], contents: str = "nav.xhtml") -> bytes:
    pages: dict[str, str | bytes] = {
        f"c{number}.xhtml": page(f"<h1>{name}</h1>{text}") for number, (name, text) in enumerate(chapters)
    }
    entries = [(f"c{number}.xhtml", name) for number, (name, _) in enumerate(chapters)]
    table = nav(*entries) if contents == "nav.xhtml" else ncx(*entries)
    metadata = f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator><dc:language>en</dc:language>"
    return book({contents: table, **pages}, metadata=metadata)


_RAINFALL = (
    "<table><thead><tr><th></th><th>station</th><th>rain in millimetres</th></tr></thead><tbody>"
    "<tr><th>0</th><td>Bergen</td><td>231</td></tr><tr><th>1</th><td>Voss</td><td>118</td></tr></tbody></table>"
)
_MAILS = [
    AskedFile("quotation.eml", _quotation(), "What is the unit price of a mooring ring?", "48 euros"),
    AskedFile("ferry.eml", _thread(), "When does the replacement bus leave?", "6:40"),
    AskedFile(
        "crane.eml",
        _mail_with_document(),
        "How much may the crane lift until the hook is replaced?",
        "800 kilograms",
        section="Measures",
        part="Crane-report.docx",
    ),
    AskedFile(
        "news.eml",
        _newsletter(),
        "Who must wear a life jacket on the piers?",
        "everybody under 16",
        section="New rules",
    ),
    AskedFile(
        "sample.eml",
        _forwarded(),
        "How much chlorine did the sample of basin 3 contain?",
        "0.4 milligrams",
        part="Sample-77.eml",
    ),
]
_MAILBOXES = [
    AskedFile(
        "library.mbox",
        _mailbox(
            ("anna@library.example", "Opening hours", "In July the library closes at three in the afternoon."),
            ("bo@library.example", "Re: Opening hours", "Thanks. The cellar archive is closed for the whole month."),
        ),
        "When does the library close in July?",
        "three in the afternoon",
        part="1",
    ),
    AskedFile(
        "garden.mbox",
        _mailbox(
            ("carl@garden.example", "Seeds", "I ordered the bean seeds from Hagen."),
            (
                "dora@garden.example",
                "Water",
                "From Friday on the tap behind the greenhouse is locked.\n\nThe key is in the blue shed.",
            ),
        ),
        "Where is the key to the tap behind the greenhouse?",
        "blue shed",
        part="2",
    ),
    AskedFile(
        "choir.mbox",
        _mailbox(
            ("eli@choir.example", "Concert", "The concert is in the old mill. Ticket sale begins on 2 September."),
            ("finn@choir.example", "Robes", "The robes were washed by Solveig Dahl."),
            ("gro@choir.example", "Bus", "The bus to the concert costs 90 crowns for each singer."),
        ),
        "Who washed the robes of the choir?",
        "Solveig Dahl",
        part="2",
    ),
    AskedFile(
        "server.mbox",
        _mailbox(
            ("root@host.example", "Backup", "The backup of host lindesnes failed because the disk /dev/sdb was full."),
            ("kim@host.example", "Re: Backup", "Fixed: I moved the old snapshots to the tape library in Skien."),
        ),
        "Why did the backup of host lindesnes fail?",
        "the disk /dev/sdb was full",
        part="1",
    ),
    AskedFile(
        "school.mbox",
        _mailbox(
            (
                "head@school.example",
                "Excursion",
                "The excursion of class 7b goes to the salt mine. Parents pay 35 francs.",
            ),
            ("office@school.example", "Lost property", "A green umbrella was found in the gym."),
        ),
        "Where does the excursion of class 7b go?",
        "the salt mine",
        part="1",
    ),
]
_OUTLOOK = [
    AskedFile(
        "parking.msg",
        _outlook(
            "Parking", "Dear Peter,\r\n\r\nthe parking permit for the electric van costs 140 euros a year.\r\n\r\nInes"
        ),
        "What does the parking permit for the electric van cost?",
        "140 euros",
    ),
    AskedFile(
        "budget.msg",
        _outlook(
            "Budget",
            "",
            "<p>Here are the amounts.</p><table><tr><th>Department</th><th>Amount</th></tr><tr><td>Roads</td>"
            "<td>2.3 million</td></tr><tr><td>Parks</td><td>640,000</td></tr></table>",
        ),
        "What amount does the department Parks get?",
        "640,000",
    ),
    AskedFile(
        "minutes.msg",
        _outlook(
            "Minutes",
            "The minutes are attached.",
            files=[
                MsgFile("minutes.txt", b"The council decided to rebuild the footbridge at Sandvika in spring 2026.\n")
            ],
        ),
        "When will the footbridge at Sandvika be rebuilt?",
        "spring 2026",
        part="minutes.txt",
    ),
    AskedFile(
        "complaint.msg",
        _outlook(
            "FW: Noise",
            "Please answer this.",
            files=[
                MsgFile(
                    "Noise",
                    message=Msg(
                        {
                            _SUBJECT: "Noise",
                            _BODY: "The ventilation of the bakery in Elm Street is loud from four in the morning.",
                        }
                    ),
                )
            ],
        ),
        "Which machine in Elm Street is loud from four in the morning?",
        "ventilation of the bakery",
        part="Noise.msg",
    ),
    AskedFile(
        "heating.msg",
        _outlook(
            "Heating in the town hall",
            "",
            "<h2>What happened</h2><p>The boiler stopped on Tuesday because of a broken valve.</p><h2>What next</h2>"
            "<p>The firm Brandt and Sons repairs it on Thursday.</p>",
        ),
        "Which firm repairs the boiler?",
        "Brandt and Sons",
        section="What next",
    ),
]
_BOOKS = [
    AskedFile(
        "bees.epub",
        _book(
            "Keeping bees",
            "Greta Lind",
            (
                ("The hive", "<p>A hive has a floor, two boxes and a roof.</p><p>Place it facing south-east.</p>"),
                (
                    "The honey",
                    "<p>Honey is ripe when its water content is below 18 per cent.</p><p>Harvest it in July.</p>",
                ),
            ),
        ),
        "When is honey ripe?",
        "below 18 per cent",
        section="The honey",
    ),
    AskedFile(
        "clocks.epub",
        _book(
            "Old clocks",
            "Emil Kron",
            (
                ("The spring", "<p>Wind the spring on the same weekday, twelve turns and no more.</p>"),
                ("The pendulum", "<p>Turn the nut below the bob to the right, and the clock runs faster.</p>"),
            ),
            "toc.ncx",
        ),
        "How many turns should you wind the spring?",
        "twelve",
        section="The spring",
    ),
    AskedFile(
        "bread.epub",
        _book(
            "Bread at home",
            "Lea Norr",
            (
                ("Flour", "<table><tr><th>Flour</th><th>Protein</th></tr><tr><td>Spelt</td><td>13 g</td></tr></table>"),
                ("Baking", "<h2>Oven</h2><p>Heat the oven to 240 degrees and bake the loaf for 45 minutes.</p>"),
            ),
        ),
        "How long is the loaf baked?",
        "45 minutes",
        section="Baking",
    ),
    AskedFile(
        "island.epub",
        _book(
            "The island",
            "Ruth Aasen",
            (
                ("I", "<p>Captain Morell left the harbour with nine men and a dog named Pilot.</p>"),
                ("II", "<p>On the third day they saw the lighthouse, whose keeper was an old woman named Sunniva.</p>"),
            ),
        ),
        "What was the name of the captain's dog?",
        "Pilot",
        section="I",
    ),
    AskedFile(
        "radio.epub",
        _book(
            "Amateur radio",
            "Per Holt",
            (
                ("Licence", "<p>The written test has forty questions, of which thirty must be right.</p>"),
                (
                    "Aerials",
                    "<p>A half-wave dipole for 14 MHz is about ten metres long.</p>"
                    '<aside epub:type="footnote"><p>Measured at a height of eight metres.</p></aside>',
                ),
            ),
        ),
        "How long is a half-wave dipole for 14 MHz?",
        "ten metres",
        section="Aerials",
    ),
]
_NOTEBOOKS = [
    AskedFile(
        "rain.ipynb",
        _notebook(
            ("markdown", "# Rainfall in November\n\nThe data is from the weather service."),
            ("code", "frame = read('rain.csv')\nframe.head()", _RAINFALL),
        ),
        "How much rain did the station Voss have?",
        "118",
        section="Rainfall in November",
    ),
    AskedFile(
        "model.ipynb",
        _notebook(
            ("markdown", "# House prices\n\n## Training\n\nThe model is trained for 40 epochs, as more did not help."),
            ("code", "model.fit(epochs=40)"),
            ("markdown", "## Result\n\nThe mean error is 21,500 euros."),
        ),
        "For how many epochs is the model trained?",
        "40",
        section="Training",
    ),
    AskedFile(
        "bikes.ipynb",
        _notebook(
            ("markdown", "# Hired bicycles"),
            ("code", "trips.groupby('day').size().idxmax()", "'Saturday'"),
            ("markdown", "Most trips are on Saturdays. The longest trip went from Lade to Heimdal."),
        ),
        "From where did the longest trip go?",
        "Lade",
        section="Hired bicycles",
    ),
    AskedFile(
        "sensors.ipynb",
        _notebook(
            ("markdown", "# Sensors\n\n## Calibration\n\nSensor B reads 0.7 degrees too high, so this is subtracted."),
            ("code", "b -= 0.7"),
        ),
        "By how much does sensor B read too high?",
        "0.7 degrees",
        section="Calibration",
    ),
    AskedFile(
        "survey.ipynb",
        _notebook(
            (
                "markdown",
                "# Survey of readers\n\nWe asked 1,204 readers in March.\n\n## Limits\n\nNo one under 18 was asked.",
            ),
            ("code", "len(answers)", "1204"),
        ),
        "How many readers were asked in the survey?",
        "1,204",
        section="Survey of readers",
    ),
]
ASKED_FILES = [*_MAILS, *_MAILBOXES, *_OUTLOOK, *_BOOKS, *_NOTEBOOKS]
