"""Mails and mailboxes: the text that a reader sees, headers as metadata, attachments as documents."""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import suppress
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.html.page import extract_html
from qa.documents.extract.mail.eml import extract_eml, extract_mbox
from qa.documents.extract.plain_text import extract_plain
from qa.documents.extract.text_builder import ExtractedText
from qa.documents.files import read_upload
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat

PLAIN = "Content-Type: text/plain; charset=utf-8\n\n"


def extract_part(data: bytes, name: str) -> list[ExtractedText]:
    """Extract the few formats that the attachments of these tests have."""
    if name.endswith(".eml"):
        return extract_eml(data, name, extract_part)
    if name.endswith((".heic", ".zip")):
        raise UnsupportedFormat(f"{name}: not supported; convert it to PDF", field=name)
    if name.endswith(".csv"):
        rows = data.decode().splitlines()
        return [ExtractedText(row, id=row[0], row=number) for number, row in enumerate(rows, 1)]
    return [(extract_html if name.endswith(".html") else extract_plain)(data, name)]


def extract_mail(source: str | bytes | EmailMessage) -> list[ExtractedText]:
    data = source if isinstance(source, bytes) else source.encode() if isinstance(source, str) else bytes(source)
    return extract_eml(data, "a.eml", extract_part)


def read_text(source: str | bytes) -> str:
    (mail,) = extract_mail(source)
    return mail.text


def unread(document: ExtractedText) -> list[str]:
    return [part.reason for part in document.unread]


def mail_with(*files: tuple[str, bytes], text: str = "See the files.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Pump"
    mail.set_content(text)
    for name, data in files:
        mail.add_attachment(data, "application", "octet-stream", filename=name)
    return mail


def alternatives(plain: str, html: str) -> str:
    return (
        "Subject: Pump\nContent-Type: multipart/alternative; boundary=b\n\n"
        f"--b\n{PLAIN}{plain}\n--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
    )


def test_headers_are_metadata_and_the_subject_is_the_title() -> None:
    (mail,) = extract_mail(
        "From: =?utf-8?Q?Mara_Br=C3=A5ten?= <mara@example.org>\nTo: odd@example.org,\n Eva <eva@example.org>\n"
        "Cc: ops@example.org\nSubject: =?iso-8859-1?Q?Pump_caf=E9?=\nDate: Wed, 1 May 2024 09:30:00 +0200\n"
        "Message-ID: <1@example.org>\n\nOil it."
    )
    assert (mail.title, mail.text) == ("Pump café", "Oil it.")
    assert mail.meta == {
        "from": "Mara Bråten <mara@example.org>",
        "to": "odd@example.org, Eva <eva@example.org>",
        "cc": "ops@example.org",
        "subject": "Pump café",
        "date": "2024-05-01T09:30:00+02:00",
        "message_id": "<1@example.org>",
    }


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("=?utf-8?B?UHVtcCBj?=\n =?utf-8?B?YWbDqQ==?=", "Pump café"),
        # The two bytes of one character are in different words.
        ("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "café"),
        ("Re: =?utf-8*en?Q?caf=C3=A9?= today", "Re: café today"),
        ("=?nonsense?B?Y2Fmw6k=?=", "café"),
        ("=?utf-8?B?not base64!?=", "not base64!"),
        ("café, not encoded", "café, not encoded"),
    ],
)
def test_decodes_encoded_words_of_headers(header: str, subject: str) -> None:
    assert extract_mail(f"Subject: {header}\n\nText")[0].title == subject


def test_decodes_western_bytes_in_headers() -> None:
    assert extract_mail(b"Subject: caf\xe9 \x80\n\nText")[0].title == "café €"


@pytest.mark.parametrize("date", ["soon", "", "Wed, 99 Foo 20244 09:30", "Wed, 1 May 99999 09:30:00 +0000"])
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    assert "date" not in extract_mail(f"Date: {date}\n\nText")[0].meta


def test_decodes_base64_and_quoted_printable() -> None:
    encoded = base64.b64encode("The café is shut.".encode()).decode()
    assert read_text(f"Content-Transfer-Encoding: base64\n{PLAIN}{encoded}") == "The café is shut."
    quoted = "The caf=C3=A9 is=\n shut."
    assert read_text(f"Content-Transfer-Encoding: quoted-printable\n{PLAIN}{quoted}") == "The café is shut."


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("iso-8859-1", "40 € – “now”".encode("cp1252"), "40 € – “now”"),
        ("us-ascii", "café".encode(), "café"),
        ("utf-8", "a café in Bergen".encode("cp1252"), "a café in Bergen"),
        ("x-unknown", "café".encode(), "café"),
        ("idna", "café".encode(), "café"),
        ("windows-1251", "насос".encode("cp1251"), "насос"),
        ("gb2312", "镕".encode("gb18030"), "镕"),
        ("iso-2022-jp", "ポンプ".encode("iso-2022-jp"), "ポンプ"),
        ("utf-8", b"one\0two\x07", "onetwo"),
    ],
)
def test_decodes_text_whose_charset_is_wrong_or_unknown(charset: str, data: bytes, text: str) -> None:
    assert read_text(b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\n" + data) == text


def test_joins_the_soft_wrapped_lines_of_flowed_text() -> None:
    flowed = "Content-Type: text/plain; format=flowed\n\n"
    text = "The pump is \noiled every \nweek.\n> Which \n> pump?\n From here\n-- \nMara \nBergen"
    assert read_text(flowed + text) == ("The pump is oiled every week.\n> Which pump?\nFrom here\n-- \nMara Bergen")
    assert read_text(flowed.replace("flowed", "flowed; delsp=yes") + "The pu \nmp.") == "The pump."


def test_signature_and_quoted_reply_stay_recognisable() -> None:
    text = "Yes.\n\nOn Monday Odd wrote:\n> Is it oiled?\n>> Ask Mara.\n\n-- \nMara"
    assert read_text(PLAIN + text) == text


def test_plain_text_is_preferred_to_html() -> None:
    assert read_text(alternatives("Oil the pump *weekly*.", "<p>Oil the pump <b>weekly</b>.</p>")) == (
        "Oil the pump *weekly*."
    )


@pytest.mark.parametrize("plain", ["", "  \n", "Your mail program cannot show this mail. View it in a browser."])
def test_html_is_read_where_the_plain_text_is_only_a_notice(plain: str) -> None:
    html = "<style>p {}</style><p>The pump is oiled every six weeks by Halvorsen, who also checks all the belts.</p>"
    assert read_text(alternatives(plain, html)) == (
        "The pump is oiled every six weeks by Halvorsen, who also checks all the belts."
    )


def test_html_is_read_where_only_it_has_the_table() -> None:
    html = "<p>Prices:</p><table><tr><th>Part</th><th>Price</th></tr><tr><td>Belt</td><td>3</td></tr></table>"
    (mail,) = extract_mail(alternatives("Prices:\n\nPart\nPrice\n\nBelt\n3", html))
    assert mail.text == "Prices:\n\nPart | Price\nBelt | 3"
    assert [mail.text[table.start :] for table in mail.tables] == ["Part | Price\nBelt | 3"]


def test_the_charset_of_the_mail_outweighs_that_of_its_html() -> None:
    html = '<meta charset="utf-16"><p>caf=E9'
    source = f"Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n{html}"
    assert read_text(source.replace('="utf-16"', '=3D"utf-16"')) == "café"


def test_texts_of_a_mixed_mail_are_joined_in_order() -> None:
    (mail,) = extract_mail(
        "Content-Type: multipart/mixed; boundary=b\n\npreamble\n"
        f"--b\n{PLAIN}One\n--b\nContent-Type: text/html\n\n<h1>Oil</h1><table><tr><td>a<td>b<tr><td>c<td>d</table>\n"
        f"--b\n{PLAIN}Three\n--b--\nepilogue"
    )
    assert mail.text == "One\n\nOil\n\na | b\nc | d\n\nThree"
    assert [mail.text[table.start :][:5] for table in mail.tables] == ["a | b"]
    assert [(mail.text[mark.start :][:3], mark.section) for mark in mail.marks] == [("Oil", "Oil"), ("Thr", None)]


def test_attachments_are_documents_with_their_own_file() -> None:
    mail, first, second = extract_mail(mail_with(("Price list.txt", b"Belt 3"), ("price/list.txt", b"Belt 4")))
    assert (mail.part, mail.file, mail.unread) == (None, None, ())
    assert [(text.part, text.title, text.text) for text in (first, second)] == [
        ("Price-list.txt", "Price list.txt", "Belt 3"),
        ("list.txt", "list.txt", "Belt 4"),
    ]
    assert first.meta == {"attached_to": "Pump"}
    assert first.file is not None
    assert (first.file.name, first.file.media_type, first.file.data) == ("Price list.txt", "text/plain", b"Belt 3")
    assert first.file.sha256 == hashlib.sha256(b"Belt 3").hexdigest()


def test_attachments_of_the_same_name_have_different_parts() -> None:
    _, *files = extract_mail(mail_with(("a.txt", b"One"), ("a.txt", b"Two"), ("t.csv", b"7 x\n7 y")))
    assert [(text.part, text.id) for text in files] == [
        ("a.txt", None),
        ("a.txt-2", None),
        ("t.csv-1", None),
        ("t.csv-2", None),
    ]


def test_reports_attachments_that_cannot_be_read() -> None:
    (mail,) = extract_mail(mail_with(("photo.heic", b"..."), ("empty.txt", b" ")))
    assert unread(mail) == [
        "attachment photo.heic: not supported; convert it to PDF",
        "attachment empty.txt: the document has no text",
    ]


def test_limits_the_number_of_attachments() -> None:
    mail, *files = extract_mail(mail_with(*((f"{number}.txt", b"text") for number in range(103))))
    assert len(files) == 100
    assert unread(mail) == ["3 more attachments, over the limit of 100; add the files"]


def test_file_names_are_decoded() -> None:
    source = "Content-Type: multipart/mixed; boundary=b\n\n" + "".join(
        f"--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; {name}\n\ntext\n"
        for name in (
            'filename="=?utf-8?Q?caf=C3=A9.txt?="',
            "filename*=utf-8''b%C3%A5t.txt",
            'filename="../../etc/passwd.txt"',
            'filename="kø.txt"',
        )
    )
    _, *files = extract_mail(source)
    assert [file.title for file in files] == ["café.txt", "båt.txt", "passwd.txt", "kø.txt"]


def test_attached_mails_are_documents_with_their_attachments() -> None:
    inner = mail_with(("a.txt", b"Belt 3"), text="The valve is shut.")
    inner.replace_header("Subject", "Valve")
    outer = mail_with()
    outer.add_attachment(inner)
    mail, nested, file = extract_mail(outer)
    assert mail.text == "See the files."
    assert (nested.part, nested.title, nested.text) == ("Valve.eml", "Valve", "The valve is shut.")
    assert nested.meta == {"subject": "Valve", "attached_to": "Pump"}
    assert nested.file is not None
    assert b"The valve is shut." in (nested.file.data or b"")
    assert (file.part, file.text) == ("Valve.eml-a.txt", "Belt 3")
    assert file.file is not None
    assert file.file.data == b"Belt 3"


@pytest.mark.parametrize("as_file", [False, True])
def test_limits_the_depth_of_attached_mails(as_file: bool) -> None:
    mail = mail_with(text="Level 1")
    for level in range(2, 6):
        outer = mail_with(*[("Pump.eml", bytes(mail))] * as_file, text=f"Level {level}")
        if not as_file:
            outer.add_attachment(mail)
        mail = outer
    texts = extract_mail(mail)
    assert [text.text for text in texts] == ["Level 5", "Level 4", "Level 3"]
    assert unread(texts[2]) == [
        "attachment Pump.eml: over 3 mails are attached inside each other; save this one as a file"
    ]


def test_a_long_subject_does_not_cost_the_attachments() -> None:
    mail = mail_with(("a.txt", b"The belt."))
    mail.replace_header("Subject", "Pump " * 3_000)
    _, attached = extract_mail(mail)
    assert (attached.text, len(str(attached.meta["attached_to"]))) == ("The belt.", 10_000)


def test_an_attachment_with_all_fields_that_are_allowed_is_kept() -> None:
    meta: dict[str, str | int | float | bool | None] = {f"c{number}": number for number in range(100)}
    documents = extract_eml(
        bytes(mail_with(("a.csv", b"row"))), "a.eml", lambda data, name: [ExtractedText("The belt.", meta=meta)]
    )
    assert documents[1].meta == meta


def test_small_pictures_inside_the_text_are_decoration() -> None:
    mail = EmailMessage()
    mail.set_content("Oil it. [cid:logo@x]")
    mail.add_related(b"tiny", "image", "png", cid="<logo@x>", filename="logo.zip")
    mail.add_related(b"x" * 30_000, "image", "png", cid="<plan@x>", filename="plan.zip")
    (text,) = extract_mail(mail)
    assert text.text == "Oil it."
    assert unread(text) == ["attachment plan.zip: not supported; convert it to PDF"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nMII", "is encrypted"),
        ("Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\nMII", "S/MIME signature"),
        ("Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--", "is encrypted"),
        (f"{PLAIN}-----BEGIN PGP MESSAGE-----\n\nhQIM\n-----END PGP MESSAGE-----", "is encrypted"),
        (
            "Content-Type: application/ms-tnef; name=winmail.dat\n\nx",
            r"attachment winmail\.dat: Outlook's winmail\.dat",
        ),
        ("Content-Type: message/external-body; access-type=url\n\nContent-Type: text/plain\n\n", "stored elsewhere"),
        ("Content-Type: text/html\n\n<img src='cid:page'>", "the text is a picture"),
    ],
)
def test_names_the_reason_for_what_it_cannot_read(part: str, reason: str) -> None:
    (mail,) = extract_mail(f"Subject: Pump\n{part}")
    assert mail.text == "Pump"
    assert re.search(reason, unread(mail)[0])
    with pytest.raises(InvalidInput, match=rf"a\.eml: .*{reason}"):
        extract_mail(part)


def test_signatures_and_invitations_are_not_attachments() -> None:
    (mail,) = extract_mail(
        f"Content-Type: multipart/signed; boundary=b\n\n--b\n{PLAIN}Signed text.\n"
        "--b\nContent-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN\n--b--\n"
    )
    assert (mail.text, mail.unread) == ("Signed text.", ())
    invitation = alternatives("Come on Monday.", "").replace("text/html", "text/calendar")
    assert read_text(invitation) == "Come on Monday."


def test_the_event_of_an_invitation_follows_its_text() -> None:
    entry = (
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:16010101T030000\n"
        "END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\n"
        'ORGANIZER;CN="Ann: keeper":mailto:ann@example.org\nDTSTART;TZID=Europe/Berlin:20240506T100000\n'
        "DTEND:20240506T093000Z\nSUMMARY;LANGUAGE=en:Board of the\n  museum\\, spring\nRRULE:FREQ=MONTHLY;COUNT=3\n"
        "LOCATION:Room 4\\nSouth wing\nDESCRIPTION:Come.\nBEGIN:VALARM\nSUMMARY:Alarm\nEND:VALARM\nEND:VEVENT\n"
        "BEGIN:VEVENT\nSUMMARY:Café\nDTSTART;VALUE=DATE:20240507\nDTEND:soon\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    event = (
        "Event: Board of the museum, spring\nStart: 2024-05-06 10:00 (Europe/Berlin)\nEnd: 2024-05-06 09:30 UTC\n"
        "Repeats: FREQ=MONTHLY;COUNT=3\nPlace: Room 4 South wing"
    )
    invitation = alternatives("Please come.", entry).replace("text/html", "text/calendar")
    assert read_text(invitation) == f"Please come.\n\n{event}\n\nEvent: Café\nStart: 2024-05-07\nEnd: soon"
    cancelled = invitation.replace("METHOD:REQUEST", "METHOD:CANCEL")
    assert f"{event}\nCancelled\n\nEvent: Café" in read_text(cancelled)
    assert read_text(invitation.replace("Please come.", "")).startswith("Event: Board")


def test_reads_the_report_of_a_failed_delivery() -> None:
    mail, returned = extract_mail(
        "Subject: Failed\nContent-Type: multipart/report; boundary=b\n\n"
        f"--b\n{PLAIN}It was not delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\n"
        "Status: 5.1.1\n--b\nContent-Type: message/rfc822\n\nSubject: Pump\n\nOil it.\n--b--\n"
    )
    assert mail.text == (
        "It was not delivered.\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\nStatus: 5.1.1"
    )
    assert (returned.part, returned.text) == ("Pump.eml", "Oil it.")


def test_a_mail_without_text_shows_its_subject_or_the_names_of_its_files() -> None:
    assert extract_mail(mail_with(("a.txt", b"Belt"), text=""))[0].text == "Pump"
    mail = mail_with(("a.txt", b"Belt"), text="")
    del mail["Subject"]
    assert [text.text for text in extract_mail(mail)] == ["a.txt", "Belt"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"MIME-Version: 1.0\n\n"])
def test_rejects_a_mail_without_anything(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"a\.eml: the mail has no text"):
        extract_mail(data)


@pytest.mark.parametrize(
    "header", ["From: <Saved by Blink>", "From: <Saved by Windows Internet Explorer 7>", "Snapshot-Content-Location: x"]
)
def test_rejects_a_saved_web_page(header: str) -> None:
    page = (
        f"{header}\nSubject: Pump\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>a"
    )
    with pytest.raises(
        UnsupportedFormat, match=r"a\.eml: saved web page \(MHTML web archive\).*; save the page as HTML"
    ):
        extract_mail(page)
    with pytest.raises(UnsupportedFormat, match="saved web page"):
        extract_eml(b"Subject: a\n\nText", "a.MHT", extract_part)


MAILBOX = (
    b"From mara@example.org Wed May  1 09:30:00 2024\nFrom: Mara\nSubject: One\n\nFrom 10 to 12 it is shut.\n"
    b">From here on it is open.\n\nFrom the gate:\nturn left.\n\n"
    b"From - Thu May  2 09:30:00 2024\r\nSubject: Two\r\n\r\nSecond.\r\n\r\n"
    b"From odd@example.org Fri May  3 09:30:00 2024\n\nWithout headers.\n"
)


def test_each_message_of_a_mailbox_is_a_document() -> None:
    first, second, third = extract_mbox(MAILBOX, "a.mbox", extract_part)
    assert first.text == "From 10 to 12 it is shut.\nFrom here on it is open.\n\nFrom the gate:\nturn left."
    assert [(text.part, text.title) for text in (first, second, third)] == [("1", "One"), ("2", "Two"), ("3", None)]
    assert (second.text, third.text) == ("Second.", "Without headers.")


def test_attachments_in_a_mailbox_are_named_after_their_message() -> None:
    message = b"From - Wed May  1 09:30:00 2024\n" + bytes(mail_with(("a.txt", b"Belt"), ("b.zip", b"PK"))) + b"\n"
    documents = extract_mbox(message * 2, "a.mbox", extract_part)
    assert [text.part for text in documents] == ["1", "1-a.txt", "2", "2-a.txt"]
    assert unread(documents[2]) == ["attachment b.zip: not supported; convert it to PDF"]


def test_a_message_without_text_does_not_hide_the_others() -> None:
    blank = b"From - Wed May  1 09:30:00 2024\nContent-Type: application/ms-tnef\n\nx\n\n"
    first, *_ = extract_mbox(blank + MAILBOX, "a.mbox", extract_part)
    assert (first.part, first.title) == ("2", "One")
    assert re.match(r"message 1: attachment winmail\.dat: Outlook", unread(first)[0])
    with pytest.raises(InvalidInput, match=r"a\.mbox: message 1: attachment winmail\.dat"):
        extract_mbox(blank, "a.mbox", extract_part)
    with pytest.raises(InvalidInput, match=r"a\.mbox: not a mailbox"):
        extract_mbox(b"From here", "a.mbox", extract_part)


def test_limits_the_number_of_messages() -> None:
    message = b"From - Thu May  2 09:30:00 2024\nSubject: a\n\nb\n\n"
    assert len(extract_mbox(message * 3_000, "a.mbox", extract_part)) == 3_000
    with pytest.raises(TooLarge, match=r"a\.mbox: over 10,000 messages; split the mailbox"):
        extract_mbox(message * 10_001, "a.mbox", extract_part)


def test_rejects_parts_that_are_nested_too_deeply() -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3_000))
    with pytest.raises(InvalidInput, match=r"a\.eml: the parts of the mail are nested too deeply"):
        extract_mail(nested + PLAIN + "Text")


def test_documents_of_a_mail_have_valid_ids() -> None:
    name = "Re " * 80 + ".eml"
    mail = bytes(mail_with(("x" * 300 + ".txt", b"Belt"), ("a\u2028b?.txt", b"Bolt")))
    documents = read_upload(mail, name, lambda data, name, _: extract_eml(data, name, extract_part))
    ids = [document.id for document in documents]
    assert len(set(ids)) == 3
    assert max(map(len, ids)) <= 200
    assert ids[2].endswith("-a-b-.txt")
    assert [document.text.strip() for document in documents] == ["See the files.", "Belt", "Bolt"]


VALID = alternatives("Oil it.", "<p>Oil it.</p>").encode() + MAILBOX + bytes(mail_with(("a.txt", b"Belt")))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_documents_or_an_error(data: st.DataObject) -> None:
    source = bytearray(VALID[: data.draw(st.integers(0, len(VALID)))])
    for _ in range(data.draw(st.integers(0, 12))):
        position = data.draw(st.integers(0, len(source)))
        source[position : position + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    for extractor in (extract_eml, extract_mbox):
        documents: list[ExtractedText] = []
        with suppress(QAError):
            documents = extractor(bytes(source), "a.eml", extract_part)
        assert all(text.text.strip() and "\0" not in text.text for text in documents)
