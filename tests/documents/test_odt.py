"""ODT: what the reader of an OpenDocument text sees is in its text, once and in its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.odt.document import extract_odt
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat
from qa.types import mark_at
from tests.documents.files import docx_with_compressed_text
from tests.documents.office_files import archive, fodt_file, namespaces, odt_file


def text_of(body: str, **options: str) -> str:
    return extract_odt(odt_file(body, **options), "a.odt").text


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def level(number: int, format: str, suffix: str = ".", shown: int = 1, attributes: str = "") -> str:
    return (
        f'<text:list-level-style-number text:level="{number}" style:num-format="{format}" style:num-suffix="{suffix}" '
        f'text:display-levels="{shown}" {attributes}/>'
    )


BULLET = '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'
LISTS = (
    f'<text:list-style style:name="L1">{level(1, "1")}{level(2, "1", "", 2)}{level(3, "a", ")")}</text:list-style>'
    f'<text:list-style style:name="L2">{BULLET}</text:list-style>'
)


def items(*contents: str, style: str = "L1", attributes: str = "") -> str:
    inner = "".join(f"<text:list-item>{content}</text:list-item>" for content in contents)
    return f'<text:list text:style-name="{style}" {attributes}>{inner}</text:list>'


def p(text: str, style: str = "Standard") -> str:
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def h(text: str, level: int = 1) -> str:
    return f'<text:h text:outline-level="{level}">{text}</text:h>'


def test_extracts_paragraphs_headings_and_properties() -> None:
    meta = (
        f"<office:document-meta {namespaces('office', 'meta', 'dc')}><office:meta><dc:title>The pump</dc:title>"
        "<meta:initial-creator>Ada Lamb</meta:initial-creator><meta:keyword>oil</meta:keyword>"
        "<meta:keyword>belts</meta:keyword><meta:creation-date>2024-05-01T10:00:00</meta:creation-date>"
        "</office:meta></office:document-meta>"
    )
    body = (
        h("Oil")
        + p("Every<text:s text:c='2'/>six   weeks,<text:tab/>or<text:line-break/>never.")
        + h("More", 2)
        + p("End.")
    )
    extracted = extract_odt(odt_file(body, meta=meta), "a.odt")
    assert extracted.text == "Oil\n\nEvery  six weeks,\tor\nnever.\n\nMore\n\nEnd."
    assert (section_of(extracted, "six"), section_of(extracted, "End")) == ("Oil", "More")
    assert extracted.title == "The pump"
    assert extracted.meta == {"author": "Ada Lamb", "keywords": "oil, belts", "created": "2024-05-01T10:00:00"}


def test_flat_files_are_read() -> None:
    picture = "<draw:frame><draw:image><office:binary-data>QUJD</office:binary-data></draw:image></draw:frame>"
    assert extract_odt(fodt_file(p(f"It is oiled.{picture}")), "a.fodt").text == "It is oiled."


def test_a_large_picture_is_reported_also_in_a_document_with_much_text() -> None:
    sizes = (("8cm", "12cm"), ("3in", "60mm"), ("40pt", "30pt"))
    pictures = [
        f'<draw:frame svg:width="{width}" svg:height="{height}"><draw:image/></draw:frame>' for width, height in sizes
    ]
    extracted = extract_odt(odt_file(p(f"{'It is oiled. ' * 100}{''.join(pictures)}")), "a.odt")
    assert [unread.reason for unread in extracted.unread] == ["1 large picture, perhaps of text"]
    extracted = extract_odt(odt_file(p(f"It is oiled. {''.join(pictures)}")), "a.odt")
    assert [unread.reason for unread in extracted.unread] == ["2 pictures, perhaps of text"]


def test_check_boxes_show_their_state() -> None:
    boxes = "".join(
        f'<form:checkbox form:id="{id}" form:label="{id}" form:current-state="{state}"/>'
        for id, state in (("a", "checked"), ("b", "unchecked"))
    )
    controls = '<draw:control draw:control="a"/>, <draw:control draw:control="b"/>'
    body = f"<office:forms><form:form>{boxes}</form:form></office:forms>{p(controls)}"
    assert text_of(body) == "[x] a, [ ] b"


def test_numbers_of_lists_are_in_the_text() -> None:
    body = items(p("One") + items(p("a") + items(p("deep")), p("b")), p("Two") + p("More of two.")) + items(
        p("x"), style="L2"
    )
    assert text_of(body, automatic=LISTS) == ("1. One\n  1.1 a\n    a) deep\n  1.2 b\n2. Two\n\nMore of two.\n\n- x")


def test_a_list_continues_another_or_starts_at_a_number() -> None:
    body = (
        items(p("One"), attributes='xml:id="first"')
        + p("Between.")
        + items(p("Two"), attributes='text:continue-numbering="true"')
        + items(p("New"))
        + items(p("Three"), attributes='text:continue-list="first"')
        + '<text:list text:style-name="L1"><text:list-item text:start-value="9">'
        + f"{p('Nine')}</text:list-item></text:list>"
    )
    labels = [line.split()[0] for line in text_of(body, automatic=LISTS).splitlines() if line[:1].isdigit()]
    assert labels == ["1.", "2.", "1.", "3.", "9."]


def test_levels_of_a_consecutive_list_share_one_count_which_another_style_continues() -> None:
    shared = f'<text:list-style style:name="L3" text:consecutive-numbering="true">{level(1, "1")}{level(2, "1")}'
    body = items(p("a") + items(p("b"), style="L3"), p("c"), style="L3", attributes='xml:id="x"') + items(
        p("d"), attributes='text:continue-list="x"'
    )
    assert text_of(body, automatic=f"{LISTS}{shared}</text:list-style>") == "1. a\n  2. b\n3. c\n4. d"


def test_headings_have_their_outline_numbers() -> None:
    outline = "".join(
        f'<text:outline-level-style text:level="{n}" style:num-format="1" text:display-levels="{n}"/>' for n in (1, 2)
    )
    styles = f"<office:styles><text:outline-style>{outline}</text:outline-style></office:styles>"
    body = h("Rent") + h("Due", 2) + h("Late", 2) + p("40 crowns.") + h("End") + h("Notice", 2)
    extracted = extract_odt(odt_file(body, styles=styles), "a.odt")
    assert extracted.text.split("\n\n") == ["1 Rent", "1.1 Due", "1.2 Late", "40 crowns.", "2 End", "2.1 Notice"]
    assert section_of(extracted, "40") == "1.2 Late"


def test_notes_boxes_and_comments() -> None:
    body = p(
        "The lake is deep"
        "<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation>"
        f"<text:note-body>{p('Measured in 1987.')}</text:note-body></text:note>"
        f"<office:annotation>{p('Really?')}</office:annotation>"
        f"<draw:frame><draw:text-box>{p('Call 555.')}</draw:text-box></draw:frame> and cold."
    )
    extracted = extract_odt(odt_file(body), "a.odt")
    assert extracted.text == "The lake is deep and cold.\n\nCall 555.\n\n[1] Measured in 1987."
    assert [unread.reason for unread in extracted.unread] == ["1 comment in the margin, which the text leaves out"]


def test_deleted_and_hidden_text_is_left_out() -> None:
    hidden = '<style:text-properties text:display="none"/></style:style>'
    automatic = (
        f'<style:style style:name="Hidden" style:family="text">{hidden}'
        f'<style:style style:name="Base" style:family="paragraph">{hidden}'
        '<style:style style:name="Child" style:family="paragraph" style:parent-style-name="Base"/>'
    )
    body = (
        f"<text:tracked-changes><text:changed-region><text:deletion>{p('500')}</text:deletion></text:changed-region>"
        "</text:tracked-changes>"
        + p('Rent is <text:change/>650<text:span text:style-name="Hidden"> or 99</text:span> crowns.')
        + p("It was 98.", "Child")
        + f'<text:section text:display="none">{p("It was 97.")}</text:section>'
    )
    assert text_of(body, automatic=automatic) == "Rent is 650 crowns."


def test_raised_text_formulas_and_ruby() -> None:
    automatic = (
        '<style:style style:name="Up" style:family="text"><style:text-properties style:text-position="super 58%"/>'
        "</style:style>"
    )
    formula = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi>'
        "<mn>2</mn></msup></mrow><annotation>E = m c^2</annotation></semantics></math>"
    )
    body = (
        p('10<text:span text:style-name="Up">6</text:span> cells')
        + p('It is <draw:frame><draw:object xlink:href="./Object 1"/><draw:image/></draw:frame> here.')
        + p("<text:ruby><text:ruby-base>East</text:ruby-base><text:ruby-text>toh</text:ruby-text></text:ruby> gate")
    )
    data = odt_file(body, automatic=automatic, **{"Object 1__content": formula})
    assert extract_odt(data, "a.odt").text.split("\n\n") == ["10^6 cells", "It is E = mc^2 here.", "East (toh) gate"]


def row(*cells: str) -> str:
    whole = (c if c.startswith("<") else f"<table:table-cell>{p(c)}</table:table-cell>" for c in cells)
    return f"<table:table-row>{''.join(whole)}</table:table-row>"


def spanning(text: str, columns: int = 1, rows: int = 1) -> str:
    spans = f'table:number-columns-spanned="{columns}" table:number-rows-spanned="{rows}"'
    return f"<table:table-cell {spans}>{p(text)}</table:table-cell>"


COVERED = "<table:covered-table-cell/>"


def test_a_merged_cell_is_repeated_in_each_row_and_column() -> None:
    rows = (
        row("Region", spanning("Sales", 2), COVERED)
        + row("", "May", "June")
        + row(spanning("North", 1, 2), "41", "46")
        + row(COVERED, "51", "56")
        + row("South", spanning("60", 2, 2), COVERED)
        + row("West", COVERED, COVERED)
    )
    extracted = extract_odt(odt_file(f"<table:table>{rows}</table:table>"), "a.odt")
    assert extracted.text == (
        "Region | Sales | Sales\n | May | June\nNorth | 41 | 46\nNorth | 51 | 56\nSouth | 60 | 60\nWest | 60 | 60"
    )
    assert extracted.tables[0].header == ("Region", "Sales May", "Sales June")


def test_a_table_keeps_all_of_its_columns() -> None:
    names = [f"c{number}" for number in range(80)]
    assert text_of(f"<table:table>{row(*names)}{row(*names)}</table:table>") == "\n".join([" | ".join(names)] * 2)


def test_repeated_cells_and_header_rows() -> None:
    repeated = f'<table:table-cell table:number-columns-repeated="2">{p("4")}</table:table-cell>'
    filler = '<table:table-cell table:number-columns-repeated="16000"/>'
    rows = f"<table:table-header-rows>{row('Task', 'Ines', 'Odd')}</table:table-header-rows>" + row(
        "Oil", repeated, filler
    )
    extracted = extract_odt(odt_file(f"<table:table>{rows}</table:table>"), "a.odt")
    assert extracted.text == "Task | Ines | Odd\nOil | 4 | 4"
    assert (extracted.tables[0].header_rows, extracted.tables[0].labelled) == (1, True)


def test_a_repetition_without_bounds_is_cut() -> None:
    cell = f'<table:table-cell table:number-columns-repeated="2000000000">{p("x")}</table:table-cell>'
    rows = f'<table:table-row table:number-rows-repeated="2000000000">{cell}{cell}</table:table-row>'
    extracted = extract_odt(odt_file(f"<table:table>{rows}</table:table>"), "a.odt")
    assert len(extracted.text) < 200_000


def test_contents_running_heads_and_forms() -> None:
    page = (
        "<office:master-styles><style:master-page><style:header>"
        f"{p('Contract KX-4471')}</style:header><style:footer>{p('Page <text:page-number>3</text:page-number>')}"
        "</style:footer></style:master-page></office:master-styles>"
    )
    options = '<form:option form:label="no"/><form:option form:label="yes" form:current-selected="true"/>'
    listbox = f'<form:listbox form:id="c1">{options}</form:listbox>'
    body = (
        f"<office:forms><form:form>{listbox}</form:form></office:forms>"
        f"<text:table-of-content><text:index-body>{p('Oil 3')}</text:index-body></text:table-of-content>"
        + p('Answer: <draw:control draw:control="c1"/>')
    )
    extracted = extract_odt(odt_file(body, styles=page), "a.odt")
    assert extracted.text == "Contract KX-4471\n\nOil 3\n\nAnswer: yes"
    assert [mark.kind for mark in extracted.marks] == ["contents", "text"]


MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry>'
    "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (
            archive({"content.xml": b"\x93\x1f", "META-INF/manifest.xml": MANIFEST}),
            InvalidInput,
            "encrypted with a password",
        ),
        (archive({"a": "b"}), InvalidInput, "not an ODT file, or damaged .the part content.xml is missing"),
        (b"PK nothing", InvalidInput, "not an ODT file, or damaged"),
        (b"<office", InvalidInput, "not an ODT file, or damaged"),
        (
            fodt_file("").replace(b"office:text", b"office:presentation"),
            UnsupportedFormat,
            "an OpenDocument presentation; save it as PPTX or PDF",
        ),
        (docx_with_compressed_text(301), TooLarge, "when unpacked"),
    ],
)
def test_names_what_is_wrong_with_a_file(data: bytes, error: type[InvalidInput], message: str) -> None:
    with pytest.raises(error, match=f"^a\\.odt: .*{message}"):
        extract_odt(data, "a.odt")


FLAT = fodt_file(
    h("Oil")
    + items(p("One") + items(p("a")))
    + f"<table:table>{row('a', spanning('b', 2, 2), COVERED)}{row('c', COVERED, COVERED)}</table:table>"
)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from(b'<>/"=t:p0 9r\xff')), min_size=1, max_size=8),
    cut=st.booleans(),
)
def test_damaged_files_give_text_or_a_clear_error(changes: list[tuple[float, int]], cut: bool) -> None:
    for whole, name in ((FLAT, "a.fodt"), (odt_file(p("It is oiled.")), "a.odt")):
        data = bytearray(whole)
        for position, value in changes:
            data[int(position * len(data))] = value
        if cut:
            del data[int(changes[0][0] * len(data)) :]
        rejection = None
        try:
            extracted = extract_odt(bytes(data), name)
        except QAError as error:
            rejection = error
        if rejection:
            assert rejection.message.startswith(f"{name}: ")
        else:
            assert isinstance(extracted.text, str)
