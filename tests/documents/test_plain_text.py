"""Decoding of text: the most likely encoding, every character in its place, and reports of what is not valid."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.plain_text import decode, decode_text, extract_plain
from qa.errors import UnsupportedFormat
from qa.types import Unread

ENGLISH = "The café’s pump – “old” – costs €40. Zoë paid £3 for it at 20 °C."
GERMAN = "Der Hörsaal über dem Café ist größer als früher, und die Bänke wurden für Gäste geöffnet. "
RUSSIAN = "Насос смазывают каждые шесть недель, и никогда не оставляют его сухим. "
JAPANESE = "ポンプは六週間ごとに注油される。乾いたまま放置してはならない。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "utf-8"),
        (ENGLISH, "utf-8-sig"),
        (ENGLISH, "utf-16"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        (ENGLISH, "utf-32"),
        (ENGLISH, "utf-32-le"),
        (ENGLISH, "utf-32-be"),
        (RUSSIAN, "utf-16-le"),
        (JAPANESE + "\r\n" + JAPANESE, "utf-16-be"),
        (ENGLISH, "cp1252"),
        ("It costs £5.", "cp1252"),
        ("“Yes”", "cp1252"),
        ("100 °C", "latin-1"),
        ("½ cup of sugar", "latin-1"),
        ("El niño comió piñas.", "latin-1"),
        (GERMAN * 3, "latin-1"),
        ("Le prix est de 12 ¤ pour l'été.".replace("¤", "€"), "iso8859_15"),
        ("It’s a café – “old” and naïve.", "mac_roman"),
        ("The café sells crème.", "cp850"),
        (RUSSIAN * 3, "cp1251"),
        (RUSSIAN * 3, "koi8-r"),
        (JAPANESE * 3, "shift_jis"),
        (JAPANESE * 3, "iso2022_jp"),
    ],
)
def test_the_most_likely_encoding_is_chosen(text: str, encoding: str) -> None:
    decoded = decode_text(text.encode(encoding), "a.txt")
    assert (decoded.text, decoded.unread) == (text, ())


def test_the_plain_words_of_a_dos_code_page_are_read() -> None:
    text = decode(b"The caf\x82 sells cr\x8ame and na\x8bve ideas at 4\xab.", "a.txt")
    assert "sells" in text
    assert "ideas at 4" in text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café", "cp1252"),
        ("Le café de la gare est fermé, dit la mère. " * 20, "cp1252"),
        ("Насос смазывают каждые шесть недель, а ремень меняют. " * 20, "cp1251"),
        ("ポンプには六週間ごとに油をさす。 ベルトは乾いたら交換する。 " * 200, "shift_jis"),
    ],
)
def test_the_encoding_is_chosen_from_the_bytes_beyond_ascii_wherever_they_are(text: str, encoding: str) -> None:
    text = "The pump is oiled. " * 11_000 + text
    assert extract_plain(text.encode(encoding), "a.txt").text == text


def test_one_bad_byte_costs_one_character_of_utf_8() -> None:
    text = "The café of Zoë sells crème. "
    decoded = decode_text(text.encode() * 3 + b"One bad byte: \xe9 here. " + text.encode(), "a.txt")
    assert decoded.text == f"{text * 3}One bad byte: \ufffd here. {text}"
    assert decoded.unread == (Unread(None, "1 byte is not valid UTF-8; replaced by U+FFFD"),)


def test_a_character_cut_at_the_end_of_the_file_costs_one_character() -> None:
    decoded = decode_text("The café of Zoë costs 3 €".encode()[:-1], "a.txt")
    assert decoded.text == "The café of Zoë costs 3 \ufffd"
    assert len(decoded.unread) == 1


def test_replacement_characters_of_the_text_are_not_counted_as_invalid() -> None:
    decoded = decode_text("a \ufffd b é c".encode() + b"\xe9!", "a.txt")
    assert decoded.text == "a \ufffd b é c\ufffd!"
    assert decoded.unread == (Unread(None, "1 byte is not valid UTF-8; replaced by U+FFFD"),)


def test_a_byte_that_windows_1252_does_not_have_is_reported() -> None:
    decoded = decode_text(b"The caf\xe9\x92s pump \x9d old, the na\xefve one.", "a.txt")
    assert decoded.text == "The café’s pump \ufffd old, the naïve one."
    assert decoded.unread == (Unread(None, "1 byte is not valid Windows-1252; replaced by U+FFFD"),)


def test_nul_bytes_in_a_text_are_replaced_and_padding_is_dropped() -> None:
    decoded = decode_text(
        b"The pump is oiled every six weeks,\0\0 and the belt is changed yearly.\n" * 2 + b"\0" * 500, "a.log"
    )
    assert decoded.text == "The pump is oiled every six weeks,\ufffd and the belt is changed yearly.\n" * 2
    assert decoded.unread == (Unread(None, "2 places are not text but NUL bytes; replaced by U+FFFD"),)


@pytest.mark.parametrize("data", [b"ab\0cd", bytes(range(256)) * 3, b"\x7fELF\2\1\1" + bytes(60), b"\3\4\5words\6\7"])
def test_binary_files_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"a\.bin: binary file of an unknown format, not text; convert it"):
        decode(data, "a.bin")


@pytest.mark.parametrize(
    "text",
    [
        "One line.\r\nTwo lines.\rThree lines.\nFour.",
        "Page one ends.\f\nPage two.",
        "soft\u00adhyphen, zero\u200bwidth, joined\u2060word, \ufeffmark within",
        "\x1b[31mred\x1b[0m and N\bNA\bAM\bME\bE",
        "",
        "🙂 é",
    ],
)
def test_plain_text_is_kept_as_it_is(text: str) -> None:
    extracted = extract_plain(text.encode(), "a.txt")
    assert (extracted.text, extracted.unread) == (text, ())


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_in_utf_8_is_read_unchanged(text: str) -> None:
    assert decode(text.encode(), "a.txt") == text.removeprefix("\ufeff")
    assert decode(codecs.BOM_UTF16_LE + text.encode("utf-16-le"), "a.txt") == text


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_text_that_can_be_stored_or_an_error(data: bytes) -> None:
    rejection, text = None, ""
    try:
        text = decode(data, "a.txt")
    except UnsupportedFormat as error:
        rejection = error
    assert rejection is None or rejection.message.startswith("a.txt: ")
    assert "\0" not in text
    assert text.encode().decode() == text
