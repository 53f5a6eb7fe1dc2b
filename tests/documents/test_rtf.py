"""RTF: what the reader of the document sees is in its text, once and in its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.rtf.document import extract_rtf
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError
from qa.types import mark_at

FONTS = (
    r"{\fonttbl{\f0\fnil Times;}{\f1\froman\fcharset204 Times Cyr;}{\f2\fnil\fcharset2 Symbol;}"
    r"{\f3\fnil\fcharset128 MS Mincho;}}"
)
STYLES = r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2 Title;}{\s3 toc 1;}}"


def extracted_from(body: str, start: str = r"\ansi\ansicpg1252\deff0") -> ExtractedText:
    return extract_rtf(f"{{\\rtf1{start}{FONTS}{STYLES}{body}}}".encode("latin-1"), "a.rtf")


def text_of(body: str, start: str = r"\ansi\ansicpg1252\deff0") -> str:
    return extracted_from(body, start).text


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def test_extracts_paragraphs_headings_and_properties() -> None:
    info = (
        r"{\info{\title The pump}{\author Ada \u322?amb}{\keywords oil}{\creatim\yr2024\mo5\dy1\hr9\min30}"
        r"{\doccomm nothing}}"
    )
    extracted = extracted_from(
        info + r"\pard\s1 Oil\par\pard Every six\line weeks.\par\pard\outlinelevel1 More\par\pard The end.\par"
    )
    assert extracted.text == "Oil\n\nEvery six\nweeks.\n\nMore\n\nThe end."
    assert (section_of(extracted, "six"), section_of(extracted, "end")) == ("Oil", "More")
    assert extracted.title == "The pump"
    assert extracted.meta == {"author": "Ada łamb", "keywords": "oil", "created": "2024-05-01T09:30:00"}


def test_the_title_page_gives_the_title() -> None:
    assert extracted_from(r"\pard\s2 The pump\par\pard It is oiled.").title == "The pump"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"caf\'e9 \'80 5", "café € 5"),
        ("caf\xe9", "café"),
        (r"\u8364?5 \u-10179?\u-8690? \uc2\u228ae x", "€5 😎 ä x"),
        (r"{\f1 \'cf\'f0\'e8}", "При"),
        (r"{\f3 \'83\'41\'83A}", "アア"),
        (r"{\f2 \'6d}m and {\f2\u-3987?}", "μm and μ"),
        (r"\ldblquote a\rdblquote\~\emdash\bullet\endash", "“a”\u00a0—•–"),
        (r"co\-op a\_b \{x\} \\", "coop a-b {x} \\"),
        (r"one\'0", "one'0"),
        ("split\r\n word\\\nnext", "split word\n\nnext"),
        (r"{\*\unknown hidden}{\upr{a}{\*\ud b}}", "b"),
        (r"10{\super 6} cells and H{\sub 2}O, 5{\super th}", "10^6 cells and H2O, 5th"),
        (r"12{\v  or 99}{\deleted  or 98} crowns\v0 ", "12 crowns"),
        (r"before{\pict\bin4 }}}}}after", "beforeafter"),
        (r"{\field{\*\fldinst HYPERLINK http://x.org}{\fldrslt the site}}", "the site"),
        (
            r"Answer: {\field{\*\fldinst FORMDROPDOWN {\*\formfield{\fftype2\ffres1{\*\ffl no}{\*\ffl yes}}}}"
            r"{\fldrslt}}",
            "Answer: yes",
        ),
        (r"{\field{\*\fldinst FORMCHECKBOX {\*\formfield{\fftype1\ffdefres1}}}{\fldrslt}}", "[x]"),
        (r"E=m{\mmath{\*\moMath{\msSup{\me{\mr c}}{\msup{\mr 2}}}}}", "E=mc^2"),
        (r"{\mmath{\mf{\mnum a+1}{\mden 2}}{\msSup{\me x}{\msup n+{\mf{\mnum 1}{\mden k}}}}}", "(a+1)/2x^(n+1/k)"),
        (r"x{\super n+1} and deep.{\super 12}", "x^(n+1) and deep.[12]"),
        ("one\\'00two\x00 \\'07three \\u7?four", "onetwo three four"),
        ("outer} after the end", "outer"),
    ],
)
def test_characters_and_groups(body: str, text: str) -> None:
    assert text_of(body) == text


def test_code_pages_of_the_document() -> None:
    assert text_of(r"\'f5", r"\ansi\ansicpg1250") == "ő"
    assert text_of(r"\'8e", r"\mac") == "é"
    assert text_of(r"\'82", r"\pc") == "é"
    assert text_of(r"\'e9", r"\ansi\ansicpg99999") == "é"


def test_lists_keep_the_numbers_and_bullets_of_the_file() -> None:
    body = (
        r"{\listtext\pard 1.\tab}\ls1\ilvl0 One\par{\listtext\pard (a)\tab}\ls1\ilvl1 Deep\par"
        r"{\listtext\pard 2.\tab}\ls1\ilvl0 Two\par\pard Between.\par{\pntext\f2\'b7\tab}Bullet\par"
    )
    assert text_of(body) == "1. One\n  (a) Deep\n2. Two\n\nBetween.\n\n- Bullet"


def test_notes_text_boxes_heads_and_comments() -> None:
    body = (
        r"{\header\pard Contract KX-4471\par}{\footer\pard Page \chpgn\par}"
        r"The lake is deep{\super\chftn}{\footnote\pard{\super\chftn} Measured in 1987.} and cold"
        r"{\super\chftn}{\footnote\ftnalt\pard{\super\chftn} Seven degrees.}."
        r"{\*\annotation Really?}{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt Call 555.\par}}{\shprslt Call 555.}}\par "
        r"More.\par"
    )
    extracted = extracted_from(body)
    assert extracted.text.split("\n\n") == [
        "Contract KX-4471",
        "The lake is deep and cold.",
        "[1] Measured in 1987.",
        "[i] Seven degrees.",
        "Call 555.",
        "More.",
    ]
    assert [unread.reason for unread in extracted.unread] == ["1 comment in the margin, which the text leaves out"]


def row(*cells: str, edges: tuple[int, ...] = (), flags: tuple[str, ...] = (), start: str = "") -> str:
    edges = edges or tuple(1000 * (number + 1) for number in range(len(cells)))
    flags = flags or ("",) * len(cells)
    definitions = "".join(f"{flag}\\cellx{edge}" for flag, edge in zip(flags, edges, strict=True))
    contents = "".join(f"{cell}\\cell " for cell in cells)
    return f"\\trowd{start}{definitions}\\pard\\intbl {contents}\\row "


def test_a_merged_cell_is_repeated_in_each_row_and_column() -> None:
    body = (
        row("Region", "Sales", edges=(1000, 3000))
        + row("", "May", "June")
        + row("North", "41", "46", flags=("\\clvmgf", "", ""))
        + row("", "51", "56", flags=("\\clvmrg", "", ""))
        + row("South", "60", "", flags=("", "\\clmgf", "\\clmrg"))
    )
    extracted = extracted_from(rf"Before.\par {body}\pard After.\par")
    assert extracted.text == (
        "Before.\n\nRegion | Sales | Sales\n | May | June\nNorth | 41 | 46\nNorth | 51 | 56\nSouth | 60 | 60\n\nAfter."
    )
    assert extracted.tables[0].header == ("Region", "Sales May", "Sales June")


def test_header_rows_are_marked() -> None:
    extracted = extracted_from(row("Task", "Keeper", start="\\trhdr") + row("Oil", "Ines") + r"\pard")
    assert (extracted.tables[0].header_rows, extracted.text) == (1, "Task | Keeper\nOil | Ines")


def test_a_table_in_a_cell_is_a_table() -> None:
    nested = r"\pard\intbl\itap2 Belt\nestcell 3\nestcell{\*\nesttableprops\trowd\cellx500\cellx900\nestrow}"
    body = rf"\trowd\cellx1000\cellx2000\pard\intbl Prices\par {nested}{nested}\pard\intbl\cell Beside\cell\row\pard"
    assert text_of(body) == "Prices\n\nBelt | 3\nBelt | 3\n\nBeside"


def test_a_table_of_contents_is_marked_as_such() -> None:
    extracted = extracted_from(r"\pard\s3 Oil 3\par\pard Oil it.\par")
    assert [mark.kind for mark in extracted.marks] == ["contents", "text"]


def test_a_large_picture_is_reported_also_in_a_document_with_much_text() -> None:
    text = "Oil it. " * 100
    large = r"{\pict\pngblip\picwgoal4536\pichgoal6804 01}{\pict\picwgoal9072\pichgoal13608\picscalex50\picscaley10 01}"
    small = r"{\pict\picwgoal600\pichgoal600 01}"
    assert [unread.reason for unread in extracted_from(f"{text}{large}{small}").unread] == [
        "1 large picture, perhaps of text"
    ]


def test_many_characters_are_read_in_linear_time() -> None:
    body = r"\'e9" * 600_000
    started = time.process_time()
    assert len(text_of(body)) == 600_000
    assert time.process_time() - started < 3


def test_pictures_and_objects_are_reported() -> None:
    extracted = extracted_from(r"See{\pict\wmetafile8 0102}{\object\objemb{\*\objdata 01}{\result{\pict 01}}} below.")
    assert extracted.text == "See below."
    assert [unread.reason for unread in extracted.unread] == ["2 pictures, perhaps of text", "1 embedded object"]


def test_rejects_other_files() -> None:
    with pytest.raises(InvalidInput, match=r"^a\.rtf: not an RTF file, or damaged"):
        extract_rtf(b"plain", "a.rtf")


def test_deeply_nested_groups_are_read_in_time() -> None:
    for opening in (b"{", rb"{\footnote x", rb"{\field{\fldrslt x", rb"{\trowd\cell\row"):
        extracted = extract_rtf(rb"{\rtf1 Seen. " + opening * 20_000, "a.rtf")
        assert extracted.text.startswith("Seen.")


WHOLE = (
    f"{{\\rtf1\\ansi{FONTS}{STYLES}{{\\info{{\\title T}}}}{row('a', 'b')}\\pard x{{\\footnote y}}\\u8364?{{\\super 2}}"
    "{\\field{\\*\\fldinst X}{\\fldrslt z}}\\par}"
)


@settings(max_examples=400, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from("\\{}'*ucellx0 9-\xff")), min_size=1, max_size=10),
    cut=st.booleans(),
)
def test_damaged_files_give_text_or_a_clear_error(changes: list[tuple[float, str]], cut: bool) -> None:
    characters = list(WHOLE)
    for position, character in changes:
        characters[int(position * len(characters))] = character
    if cut:
        del characters[int(changes[0][0] * len(characters)) :]
    rejection = None
    try:
        extracted = extract_rtf("".join(characters).encode("latin-1"), "a.rtf")
    except QAError as error:
        rejection = error
    if rejection:
        assert rejection.message.startswith("a.rtf: ")
    else:
        assert isinstance(extracted.text, str)
