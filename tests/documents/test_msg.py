"""Outlook messages: the same fields as other mails, from their properties."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.mail.msg import extract_msg
from qa.documents.extract.plain_text import extract_plain
from qa.documents.extract.rtf.compressed import decompress_rtf
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, UnsupportedFormat
from tests.documents.ole_files import Msg, MsgFile, write_compound_file, write_msg

CLASS, SUBJECT, BODY, HTML, RTF, SENDER, SENDER_ADDRESS = 0x001A, 0x0037, 0x1000, 0x1013, 0x1009, 0x0C1A, 0x0C1F
SENDER_SMTP, HEADERS, MESSAGE_ID, TO = 0x5D01, 0x007D, 0x1035, 0x0E04


def extract_part(data: bytes, name: str) -> list[ExtractedText]:
    if name.endswith(".heic"):
        raise UnsupportedFormat(f"{name}: not supported; convert it to PDF", field=name)
    return [extract_plain(data, name)]


def extract(message: Msg) -> list[ExtractedText]:
    return extract_msg(write_msg(message), "a.msg", extract_part)


def unread(document: ExtractedText) -> list[str]:
    return [part.reason for part in document.unread]


def test_reads_the_text_and_headers() -> None:
    (mail,) = extract(
        Msg(
            {
                SUBJECT: "Pump café",
                BODY: "Oil it.\r\nWeekly.",
                SENDER: "Mara",
                SENDER_SMTP: "mara@x.org",
                MESSAGE_ID: "<1>",
            },
            sent=datetime(2024, 5, 1, 9, 30, tzinfo=UTC),
            recipients=[("Odd", "odd@x.org", 1), ("Eva", "/o=exchange", 1), ("ops@x.org", "ops@x.org", 2)],
        )
    )
    assert (mail.title, mail.text, mail.part) == ("Pump café", "Oil it.\nWeekly.", None)
    assert mail.meta == {
        "from": "Mara <mara@x.org>",
        "to": "Odd <odd@x.org>, Eva",
        "cc": "ops@x.org",
        "subject": "Pump café",
        "date": "2024-05-01T09:30:00+00:00",
        "message_id": "<1>",
    }


def test_the_headers_of_a_received_mail_outweigh_the_properties() -> None:
    headers = "From: =?utf-8?Q?M=C3=A5ra?= <mara@x.org>\r\nTo: odd@x.org\r\nMessage-ID: <2>\r\n\r\n"
    (mail,) = extract(
        Msg({BODY: "Text", HEADERS: headers, SENDER: "M", TO: "Odd"}, sent=datetime(1601, 1, 1, tzinfo=UTC))
    )
    assert mail.meta == {"from": "Måra <mara@x.org>", "to": "odd@x.org", "message_id": "<2>"}
    assert mail.title is None


def test_decodes_texts_of_a_code_page() -> None:
    (mail,) = extract(Msg({SUBJECT: "насос", BODY: "Смажьте насос."}, code_page=1251))
    assert (mail.title, mail.text) == ("насос", "Смажьте насос.")


def test_reads_html_where_there_is_no_plain_text() -> None:
    html = "<h1>Oil</h1><p>The café is shut.".encode()
    (mail,) = extract(Msg({SUBJECT: "Pump"}, {HTML: html}))
    assert mail.text == "Oil\n\nThe café is shut."
    assert [mark.section for mark in mail.marks] == ["Oil"]


def test_reads_rtf_where_there_is_nothing_else() -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252 The pump is oiled every six weeks.\par Never dry.}"
    data = struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    (mail,) = extract(Msg({SUBJECT: "Pump"}, {RTF: data}))
    assert "The pump is oiled every six weeks." in mail.text
    assert "rtf1" not in mail.text


def test_decompresses_the_example_of_the_specification() -> None:
    data = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompress_rtf(data) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize("data", [b"", b"\0" * 16, struct.pack("<IIII", 0, 2**31, 0x75465A4C, 0)])
def test_reports_rtf_that_is_damaged_or_too_large(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="compressed RTF is damaged"):
        decompress_rtf(data)
    (mail,) = extract(Msg({SUBJECT: "Pump"}, {RTF: data or b"\0"}))
    assert mail.text == "Pump"
    assert unread(mail)[0].startswith("the formatted text: compressed RTF is damaged")


def test_attachments_are_documents() -> None:
    mail, file = extract(
        Msg(
            {SUBJECT: "Pump", BODY: "See it."},
            files=[
                MsgFile("Price list.txt", b"Belt 3" * 1_000),
                MsgFile("photo.heic", b"..."),
                MsgFile("elsewhere.docx"),
                MsgFile("logo.png", b"tiny", content_id="logo@x"),
            ],
        )
    )
    assert (file.part, file.title, file.meta) == ("Price-list.txt", "Price list.txt", {"attached_to": "Pump"})
    assert file.file is not None
    assert file.file.data == b"Belt 3" * 1_000
    assert unread(mail) == [
        "attachment elsewhere.docx: it is stored elsewhere; add the file itself",
        "attachment photo.heic: not supported; convert it to PDF",
    ]


def test_attached_messages_are_documents_up_to_a_depth() -> None:
    message = Msg({SUBJECT: "Level 1", BODY: "One"}, files=[MsgFile("a.txt", b"Belt")])
    for level, text in ((2, "Two"), (3, "Three"), (4, "Four")):
        message = Msg({SUBJECT: f"Level {level}", BODY: text}, files=[MsgFile(f"inner {level}", message=message)])
    texts = extract(message)
    assert [(text.part, text.text) for text in texts] == [
        (None, "Four"),
        ("inner-4.msg", "Three"),
        ("inner-4.msg-inner-3.msg", "Two"),
    ]
    assert unread(texts[2]) == [
        "attachment inner 2.msg: over 3 mails are attached inside each other; save this one as a file"
    ]


def test_reads_a_signed_message_and_reports_an_encrypted_one() -> None:
    signed = b"Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSigned text.\n--b--\n"
    properties = {SUBJECT: "Pump", CLASS: "IPM.Note.SMIME.MultipartSigned"}
    (mail,) = extract(Msg(properties, files=[MsgFile("smime.p7m", signed)]))
    assert (mail.text, mail.unread) == ("Signed text.", ())
    (mail,) = extract(Msg({**properties, CLASS: "IPM.Note.SMIME"}, files=[MsgFile("smime.p7m", b"MII")]))
    assert (mail.text, unread(mail)) == ("Pump", ["the text is encrypted; decrypt the mail and save it again"])
    (mail,) = extract(Msg({SUBJECT: "Pump"}, files=[MsgFile("message.rpmsg", b"x")]))
    assert unread(mail) == ["the text is protected by rights management; save it without protection"]


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", write_compound_file({"WordDocument": b"x"})]
)
def test_rejects_what_is_not_an_outlook_message(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"a\.msg: not an Outlook message, or damaged \(.*save it again in Outlook"):
        extract_msg(data, "a.msg", extract_part)


def test_rejects_a_message_without_text() -> None:
    with pytest.raises(InvalidInput, match=r"a\.msg: the mail has no text"):
        extract(Msg())
    (mail,) = extract(Msg({BODY: " "}, files=[MsgFile("a.heic", b"x")]))
    assert (mail.text, unread(mail)) == ("a.heic", ["attachment a.heic: not supported; convert it to PDF"])


def test_rejects_streams_that_share_their_bytes() -> None:
    data = bytearray(write_msg(Msg({BODY: "Text"}, {HTML: b"x" * 5_000})))
    # The size of the HTML stream in its directory entry.
    position = data.index("__substg1.0_10130102".encode("utf-16-le")) + 120
    data[position : position + 4] = struct.pack("<I", 2_000_000)
    with pytest.raises(InvalidInput, match="its streams have 2,0"):
        extract_msg(bytes(data), "a.msg", extract_part)


VALID = write_msg(
    Msg(
        {SUBJECT: "Pump", BODY: "Oil it.", SENDER: "Mara"},
        {HTML: b"<p>Oil it.</p>", RTF: bytes(40)},
        sent=datetime(2024, 5, 1, tzinfo=UTC),
        recipients=[("Odd", "odd@x.org", 1)],
        files=[MsgFile("a.txt", b"Belt"), MsgFile("b", message=Msg({BODY: "Inner"}))],
    )
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_documents_or_an_error(data: st.DataObject) -> None:
    source = bytearray(VALID[: data.draw(st.integers(0, len(VALID)))] if data.draw(st.booleans()) else VALID)
    for _ in range(data.draw(st.integers(0, 12))):
        position = data.draw(st.integers(0, len(source)))
        source[position : position + 4] = data.draw(st.binary(min_size=4, max_size=4))
    documents: list[ExtractedText] = []
    with suppress(QAError):
        documents = extract_msg(bytes(source), "a.msg", extract_part)
    assert all(text.text.strip() and "\0" not in text.text for text in documents)
