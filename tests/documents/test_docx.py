"""DOCX: what the reader of a Word document sees is in its text, once and in its place."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.docx.document import extract_docx
from qa.documents.extract.formats import extract
from qa.documents.extract.office.xml_tree import PREFIXES
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat
from qa.types import Unread, mark_at
from tests.documents.files import docx_with_compressed_text
from tests.documents.fuzzing import assert_rejects_file
from tests.documents.office_files import (
    OLE,
    archive,
    cell,
    docx_file,
    numbered,
    paragraph,
    part,
    relationships,
    row,
    run,
    table,
)


def extracted_from(body: str, **parts: str | bytes) -> ExtractedText:
    return extract_docx(docx_file(body, parts), "a.docx")


def text_of(body: str, **parts: str | bytes) -> str:
    return extracted_from(body, **parts).text


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def style(identifier: str, name: str, properties: str = "", *, based_on: str = "", kind: str = "paragraph") -> str:
    base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    return f'<w:style w:type="{kind}" w:styleId="{identifier}"><w:name w:val="{name}"/>{base}{properties}</w:style>'


def level(number: int, format: str, text: str, properties: str = "", *, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{format}"/>{properties}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def numbering(*levels: str, overrides: str = "") -> str:
    return part(
        "numbering",
        f'<w:abstractNum w:abstractNumId="7">{"".join(levels)}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        f'<w:num w:numId="2"><w:abstractNumId w:val="7"/>{overrides}</w:num>',
    )


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    document.add_heading("The pump", 0)
    document.add_heading("Oil", 1)
    document.add_paragraph("Every six weeks.")
    for words in ("one", "two"):
        document.add_paragraph(words, style="List Bullet")
    table = document.add_table(2, 2)
    for index, words in enumerate(("Part", "Price", "Belt", "3 euro")):
        table.cell(index // 2, index % 2).text = words
    document.add_heading("More", 2)
    document.add_paragraph("The end.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


WORD = word()


def test_extracts_paragraphs_lists_and_tables_in_sections() -> None:
    extracted = extract_docx(WORD, "a.docx")
    assert extracted.text == (
        "The pump\n\nOil\n\nEvery six weeks.\n\n- one\n- two\n\nPart | Price\nBelt | 3 euro\n\nMore\n\nThe end."
    )
    assert extracted.title == "The pump"
    assert [section_of(extracted, words) for words in ("six", "Belt", "end")] == ["Oil", "Oil", "More"]
    (found,) = extracted.tables
    assert (found.header, found.header_rows, found.labelled) == (("Part", "Price"), 1, True)


def test_a_document_without_properties_has_no_metadata() -> None:
    stripped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORD)) as source, zipfile.ZipFile(stripped, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "_rels/.rels":
                content = re.sub(rb"<Relationship [^>]*core-properties[^>]*/>", b"", content)
            if name != "docProps/core.xml":
                target.writestr(name, content)
    extracted = extract_docx(stripped.getvalue(), "a.docx")
    assert (extracted.title, extracted.meta) == ("The pump", {})


def test_properties_become_metadata() -> None:
    document = docx.Document()
    document.add_paragraph("It is oiled.")
    properties = document.core_properties
    properties.author, properties.subject, properties.keywords = "Ada Lamb", "", "oil"
    properties.created = datetime(2024, 5, 1, tzinfo=UTC)
    properties.modified = datetime(2025, 6, 2, tzinfo=UTC)
    output = io.BytesIO()
    document.save(output)
    extracted = extract_docx(output.getvalue(), "a.docx")
    assert extracted.meta == {
        "author": "Ada Lamb",
        "keywords": "oil",
        "created": "2024-05-01T00:00:00+00:00",
        "modified": "2025-06-02T00:00:00+00:00",
    }


def test_includes_insertions_controls_and_nested_tables() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("The fee is ")
    for tag, words in (("ins", "forty euros"), ("del", "ten euros")):
        text = f'<w:t xml:space="preserve">{words}</w:t>' if tag == "ins" else f"<w:delText>{words}</w:delText>"
        paragraph._p.append(parse_xml(f'<w:{tag} {nsdecls("w")} w:id="1"><w:r>{text}</w:r></w:{tag}>'))
    paragraph.add_run(" a year.")
    table = document.add_table(2, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Left", "Right"
    table.cell(1, 0).text = "Outer"
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "Inner"
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Controlled.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(0, parse_xml(control))
    file = io.BytesIO()
    document.save(file)
    extracted = extract_docx(file.getvalue(), "a.docx")
    assert extracted.text == "Controlled.\n\nThe fee is forty euros a year.\n\nLeft | Right\nOuter | Inner"


# Notes, heads and comments


def note(kind: str, id: int, text: str) -> str:
    return f'<w:{kind} w:id="{id}"><w:p><w:r><w:{kind}Ref/></w:r>{run(text)}</w:p></w:{kind}>'


def reference(kind: str, id: int) -> str:
    return f'<w:r><w:{kind}Reference w:id="{id}"/></w:r>'


def test_a_note_follows_the_paragraph_that_cites_it() -> None:
    body = (
        f"<w:p>{run('The lake is 61 metres deep')}{reference('footnote', 5)}{run(' and cold')}"
        f"{reference('endnote', 6)}{run('.')}</w:p>{paragraph('It has two islands.')}"
    )
    footnotes = part("footnotes", note("footnote", 4, "Never cited.") + note("footnote", 5, "Measured in 1987."))
    endnotes = part("endnotes", note("endnote", 6, "Seven degrees."))
    assert text_of(body, footnotes=footnotes, endnotes=endnotes) == (
        "The lake is 61 metres deep and cold.\n\n[1] Measured in 1987.\n\n[i] Seven degrees.\n\nIt has two islands."
    )


def test_notes_of_a_table_follow_the_table() -> None:
    cited = f"<w:tc><w:p>{run('41')}{reference('footnote', 1)}</w:p></w:tc>"
    footnotes = part("footnotes", note("footnote", 1, "Estimated."))
    assert text_of(table(row("North", cited), row("South", "52")), footnotes=footnotes) == (
        "North | 41\nSouth | 52\n\n[1] Estimated."
    )


def test_each_running_head_is_included_once_without_page_numbers() -> None:
    page = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("3")}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    body = (
        paragraph("Rent is due in May.")
        + '<w:sectPr><w:headerReference w:type="default" r:id="header1"/><w:headerReference w:type="even" '
        + 'r:id="header2"/><w:footerReference w:type="default" r:id="footer1"/></w:sectPr>'
    )
    head = part("hdr", paragraph("Contract KX-4471, version 3"))
    foot = part("ftr", f"<w:p>{run('Page ')}{page}{run(' of 9')}</w:p>")
    assert text_of(body, header1=head, header2=head, footer1=foot) == (
        "Contract KX-4471, version 3\n\nRent is due in May."
    )


def test_comments_are_left_out_and_counted() -> None:
    body = f'<w:p>{run("Rent is 650 crowns.")}<w:r><w:commentReference w:id="1"/></w:r></w:p>'
    comments = part("comments", f'<w:comment w:id="1">{paragraph("Too much?")}</w:comment>')
    extracted = extracted_from(body, comments=comments)
    assert extracted.text == "Rent is 650 crowns."
    assert extracted.unread == (Unread(None, "1 comment in the margin, which the text leaves out"),)


# Automatic numbers

CLAUSES = numbering(
    level(0, "decimal", "%1.", '<w:pStyle w:val="Clause"/>'),
    level(1, "decimal", "%1.%2"),
    level(2, "lowerLetter", "(%3)"),
    level(3, "lowerRoman", "(%4)"),
    level(4, "upperLetter", "%5)"),
    level(5, "bullet", "\uf0b7"),
    overrides='<w:lvlOverride w:ilvl="1"><w:startOverride w:val="4"/></w:lvlOverride>',
)


def test_numbers_that_word_computes_are_in_the_text() -> None:
    body = (
        numbered("Definitions")
        + numbered("Works are in Annex A.", 1)
        + numbered("Term")
        + numbered("It ends unless:", 1)
        + numbered("it is renewed;", 2)
        + numbered("a party is wound up:", 2)
        + numbered("by a court;", 3)
        + numbered("by itself.", 3)
        + numbered("Notice is given under 2.1(a).", 1)
        + numbered("in writing;", 2)
    )
    assert text_of(body, numbering=CLAUSES).split("\n") == [
        "1. Definitions",
        "  1.1 Works are in Annex A.",
        "2. Term",
        "  2.1 It ends unless:",
        "    (a) it is renewed;",
        "    (b) a party is wound up:",
        "      (i) by a court;",
        "      (ii) by itself.",
        "  2.2 Notice is given under 2.1(a).",
        "    (a) in writing;",
    ]


def test_a_start_override_restarts_a_list_and_its_other_levels_continue() -> None:
    body = numbered("One") + numbered("a", 1) + numbered("b", 1) + numbered("c", 1, 2) + numbered("Two", 0, 2)
    labels = [line.split()[0] for line in text_of(body, numbering=CLAUSES).splitlines()]
    assert labels == ["1.", "1.1", "1.2", "1.4", "2."]


def test_a_skipped_level_counts_as_used() -> None:
    body = numbered("Intro", 1) + numbered("First") + numbered("Deep", 2) + numbered("Next", 1)
    labels = [line.split()[0] for line in text_of(body, numbering=CLAUSES).splitlines()]
    assert labels == ["1.1", "2.", "(a)", "2.2"]


def test_a_level_restarts_only_after_the_level_that_it_names() -> None:
    definition = numbering(
        level(0, "decimal", "%1."),
        level(1, "decimal", "%2)", '<w:lvlRestart w:val="0"/>'),
    )
    body = numbered("A") + numbered("a", 1) + numbered("B") + numbered("b", 1)
    labels = [line.split()[0] for line in text_of(body, numbering=definition).splitlines()]
    assert labels == ["1.", "1)", "2.", "2)"]


@pytest.mark.parametrize(
    ("format", "start", "expected"),
    [
        ("decimalZero", 9, "09"),
        ("lowerLetter", 27, "aa"),
        ("upperLetter", 3, "C"),
        ("lowerRoman", 19, "xix"),
        ("upperRoman", 49, "XLIX"),
        ("ordinal", 22, "22nd"),
        ("cardinalText", 21, "Twenty-one"),
        ("ordinalText", 12, "Twelfth"),
        ("decimalEnclosedCircle", 3, "③"),
        ("chicago", 2, "2"),
    ],
)
def test_numbers_have_the_format_of_their_level(format: str, start: int, expected: str) -> None:
    definition = numbering(level(0, format, "Article %1:", start=start))
    assert text_of(numbered("Scope"), numbering=definition) == f"Article {expected}: Scope"


def test_a_level_in_legal_style_shows_all_numbers_in_digits() -> None:
    definition = numbering(level(0, "upperRoman", "%1."), level(1, "decimal", "%1.%2", "<w:isLgl/>"))
    assert text_of(numbered("A") + numbered("b", 1), numbering=definition) == "I. A\n  1.1 b"


def test_a_style_sets_the_list_and_the_list_sets_its_level() -> None:
    styles = part(
        "styles",
        style("Clause", "Clause", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>')
        + style("Sub", "Sub", '<w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr>', based_on="Clause"),
    )
    body = "".join(
        paragraph(words, f'<w:pStyle w:val="{name}"/>{properties}')
        for words, name, properties in (
            ("Rent", "Clause", ""),
            ("It is due in May.", "Sub", ""),
            ("Not counted", "Clause", '<w:numPr><w:numId w:val="0"/></w:numPr>'),
            ("End", "Clause", ""),
        )
    )
    assert text_of(body, styles=styles, numbering=CLAUSES) == (
        "1. Rent\n  1.1 It is due in May.\n\nNot counted\n\n2. End"
    )


def test_a_numbering_style_stands_for_another_list() -> None:
    definition = part(
        "numbering",
        f'<w:abstractNum w:abstractNumId="1">{level(0, "upperLetter", "%1.")}</w:abstractNum>'
        '<w:abstractNum w:abstractNumId="2"><w:numStyleLink w:val="Letters"/></w:abstractNum>'
        '<w:num w:numId="8"><w:abstractNumId w:val="1"/></w:num>'
        '<w:num w:numId="9"><w:abstractNumId w:val="2"/></w:num>',
    )
    properties = '<w:pPr><w:numPr><w:numId w:val="8"/></w:numPr></w:pPr>'
    styles = part("styles", style("Letters", "Letters", properties, kind="numbering"))
    body = numbered("one", 0, 9) + numbered("two", 0, 9)
    assert text_of(body, numbering=definition, styles=styles) == "A. one\nB. two"


def test_a_numbered_heading_begins_a_section_with_its_number() -> None:
    styles = part("styles", style("Clause", "heading 1", '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>'))
    heading = '<w:pStyle w:val="Clause"/><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    body = paragraph("Term", heading) + paragraph("It ends.") + paragraph("Rent", heading) + paragraph("In May.")
    extracted = extracted_from(body, styles=styles, numbering=CLAUSES)
    assert (section_of(extracted, "ends"), section_of(extracted, "In May")) == ("1. Term", "2. Rent")


def test_the_number_of_an_empty_paragraph_is_all_that_a_cell_shows() -> None:
    blank = f"<w:tc>{numbered('')}</w:tc>"
    assert text_of(table(row(blank, "Belt"), row(blank, "Pump")), numbering=CLAUSES) == "1. | Belt\n2. | Pump"


# Headings


@pytest.mark.parametrize(
    ("styles", "properties"),
    [
        ("", '<w:outlineLvl w:val="0"/>'),
        ("", '<w:pStyle w:val="Heading1"/>'),
        (style("berschrift1", "heading 1"), '<w:pStyle w:val="berschrift1"/>'),
        (style("Heading2", "Überschrift 2"), '<w:pStyle w:val="Heading2"/>'),
        (style("Kop", "Kop", '<w:pPr><w:outlineLvl w:val="3"/></w:pPr>'), '<w:pStyle w:val="Kop"/>'),
        (style("Heading1", "heading 1") + style("Own", "Own", based_on="Heading1"), '<w:pStyle w:val="Own"/>'),
    ],
)
def test_headings_are_known_by_level_name_identifier_and_base(styles: str, properties: str) -> None:
    extracted = extracted_from(
        paragraph("Penalties", properties) + paragraph("It is 40."), styles=part("styles", styles)
    )
    assert section_of(extracted, "40") == "Penalties"


def test_a_clause_in_the_style_of_a_heading_is_no_section() -> None:
    clause = "The tenant keeps the boathouse in good order and pays for each lamp. " * 4
    extracted = extracted_from(paragraph(clause, '<w:pStyle w:val="Heading2"/>') + paragraph("It is 40."))
    assert section_of(extracted, "It is 40") is None


def test_a_table_of_contents_is_marked_as_such() -> None:
    styles = part("styles", style("Verzeichnis1", "toc 1"))
    gallery = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    body = (
        paragraph("Oil 3", '<w:pStyle w:val="Verzeichnis1"/>')
        + f"<w:sdt>{gallery}<w:sdtContent>{paragraph('Water 4')}</w:sdtContent></w:sdt>"
        + paragraph("Oil it.")
    )
    extracted = extracted_from(body, styles=styles)
    kinds = [
        mark.kind
        for words in ("Oil 3", "Water", "Oil it")
        if (mark := mark_at(extracted.marks, extracted.text.index(words)))
    ]
    assert kinds == ["contents", "contents", "text"]


# Runs


def test_equations_are_lines_of_text() -> None:
    def m(tag: str, content: str) -> str:
        return f"<m:{tag}>{content}</m:{tag}>"

    def t(words: str) -> str:
        return m("r", m("t", words))

    square = m("sSup", m("e", t("c")) + m("sup", t("2")))
    fraction = m("f", m("num", t("a+b")) + m("den", t("2")))
    sum_ = m("nary", '<m:naryPr><m:chr m:val="∑"/></m:naryPr>' + m("sub", t("i=1")) + m("sup", t("n")) + m("e", t("x")))
    root = m("rad", m("deg", "") + m("e", t("x+1")))
    sub = m("sSub", m("e", t("T")) + m("sub", t("0")))
    sine = m("func", m("fName", t("sin")) + m("e", t("x")))
    bracket = m("d", m("e", t("x,y")))
    matrix = m("m", m("mr", m("e", t("1")) + m("e", t("0"))) + m("mr", m("e", t("0")) + m("e", t("1"))))
    accent = m("acc", '<m:accPr><m:chr m:val="\u0302"/></m:accPr>' + m("e", t("a")))
    body = "".join(
        f"<w:p>{run('It is ')}{m('oMath', content)}{run(' here.')}</w:p>"
        for content in (t("E=m") + square, fraction, sum_, root, sub, sine, bracket, matrix, accent)
    )
    assert text_of(body).split("\n\n") == [
        "It is E=mc^2 here.",
        "It is (a+b)/2 here.",
        "It is ∑_(i=1)^n x here.",
        "It is √(x+1) here.",
        "It is T_0 here.",
        "It is sin x here.",
        "It is (x,y) here.",
        "It is [1, 0; 0, 1] here.",
        "It is â here.",
    ]


def raised(text: str, alignment: str = "superscript") -> str:
    return run(text, f'<w:vertAlign w:val="{alignment}"/>')


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (run("10") + raised("6") + run(" cells"), "10^6 cells"),
        (run("10") + raised("-") + raised("3"), "10^-3"),
        (run("5") + raised("th") + run(" day"), "5th day"),
        (run("deep.") + raised("12"), "deep.[12]"),
        (run("x") + raised("n") + raised("+1") + run(" grows"), "x^(n+1) grows"),
        (run("x") + raised("1/2"), "x^(1/2)"),
        (run("Ca") + raised("2+") + run(" ions"), "Ca^2+ ions"),
        (run("M") + raised("me") + run(" Ada"), "Mme Ada"),
        (run("H") + raised("2", "subscript") + run("O"), "H2O"),
        (run("101") + raised("2", "subscript"), "101_2"),
        (run("Brand") + raised("TM"), "BrandTM"),
        (run("7", '<w:rStyle w:val="Power"/>') + run("See"), "7See"),
        (run("2") + run("n", '<w:rStyle w:val="Power"/>'), "2^n"),
    ],
)
def test_raised_and_lowered_text_is_not_glued_to_numbers(runs: str, expected: str) -> None:
    styles = part(
        "styles", style("Power", "Power", '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>', kind="character")
    )
    assert text_of(f"<w:p>{runs}</w:p>", styles=styles) == expected


def test_symbols_hyphens_and_invisible_characters() -> None:
    invisible = " co\u00adop ab\u200bc \uf061"
    body = (
        f'<w:p>{run("5 ")}<w:r><w:sym w:font="Symbol" w:char="F06D"/></w:r>{run("m; ")}'
        f'<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>{run(" fur")}<w:r><w:softHyphen/></w:r>{run("ther")}'
        f"{run(invisible)}<w:r><w:noBreakHyphen/></w:r>{run('x')}</w:p>"
    )
    assert text_of(body) == "5 μm; ☑ further coop abc α-x"


def test_ruby_is_in_brackets_after_its_word() -> None:
    ruby = f"<w:ruby><w:rt>{run('toh')}</w:rt><w:rubyBase>{run('East')}</w:rubyBase></w:ruby>"
    body = f"<w:p><w:r>{ruby}</w:r>{run(' gate')}</w:p>"
    assert text_of(body) == "East (toh) gate"


def test_hidden_text_is_left_out() -> None:
    styles = part(
        "styles",
        style("Secret", "Secret", "<w:rPr><w:vanish/></w:rPr>")
        + style("Draft", "Draft", "<w:rPr><w:vanish/></w:rPr>", kind="character"),
    )
    body = (
        "<w:p>"
        + run("The fee is 12")
        + run(" or 99", "<w:vanish/>")
        + run(" or 98", '<w:rStyle w:val="Draft"/>')
        + run(" crowns.", '<w:vanish w:val="0"/>')
        + "</w:p>"
        + paragraph("It was 97.", '<w:pStyle w:val="Secret"/>')
        + table(row("Fee", "12"), row("Fee", "96", properties="<w:hidden/>"), row("Rent", "11"))
    )
    assert text_of(body, styles=styles) == "The fee is 12 crowns.\n\nFee | 12\nRent | 11"


def test_tracked_changes_are_read_as_accepted() -> None:
    deleted = '<w:rPr><w:del w:id="1"/></w:rPr>'
    body = (
        f'<w:p>{run("Rent is ")}<w:del w:id="1"><w:r><w:delText>500</w:delText></w:r></w:del>'
        f'<w:ins w:id="2">{run("650")}</w:ins><w:moveFrom w:id="3">{run(" old")}</w:moveFrom>'
        f'<w:moveTo w:id="4">{run(" crowns")}</w:moveTo>{run(".")}</w:p>'
        + paragraph("It is due ", deleted)
        + paragraph("in May.")
        + table(row("May", "1"), row("June", "2", properties='<w:del w:id="5"/>'), row("July", "3"))
    )
    assert text_of(body) == "Rent is 650 crowns.\n\nIt is due in May.\n\nMay | 1\nJuly | 3"


def field(instruction: str, result: str = "", data: str = "") -> str:
    separate = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(result)}' if result else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin">{data}</w:fldChar></w:r><w:r><w:instrText>{instruction}</w:instrText>'
        f'</w:r>{separate}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


CHOICES = '<w:listEntry w:val="no"/><w:listEntry w:val="yes"/>'


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            field("FORMDROPDOWN", data=f'<w:ffData><w:ddList><w:result w:val="1"/>{CHOICES}</w:ddList></w:ffData>'),
            "yes",
        ),
        (field("FORMDROPDOWN", data=f"<w:ffData><w:ddList>{CHOICES}</w:ddList></w:ffData>"), "no"),
        (field("FORMCHECKBOX", data="<w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData>"), "[x]"),
        (field("FORMCHECKBOX", data='<w:ffData><w:checkBox><w:default w:val="0"/></w:checkBox></w:ffData>'), "[ ]"),
        (field("FORMTEXT", "Ines", "<w:ffData><w:textInput/></w:ffData>"), "Ines"),
        (field("HYPERLINK http://x.org", "the site"), "the site"),
        (field(r"EQ \f(1,2)"), "1/2"),
        (field("SYMBOL 109 \\f Symbol"), "μ"),
        ('<w:fldSimple w:instr="DATE"><w:r><w:t>5 May</w:t></w:r></w:fldSimple>', "5 May"),
        (f"<w:sdt><w:sdtPr><w:dropDownList/></w:sdtPr><w:sdtContent>{run('blue')}</w:sdtContent></w:sdt>", "blue"),
    ],
)
def test_fields_and_controls_show_their_value(shown: str, expected: str) -> None:
    assert text_of(f"<w:p>{run('Answer: ')}{shown}{run('.')}</w:p>") == f"Answer: {expected}."


def test_a_field_that_never_ends_hides_nothing() -> None:
    body = f'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>{run("inside")}</w:p>' + paragraph("It stays.")
    assert text_of(body) == "It stays."


# Drawings


@pytest.mark.parametrize(("state", "shown"), [("1", "[x] Oiled"), ("0", "[ ] Oiled")])
def test_a_check_box_of_a_content_control_shows_its_state(state: str, shown: str) -> None:
    box = f'<w14:checkbox xmlns:w14="{PREFIXES["w14"]}"><w14:checked w14:val="{state}"/></w14:checkbox>'
    control = f"<w:sdt><w:sdtPr>{box}</w:sdtPr><w:sdtContent>{run('☒')}</w:sdtContent></w:sdt>"
    assert text_of(f"<w:p>{control}{run(' Oiled')}</w:p>") == shown


def drawing(content: str, *, size: int = 4_000_000) -> str:
    return f'<w:r><w:drawing><wp:inline><wp:extent cx="{size}" cy="{size}"/>{content}</wp:inline></w:drawing></w:r>'


def test_a_text_box_is_read_once_and_apart_from_its_sentence() -> None:
    box = f"<w:txbxContent>{paragraph('Call 555-0199.')}</w:txbxContent>"
    body = (
        f"<w:p>{run('It opens in May.')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{drawing(box)}</mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        f"{run(' It closes in October.')}</w:p>"
    )
    assert text_of(body) == "It opens in May. It closes in October.\n\nCall 555-0199."


def test_charts_and_diagrams_are_read() -> None:
    def points(texts: list[str]) -> str:
        return "".join(f'<c:pt idx="{n}"><c:v>{text}</c:v></c:pt>' for n, text in enumerate(texts))

    def series(name: str, values: list[str]) -> str:
        return (
            f"<c:ser><c:tx><c:strRef><c:strCache>{points([name])}</c:strCache></c:strRef></c:tx>"
            f"<c:cat><c:strRef><c:strCache>{points(['May', 'June'])}</c:strCache></c:strRef></c:cat>"
            f"<c:val><c:numRef><c:numCache><c:formatCode>0%</c:formatCode>{points(values)}</c:numCache></c:numRef></c:val>"
            "</c:ser>"
        )

    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Visitors</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    north, south = series("North", ["0.41", "0.4599999999999"]), series("South", ["0.5", "0.6"])
    plot = f"<c:plotArea><c:barChart>{north}{south}</c:barChart></c:plotArea>"
    chart = part("c:chartSpace", f"<c:chart>{title}{plot}</c:chart>")

    def point(id: int, text: str, kind: str = "node") -> str:
        return f'<dgm:pt modelId="{id}" type="{kind}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'

    links = "".join(
        f'<dgm:cxn srcId="{parent}" destId="{child}" srcOrd="{order}"/>'
        for parent, child, order in ((0, 3, 0), (0, 1, 1), (3, 2, 0))
    )
    points_of_diagram = point(0, "", "doc") + point(1, "Ship it") + point(2, "Oil it") + point(3, "Build it")
    diagram = part("dgm:dataModel", points_of_diagram + links)
    graphics = ('<c:chart r:id="chart1"/>', '<dgm:relIds r:dm="data1"/>')
    body = f"<w:p>{''.join(map(drawing, graphics))}</w:p>"
    extracted = extracted_from(body, chart1=chart, data1=diagram)
    assert extracted.text == (
        "Visitors\n\n | North | South\nMay | 41% | 50%\nJune | 46% | 60%\n\n- Build it\n  - Oil it\n- Ship it"
    )
    assert extracted.tables[0].header == ("", "North", "South")
    assert extracted.unread == ()


def test_embedded_objects_and_pictures_of_a_document_with_little_text_are_reported() -> None:
    workbook = '<w:r><w:object><o:OLEObject ProgID="Excel.Sheet.12"/><v:shape><v:imagedata/></v:shape></w:object></w:r>'
    body = f"<w:p>{run('See below.')}{workbook}{drawing('<pic:pic/>')}{drawing('<pic:pic/>', size=300_000)}</w:p>"
    assert [unread.reason for unread in extracted_from(body).unread] == [
        "1 picture, perhaps of text",
        "1 embedded object (Excel.Sheet.12)",
    ]
    body = f"<w:p>{run('Oil it. ' * 100)}{drawing('<pic:pic/>', size=2_500_000)}</w:p>"
    assert extracted_from(body).unread == ()


@pytest.mark.parametrize(
    "picture",
    [
        drawing("<pic:pic/>"),
        '<w:r><w:pict><v:shape style="left:0;width:226.8pt;height:340pt"><v:imagedata/></v:shape></w:pict></w:r>',
    ],
)
def test_a_large_picture_is_reported_also_in_a_document_with_much_text(picture: str) -> None:
    body = f"<w:p>{run('Oil it. ' * 500)}{picture}{drawing('<pic:pic/>', size=1_500_000)}</w:p>"
    assert [unread.reason for unread in extracted_from(body).unread] == ["1 large picture, perhaps of text"]


# Tables


def test_a_merged_cell_is_repeated_in_each_row_and_column() -> None:
    body = table(
        row("Region", cell("Sales", '<w:gridSpan w:val="2"/>')),
        row("", "May", "June"),
        row(cell("North", '<w:vMerge w:val="restart"/>'), "41", "46"),
        row(cell("", "<w:vMerge/>"), "51", "56"),
        row("60", "61", properties='<w:gridBefore w:val="1"/>'),
    )
    extracted = extracted_from(body)
    assert extracted.text == "Region | Sales | Sales\n | May | June\nNorth | 41 | 46\nNorth | 51 | 56\n | 60 | 61"
    (found,) = extracted.tables
    assert (found.header, found.header_rows) == (("Region", "Sales May", "Sales June"), 2)


def test_a_cell_as_wide_as_the_table_is_read_once() -> None:
    body = table(
        row(cell("Visitors by month", '<w:gridSpan w:val="3"/>')), row("Place", "May", "June"), row("North", "4", "5")
    )
    extracted = extracted_from(body)
    assert extracted.text == "Visitors by month\nPlace | May | June\nNorth | 4 | 5"
    assert extracted.tables[0].header_rows == 2


def test_cells_of_a_form_on_a_fine_grid_are_read_once() -> None:
    wide = '<w:gridSpan w:val="3"/>'
    narrow = '<w:gridSpan w:val="2"/>'
    body = table(
        row(cell("Name", wide), cell("Ines Tolland", wide)),
        row(cell("Street", narrow), cell("Mill Lane", '<w:gridSpan w:val="4"/>')),
        row(cell("Town", narrow), cell("Lower Hutton", '<w:gridSpan w:val="4"/>')),
        row(*[""] * 6),
    )
    assert text_of(body) == "Name | Ines Tolland\nStreet | Mill Lane\nTown | Lower Hutton"


@pytest.mark.parametrize(
    ("first", "properties", "styles", "header_rows"),
    [
        (row("Task", "Keeper", properties="<w:tblHeader/>"), "", "", 1),
        (row(cell("Task", "", "<w:b/>"), cell("Keeper", "", "<w:b/>")), "", "", 1),
        (
            row("Task", "Keeper"),
            '<w:tblStyle w:val="Grid"/><w:tblLook w:val="04A0"/>',
            style("Grid", "Grid", '<w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr></w:tblStylePr>', kind="table"),
            1,
        ),
        (row("Task", "Keeper"), '<w:tblStyle w:val="Grid"/><w:tblLook w:val="04A0"/>', style("Grid", "Grid"), 0),
        (row("Task", "Keeper"), "", "", 0),
    ],
)
def test_header_rows_are_known_by_mark_style_and_bold_type(
    first: str, properties: str, styles: str, header_rows: int
) -> None:
    body = table(first, row("Oil", "Ines"), row("Paint", "Odd"), properties=properties)
    (found,) = extracted_from(body, styles=part("styles", styles)).tables
    assert found.header_rows == header_rows


def test_a_table_that_lays_out_the_page_is_read_as_paragraphs() -> None:
    inner = table(row("Part", "Price"), row("Belt", "3"))
    letter = f"<w:tc>{paragraph('Dear Ines,')}{paragraph('the belt is worn.')}</w:tc>"
    body = (
        table(row(f"<w:tc>{paragraph('Prices')}{inner}<w:p/></w:tc>", "Beside"))
        + table(row("", letter))
        + table(row("A frame."), row("Another."))
    )
    assert text_of(body) == (
        "Prices\n\nPart | Price\nBelt | 3\n\nBeside\n\nDear Ines,\n\nthe belt is worn.\n\nA frame.\n\nAnother."
    )


def test_an_empty_cell_keeps_its_place() -> None:
    assert text_of(table(row("a", "", "c"), row("d", "e", ""))) == "a |  | c\nd | e | "


# Other parts and kinds of file


@pytest.mark.parametrize(
    ("name", "chunk", "text"),
    [
        ("chunk.html", b"<html><body><p>The vault opens at nine.</p></body></html>", "The vault opens at nine."),
        ("chunk.txt", b"The vault opens at nine.", "The vault opens at nine."),
        ("chunk.rtf", rb"{\rtf1 The vault opens at nine.}", "The vault opens at nine."),
        ("chunk.docx", docx_file(table(row("Vault", "9"), row("Shop", "10"))), "Vault | 9\nShop | 10"),
        (
            "chunk.mht",
            b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>The vault opens at nine.</p>",
            "The vault opens at nine.",
        ),
    ],
)
def test_an_inserted_file_is_read(name: str, chunk: bytes, text: str) -> None:
    data = archive(
        {
            "_rels/.rels": relationships({"rId1": ("officeDocument", "word/document.xml")}),
            "word/document.xml": part("document", '<w:body><w:altChunk r:id="rId5"/></w:body>'),
            "word/_rels/document.xml.rels": relationships({"rId5": ("aFChunk", name)}),
            f"word/{name}": chunk,
        }
    )
    assert extract_docx(data, "a.docx").text == text


def test_an_inserted_file_that_is_missing_is_reported() -> None:
    extracted = extracted_from(paragraph("It stays.") + '<w:altChunk r:id="rId5"/>')
    assert extracted.text == "It stays."
    assert [unread.reason for unread in extracted.unread] == ["an inserted part that cannot be read (missing)"]


def test_a_damaged_part_costs_no_other_text() -> None:
    extracted = extracted_from(paragraph("It stays."), styles="<w:styles", footnotes="<", comments="<w:comments")
    assert extracted.text == "It stays."
    assert [unread.reason for unread in extracted.unread] == [
        "the styles of the document are damaged",
        "the footnotes of the document are damaged",
        "the comments of the document are damaged",
    ]


def test_reads_strict_documents() -> None:
    body = paragraph("Oil", '<w:outlineLvl w:val="0"/>') + paragraph("Every six weeks.")
    extracted = extract_docx(docx_file(body, strict=True), "a.docx")
    assert (extracted.text, section_of(extracted, "six")) == ("Oil\n\nEvery six weeks.", "Oil")


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), InvalidInput, "encrypted with a password"),
        (OLE + "WordDocument".encode("utf-16-le"), UnsupportedFormat, "an old binary Word file"),
        (OLE + "Workbook".encode("utf-16-le"), UnsupportedFormat, "an old binary Excel file"),
        (OLE + b"nothing", UnsupportedFormat, "an OLE file of an unknown kind"),
        (b"PK nothing", InvalidInput, "not a DOCX file, or damaged"),
        (archive({"a.txt": "x"}), InvalidInput, "it has no main document"),
        (
            archive({"_rels/.rels": relationships({"a": ("officeDocument", "w.xml")}), "w.xml": part("workbook", "")}),
            UnsupportedFormat,
            "an Excel workbook; name it .xlsx",
        ),
        (docx_file("").replace(b"PK\x03\x04", b"PK\x03\x05"), InvalidInput, "not a DOCX file, or damaged"),
        (docx_with_compressed_text(301), TooLarge, "when unpacked"),
    ],
)
def test_names_what_is_wrong_with_a_file(data: bytes, error: type[InvalidInput], message: str) -> None:
    with pytest.raises(error, match=f"^a\\.docx: .*{message}") as raised:
        extract_docx(data, "a.docx")
    assert "0x" not in raised.value.message


def test_entities_are_not_expanded() -> None:
    entities = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    document = entities + part("document", "<w:body><w:p><w:r><w:t>x&a;&f;y</w:t></w:r></w:p></w:body>")
    data = archive(
        {"_rels/.rels": relationships({"a": ("officeDocument", "d.xml")}), "d.xml": document},
    )
    assert extract_docx(data, "a.docx").text == "x&a;&f;y"
    start = relationships({"a": ("officeDocument", "d.xml")})
    parts: dict[str, str | bytes] = {"_rels/.rels": start, "d.xml": document.encode("utf-16")}
    with pytest.raises(InvalidInput, match="it has entities"):
        extract_docx(archive(parts), "a.docx")


def test_a_damaged_optional_part_is_reported_and_the_text_kept() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as target:
        target.writestr("_rels/.rels", relationships({"a": ("officeDocument", "word/d.xml")}))
        target.writestr("word/d.xml", part("document", f"<w:body>{paragraph('Oil it.')}</w:body>"))
        target.writestr("word/_rels/d.xml.rels", relationships({"s": ("styles", "s.xml")}))
        target.writestr("word/s.xml", part("styles", style("A", "Normal")))
        start = target.getinfo("word/s.xml").header_offset + 30 + len("word/s.xml")
    # The size of the LZMA properties, then the properties.
    for properties in (b"\x09\x14\x00\x00", b"\x09\x14\x05\x00\xff\xff\xff\xff\xff"):
        data = bytearray(file.getvalue())
        data[start : start + len(properties)] = properties
        extracted = extract_docx(bytes(data), "a.docx")
        assert extracted.text == "Oil it."
        assert [unread.reason for unread in extracted.unread] == ["the styles of the document are damaged"]


def test_the_limit_of_xml_counts_parts_whatever_their_names_end_in() -> None:
    parts = {
        "_rels/.rels": relationships({"a": ("officeDocument", "word/d.bin")}),
        "word/d.bin": part("document", f"<w:body>{paragraph('x' * 51_000_000)}</w:body>"),
    }
    with pytest.raises(TooLarge, match=r"a\.docx: over 50,000,000 bytes of XML when unpacked"):
        extract_docx(archive(parts), "a.docx")
    parts["word/d.bin"] = part("document", f"<w:body>{paragraph('Oil it.')}</w:body>")
    parts["unused.xml"] = " " * 51_000_000
    assert extract_docx(archive(parts), "a.docx").text == "Oil it."


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=30), cut=st.booleans()
)
def test_damaged_archives_give_text_or_a_clear_error(changes: list[tuple[float, int]], cut: bool) -> None:
    data = bytearray(WORD)
    for position, value in changes:
        data[int(position * len(data))] = value
    assert_text_or_clear_error(bytes(data[: int(changes[0][0] * len(data))] if cut else data))


RICH = part(
    "document",
    "<w:body>"
    + numbered("One")
    + f"<w:p>{field('FORMDROPDOWN', 'x')}{reference('footnote', 1)}{raised('2')}{drawing('<pic:pic/>')}</w:p>"
    + table(row("a", cell("b", '<w:gridSpan w:val="2"/>')), row(cell("c", "<w:vMerge/>"), "d", "e"))
    + "<w:p><m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den/></m:f></m:oMath></w:p></w:body>",
)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from('<>/"=w:p0 9tr')), min_size=1, max_size=8),
)
def test_damaged_xml_gives_text_or_a_clear_error(changes: list[tuple[float, str]]) -> None:
    document = list(RICH)
    for position, character in changes:
        document[int(position * len(document))] = character
    names = {"numbering": ("numbering", "numbering.xml")}
    assert_text_or_clear_error(
        archive(
            {
                "_rels/.rels": relationships({"a": ("officeDocument", "word/d.xml")}),
                "word/d.xml": "".join(document),
                "word/_rels/d.xml.rels": relationships(names),
                "word/numbering.xml": CLAUSES,
            }
        )
    )


def assert_text_or_clear_error(data: bytes) -> None:
    rejection = None
    try:
        (extracted,) = extract(data, "a.docx")
    except QAError as error:
        rejection = error
    if rejection:
        assert_rejects_file(rejection, "a.docx")
    else:
        assert isinstance(extracted.text, str)
