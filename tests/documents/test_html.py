"""HTML: what of a page is its text, and how it is written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.html.page import extract_html
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError
from qa.text.tables import cell_spans
from qa.types import mark_at


def page(markup: str) -> ExtractedText:
    return extract_html(markup.encode(), "page.html")


def text_of(markup: str) -> str:
    return page(markup).text


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


def contents_of(extracted: ExtractedText) -> list[str]:
    """Return the parts of a text that are tables of contents or indexes."""
    ends = [*(mark.start for mark in extracted.marks[1:]), len(extracted.text)]
    return [
        extracted.text[mark.start : end].strip()
        for mark, end in zip(extracted.marks, ends, strict=True)
        if mark.kind == "contents"
    ]


PAGE = """<!doctype html><html><head><title> The
pump </title><style>p {}</style></head><body><header>Site</header><nav><a href="/">Home</a></nav>
<div role="search">Find</div><main><h1>Oil</h1><p>Every
six <b>week</b>s.<br>Never dry.<script>run()</script></p>loose <i>words</i><p hidden>not seen</p>
<table><tr><th>Part</th><th>Price</th></tr><tr><td>Belt</td><td>3<br>euro</td></tr></table>
<h2>More</h2><ul><li>one<ol><li>inner</li></ol></li><li>two</li></ul><pre>a
  b</pre></main><footer>Imprint</footer></body></html>"""


def test_a_page_is_read_with_its_title_and_sections() -> None:
    extracted = page(PAGE)
    assert extracted.text == (
        "Oil\n\nEvery six weeks.\nNever dry.\n\nloose words\n\nPart | Price\nBelt | 3 euro\n\n"
        "More\n\n- one\n  1. inner\n- two\n\na\n  b"
    )
    assert extracted.title == "The pump"
    assert [section_of(extracted, words) for words in ("dry", "Belt", "inner")] == ["Oil", "Oil", "More"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<meta charset="windows-1252"><p>café €'.encode("cp1252"), "café €"),
        # Browsers read Latin-1 as Windows-1252.
        ('<meta charset="iso-8859-1"><p>“wren” – €'.encode("cp1252"), "“wren” – €"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=latin1"><p>’'.encode("cp1252"), "’"),
        ('<?xml version="1.0" encoding="ISO-8859-2"?><html><p>Łódź</p></html>'.encode("iso8859-2"), "Łódź"),
        ('<meta charset="shift_jis"><p>水車'.encode("cp932"), "水車"),
        # A mark outweighs the declaration.
        ('\ufeff<meta charset="iso-8859-1"><p>café – “wren”'.encode(), "café – “wren”"),
        ('<meta charset="utf-8"><p>café'.encode("utf-16"), "café"),
        # So do bytes that contradict it.
        ('<meta charset="iso-8859-1"><p>café – “wren”'.encode(), "café – “wren”"),
        ('<meta charset="utf-8"><p>café “wren” €9'.encode("cp1252"), "café “wren” €9"),
        ('<!-- <meta charset="utf-16"> --><meta charset="nonsense"><p>café'.encode(), "café"),
        ("<p>café".encode(), "café"),
        (b"<p>it&#146;s", "it’s"),
    ],
)
def test_the_encoding_is_chosen_as_browsers_do(data: bytes, text: str) -> None:
    assert extract_html(data, "page.html").text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("no element", "no element"),
        ("", ""),
        ("<body><article>One</article><article>Two</article>", "One\n\nTwo"),
        ("<body><p>around</p><article><header>Head</header>Text</article>", "around\n\nHead\n\nText"),
        ("<p>a &amp; b&nbsp;c &#x1F642;</p>", "a & b c 🙂"),
        ("<p>inter&shy;locking AB&#8203;C12&zwnj;3</p>", "interlocking ABC123"),
        ("<p>super<wbr>market</p>", "supermarket"),
        ("<p><a href=1>A</a><a href=2>B</a></p>", "A B"),
        ("<form><label>Name</label><input><label>Mail</label></form>", "Name Mail"),
        ("<p>Say <q>yes</q>.</p>", "Say “yes”."),
        ("<p><ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby></p>", "漢(kan)"),
        ("<figure><img alt=x><figcaption>The mill</figcaption></figure>", "The mill"),
        (
            '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:body><h:h1>Lake</h:h1><h:p>Deep.</h:p></h:body></h:html>',
            "Lake\n\nDeep.",
        ),
        (
            "<p class=MsoNormal>The pump<o:p></o:p></p><!--[if gte mso 9]><xml>90</xml><![endif]-->"
            "<p><![if !supportLists]><span>1.<span>&nbsp; </span></span><![endif]>First</p>",
            "The pump\n\n1. First",
        ),
    ],
)
def test_characters_and_words_are_those_that_a_reader_sees(markup: str, text: str) -> None:
    assert text_of(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> cells", "10^6 cells"),
        ("10<sup>&minus;3</sup>", "10^\N{MINUS SIGN}3"),
        ("m<sup>2</sup>, x<sup>n+1</sup>", "m^2, x^(n+1)"),
        ("the 1<sup>st</sup> Wren<sup>TM</sup>", "the 1st WrenTM"),
        ('in 1998<sup><a href="#n1">1</a></sup>', "in 1998[1]"),
        ('in 1998<a href="#n1"><sup>[2]</sup></a>', "in 1998[2]"),
        ("slowly.<sup>3</sup>", "slowly.[3]"),
        ("<sup>3</sup>By a second.", "3 By a second."),
        ("H<sub>2</sub>O, x<sub>i</sub>, 10<sub>2</sub>", "H2O, x_i, 10_2"),
        ('<math alttext="E=mc^2"><mi>E</mi></math>', "E=mc^2"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "x^2"),
        (
            "<math><semantics><mi>a</mi><annotation encoding='application/x-tex'>a^b</annotation></semantics></math>",
            "a^b",
        ),
        ('So <img class="math" alt="E=mc^2"> holds', "So E=mc^2 holds"),
    ],
)
def test_exponents_indices_notes_and_formulas_differ(markup: str, text: str) -> None:
    assert text_of(f"<p>{markup}</p>") == text


@pytest.mark.parametrize(
    "markup",
    [
        '<h2><button class="accordion-button">How long?</button></h2><div class="collapse"><p>45 days.</p></div>',
        "<button type=button aria-expanded=false>How long?</button><div hidden>45 days.</div>",
        "<details><summary>How long?</summary>45 days.</details>",
        "<div class=faq><div role=button>How long?</div><div class=answer style='display: none'>45 days.</div></div>",
        "<div>How long?</div><div id=a1 aria-hidden=true>45 days.</div>",
        "<a href='#a1'>How long?</a><div id=a1 hidden>45 days.</div>",
        "<a onclick=\"show('a1')\">How long?</a><div id=a1 style='display:none'>45 days.</div>",
        "<p>How long?</p><div hidden=until-found>45 days.</div>",
        "<button popovertarget=a1>How long?</button><dialog id=a1>45 days.</dialog>",
    ],
)
def test_what_the_reader_can_open_is_text(markup: str) -> None:
    assert text_of(f"<body>{markup}</body>") == "How long?\n\n45 days."


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>The fee is 99 euros.</p>",
        "<p style='color: red; display:none'>The fee is 99 euros.</p>",
        "<p style='visibility: hidden'>The fee is 99 euros.</p>",
        "<style>/* old */ .old, .x { display: none } </style><p class=old>The fee is 99 euros.</p>",
        "<div id=tpl style='display:none'>99 euros</div><script>document.getElementById('tpl')</script>",
        "<template><p>99 euros</p></template>",
        "<span style='display:none;mso-hide:all'>99 euros</span>",
        "<i class=icon aria-hidden=true>euro_symbol</i>",
        "<dialog><p>The fee is 99 euros.</p></dialog>",
    ],
)
def test_what_nothing_can_show_is_left_out(hidden: str) -> None:
    assert text_of(f"<body><p>The fee is 40 euros.</p>{hidden}</body>") == "The fee is 40 euros."


def test_a_style_sheet_for_print_or_with_another_rule_hides_nothing() -> None:
    style = "@media print { .a { display: none } } .b { display: none } .b.open { display: block }"
    assert text_of(f"<style>{style}</style><p class=a>One.</p><p class=b>Two.</p>") == "One.\n\nTwo."


@pytest.mark.parametrize(
    "rule",
    [
        ":target { display: block }",
        "#c:target { display: block }",
        "input:checked + p { display: block }",
        "label:hover ~ * { display: block }",
        "@media (min-width: 600px) { .c { display: block } }",
        ".c { display: none; &:target { display: block } }",
    ],
)
def test_what_a_rule_of_the_style_sheet_can_show_is_text(rule: str) -> None:
    style = f"<style>.c {{ display: none }} {rule}</style>" if "&" not in rule else f"<style>{rule}</style>"
    assert text_of(f"{style}<p>How long?</p><input type=checkbox><p class=c id=c>45 days.</p>") == (
        "How long?\n\n45 days."
    )
    hidden = "<p>How long?</p><input type=checkbox><p class=c id=c hidden>45 days.</p>"
    is_stateful = "@media" not in rule and "&" not in rule
    assert ("45 days" in text_of(f"<style>{rule}</style>{hidden}")) == is_stateful


def test_a_rule_that_shows_other_elements_shows_nothing_hidden() -> None:
    style = "<style>.old { display: none } li:hover ul { display: block } p { display: block }</style>"
    assert text_of(f"{style}<p>40 euros.</p><p class=old>99 euros.</p>") == "40 euros."


def test_texts_of_which_a_script_shows_one_are_all_kept() -> None:
    # The form of an office suite's help pages.
    switch = (
        '<span class="switchinline"><span hidden="true" id="MAC1" class="MAC">Command</span>'
        '<span hidden="true" id="default1">Ctrl</span></span>'
    )
    assert text_of(f"<script src=help.js></script><p>Press {switch}+F.</p>") == "Press Command / Ctrl+F."


@pytest.mark.parametrize(
    "markup",
    [
        "<div role=alert>Close the valve.</div><main><p>Open the panel.</p></main>",
        "<header class=post><h1>Close the valve.</h1></header><article><p>Open the panel.</p></article>",
        "<header><nav>Home</nav></header><header><p>Close the valve first.</p></header><p>Open the panel.</p>",
        "<main><h1>Boiler</h1></main><aside><p>Close the valve before it opens.</p></aside><p>Open the panel.</p>",
        "<div role=main><footer>Close the valve.</footer><aside>Open the panel.</aside></div>",
        "<div><p>Close the valve.</p><p>Open the panel.</p></div><article><h3>See also</h3></article>",
        "<div><noscript><p>Close the valve.</p></noscript></div><script>run()</script><p>Open the panel.</p>",
        "<p>Close the valve.</p><object data=x.swf><p>Open the panel.</p></object>",
        "<p>Close the valve.</p><footer><p>Open the panel. By the warden, 9 January.</p></footer>",
        "<nav class=sidebar><p>Close the valve.</p>" + "<p>It has a long story, given here in full.</p>" * 6 + "</nav>"
        "<p>Open the panel.</p>",
        "<ul><li><button>Close the valve.</button></li></ul><p>Open the panel.</p>",
        "<p>Press <button>Close the valve.</button> to go on.</p><p>Open the panel.</p>",
        "<p>Open the panel.</p><footer><h2>Warranty</h2><p>Close the valve; guaranteed for 24 months by <a>our "
        "office</a></p><p>Copyright 2024 Wren. All rights reserved.</p></footer>",
        "<p>Open the panel.</p><footer><h2>Warning</h2><p>Close the valve</p><a href=a>More</a></footer>",
        "<p>Open the panel.</p><footer>Close the valve</footer>",
        "<p>Open the panel.</p><aside>Close the valve</aside>",
        "<div class=alert>Close the valve</div><main><p>Open the panel.</p></main>",
        "<main><p>Open the panel.</p></main><dl><dt>First</dt><dd>Close the valve</dd></dl>",
        "<main><p>Open the panel.</p></main><div>Close the valve <a href='tel:09'>09</a></div>",
        "<section id=cookies><h2>Cookies</h2><p>Close the valve.</p></section><p>Open the panel.</p>",
    ],
)
def test_text_is_kept_wherever_it_is(markup: str) -> None:
    text = text_of(f"<body>{markup}</body>")
    assert "Close the valve" in text
    assert "Open the panel" in text


_LINKS = "<ul><li><a href=a>Our boats and oars</a><li><a href=b>About us and our yard</a></ul>"


@pytest.mark.parametrize(
    "contact",
    [
        "<address>12 Quay Street<br>Tarn</address>",
        "<div><a href=m>Map</a> <address><a href=m>12 Quay Street</a>, Tarn</address></div>",
        "<div><h4>Contact</h4><p>Mara Wren</p><a href='tel:+44555'>12 Quay Street, Tarn</a></div>",
        "<ul><li><a href='mailto:a@tarn.example'>12 Quay Street, Tarn</a><li><a href=f>Follow us</a></ul>",
        "<p>12 Quay Street, Tarn. Phone: 0555 123 456</p>",
        "<p><a href=x>Offers</a> 12 Quay Street, Tarn, info@tarn.example</p>",
        "<div itemprop=address><span>12 Quay Street</span>, Tarn</div>",
    ],
)
@pytest.mark.parametrize("around", ["<footer>{}</footer>", "<aside>{}</aside>", "<div class=site-footer>{}</div>"])
def test_contact_details_among_the_links_of_a_footer_are_kept(contact: str, around: str) -> None:
    footer = around.format(f"{_LINKS}{contact}{_LINKS}<p>© 2024 Tarn Boats</p>")
    for start, end in (("", ""), ("<main>", "</main>")):
        text = text_of(f"<body>{start}<p>The pump is oiled.</p>{end}{footer}</body>")
        assert text.startswith("The pump is oiled.\n\n")
        assert "12 Quay Street" in text
        assert not any(words in text for words in ("oars", "Offers", "Follow", "Map", "2024"))


def test_links_that_share_a_page_and_imprints_are_no_contact_details() -> None:
    share = "<a href='mailto:?subject=Pumps'>Mail this page</a><address>Generated by Doxygen</address>"
    assert text_of(f"<p>The pump is oiled.</p><footer>{_LINKS}{share}</footer>") == "The pump is oiled."


@pytest.mark.parametrize(
    "furniture",
    [
        "<nav><ul><li><a href=a>Prices</a><li><a href=b>Maps</a></ul></nav>",
        "<header><a href='/'>Tarn</a> Boats</header>",
        "<div class='navbar'><a href=a>Prices</a> <a href=b>Maps</a></div>",
        "<ol class=breadcrumb><li><a href='/'>Home</a><li><a href='/d'>Docs</a><li>Pumps</ol>",
        "<div><a href='/'>Home</a> &gt; <a href='/d'>Docs</a> &gt; Pumps</div>",
        "<a href='#main' class=skip>Skip to main content</a>",
        "<div class=share-buttons><a href=a>Mail</a> <a href=b>Mastodon</a></div>",
        "<p><a href=e>Edit this page</a></p>",
        "<form class=search-form><label>Find</label><input><button type=submit>Search</button></form>",
        "<div id=cookie-banner><p>We use cookies on this site.</p><button>Accept all</button></div>",
        "<div><p>This site uses cookies to count visitors.</p><button>Accept</button><button>Reject</button></div>",
        "<div role=dialog><p>We use cookies on this site.</p><a href=p>Learn more</a></div>",
        "<footer><p>Copyright 2019 Tarn Boats and friends of it.</p><ul><li><a href=i>Imprint</a></ul></footer>",
        "<div class=footer>Last updated on 9 January 2019 by the warden</div>",
        "<footer><h4>Products</h4><ul><li><a href=a>Boats and oars</a></ul><h4>Firm</h4><a href=b>About us</a>"
        "<p>© 2024 Tarn Boats Ltd of Tarn. All rights reserved.</p></footer>",
        "<footer>Built with <a href=s>Sphinx</a> using a <a href=t>theme</a> provided by <a href=r>Tarn</a>.</footer>",
        "<aside><input id=a type=checkbox><label for=a>Contents</label></aside>",
        "<aside><a href=a>Our new boats are here</a> <a href=b>More</a></aside>",
        "<video><p>Your browser does not support video.</p></video>",
        "<noscript>Please enable JavaScript.</noscript>",
    ],
)
def test_navigation_and_furniture_are_left_out(furniture: str) -> None:
    extracted = page(f"<body>{furniture}<h1>Pumps</h1><p>The pump is oiled every six weeks.</p></body>")
    assert extracted.text == "Pumps\n\nThe pump is oiled every six weeks."


@pytest.mark.parametrize(
    "navigation",
    [
        # As DocBook writes it, in English and in another language.
        "<div class=navheader><table><tr><th colspan=3>Pumps</th></tr><tr><td><a accesskey=p href=a>Prev</a></td>"
        "<th>Chapter 5. Water</th><td><a accesskey=n href=b>Next</a></td></tr></table><hr></div>",
        "<table><tr><td><a accesskey=p href=a>Zurück</a></td><td><a accesskey=h href=i>Zum Anfang</a></td></tr>"
        "<tr><td>5.2. Wells</td><td></td></tr></table>",
        "<table><tr><td><a href=a><img alt=Prev></a></td><td><a href=b><img alt=Next></a></td></tr></table>",
        # As Texinfo writes it.
        "<p>Next: <a href=b rel=next>Belts</a>, Up: <a href=u rel=up>Parts</a> [<a href=c>Contents</a>]</p>",
        "<ul class=docnav><li><a accesskey=p href=a>Prev</a></li><li>The handbook</li><li><a href=b>Next</a></li></ul>",
        "<a class=previous_page href=a>&lt;-previous</a><a class=next_page href=b>next-&gt;</a>",
    ],
)
def test_links_to_other_pages_of_a_manual_are_left_out(navigation: str) -> None:
    text = "<p>The pump is oiled every six weeks.</p>"
    assert text_of(f"{navigation}{text}{navigation}") == "The pump is oiled every six weeks."


def test_footers_within_footers_are_read_in_linear_time() -> None:
    start = time.process_time()
    assert text_of("<footer>" * 200 + "The pump is oiled. <a href=a>More</a> " * 5000).startswith("The pump is oiled.")
    assert time.process_time() - start < 3


def test_a_sentence_with_such_links_is_kept() -> None:
    text = "<p>See the <a href=b rel=next>next</a> chapter for belts, or go <a href=u>up</a> to the parts.</p>"
    assert text_of(text) == "See the next chapter for belts, or go up to the parts."


LINKS = "<li><a href='#a'>Oil</a><li><a href='#b'>Belts</a><li><a href='#c'>Wheels</a>"


@pytest.mark.parametrize(
    ("contents", "marked"),
    [
        (f"<ul>{LINKS}</ul>", "- Oil\n- Belts\n- Wheels"),
        (f"<div class=toc><p><b>Table of Contents</b></p><ul>{LINKS}</ul></div>", "Table of Contents"),
        ("<p><a href=a>Oil</a> | <a href=b>Belts</a> | <a href=c>Wheels</a></p>", "Oil | Belts | Wheels"),
        ("<p class=MsoToc1><a href='#_T'>Intro 3</a></p>", "Intro 3"),
    ],
)
def test_a_table_of_contents_is_kept_and_marked(contents: str, marked: str) -> None:
    extracted = page(f"<h1>Pumps</h1>{contents}<p>The pump is oiled.</p>")
    (part,) = contents_of(extracted)
    assert part.startswith(marked)
    assert extracted.text.endswith("The pump is oiled.")


def test_an_index_at_the_end_is_marked() -> None:
    entries = "".join(f"<dt>entry {n}, <a href=p{n}>Chapter on it {n}</a></dt>" for n in range(9))
    prose = "<p>" + "The pump is oiled every six weeks. " * 9 + "</p>"
    (part,) = contents_of(page(f"{prose}<div class=index><h2>Index</h2><dl>{entries}</dl></div>"))
    assert "entry 8, Chapter on it 8" in part


def test_a_list_of_links_that_a_sentence_introduces_is_text() -> None:
    extracted = page(f"<h1>Care</h1><p>The parts that need care are:</p><ul>{LINKS}</ul>")
    assert extracted.text == "Care\n\nThe parts that need care are:\n\n- Oil\n- Belts\n- Wheels"
    assert contents_of(extracted) == []


def test_a_page_of_nothing_but_navigation_is_read() -> None:
    assert text_of("<nav><ul><li><a href=a>Home</a><li><a href=b>Prices</a></ul></nav>") == "- Home\n- Prices"


def test_the_labels_of_tabs_are_kept() -> None:
    tabs = "<ul class='nav nav-tabs'><li><a href='#m'>macOS</a></li></ul><div id=m class=tab-pane>Use brew.</div>"
    assert text_of(tabs) == "- macOS\n\nUse brew."
    assert text_of("<nav role=tablist><button role=tab>Linux</button></nav><p>Use apt.</p>") == "Linux\n\nUse apt."


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            "<tr><th>Region<th>Month<th>Rate<tr><td rowspan=2>North<td>May<td>4.1<tr><td>June<td>4.6",
            "Region | Month | Rate\nNorth | May | 4.1\nNorth | June | 4.6",
        ),
        (
            "<tr><th rowspan=2>Region<th colspan=2>Sales<tr><th>May<th>June<tr><td>North<td>41<td>46",
            "Region | Sales | Sales\nRegion | May | June\nNorth | 41 | 46",
        ),
        (
            "<tr><th>R<th>M<th>V<tr><td>N<td>May<td rowspan=0>4<tr><td>S<td>June",
            "R | M | V\nN | May | 4\nS | June | 4",
        ),
        # More columns than the table has.
        ("<tr><th colspan=9>Prices<tr><td>a<td>1<tr><td>b<td>2", "Prices | Prices\na | 1\nb | 2"),
        ("<tr><th>Mark<th>Latin<tr><td><td>4", "Mark | Latin\n | 4"),
        ("<tr><th>Area<th>Fruits<tr><td>North<td><ul><li>apple<li>pear</ul>", "Area | Fruits\nNorth | apple; pear"),
        ("<tr><th>Export<th>Free<tr><td>PDF<td><img alt=yes>", "Export | Free\nPDF | yes"),
        ("<tfoot><tr><td>Sum<td>9</tfoot><tr><td>Belt<td>9", "Belt | 9\nSum | 9"),
        ("<caption>Prices</caption><tr hidden><td>x</td></tr><tr><td>a</td></tr>", "Prices\n\na"),
    ],
)
def test_merged_cells_are_repeated_and_empty_cells_keep_their_place(rows: str, text: str) -> None:
    assert text_of(f"<table>{rows}</table>") == text


def test_a_table_has_its_header_and_its_row_labels() -> None:
    (table,) = page(
        "<table><thead><tr><th rowspan=2>Region<th colspan=2>Sales<tr><th>May<th>June</thead>"
        "<tr><th scope=row>North<td>41<td>46</table>"
    ).tables
    assert (table.header, table.header_rows, table.labelled) == (("Region", "Sales May", "Sales June"), 2, True)
    (table,) = page("<table><tr><th>Length<td>61 m<tr><th>Depth<td>9 m</table>").tables
    assert (table.header, table.header_rows, table.labelled) == ((), 0, True)
    (table,) = page("<table><tr><td><b>Item</b><td><strong>Price</strong><tr><td>Belt<td>3</table>").tables
    assert (table.header, table.header_rows) == (("Item", "Price"), 1)


def test_the_cells_of_a_table_are_found_in_the_text() -> None:
    extracted = page("<p>Rates:</p><table><tr><th>Month<th>Rate<tr><td>May<td>4.1</table><p>End</p>")
    (table,) = extracted.tables
    assert [span.of(extracted.text) for span in cell_spans(table, 1)] == ["May", "4.1"]


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td><h1>Harbour</h1><p>It has nine docks.</p><td>Boats pay 15 crowns.</table>",
        "<table><tr><td><p>Harbour</p><p>It has nine docks.</p><td><p>Boats pay 15 crowns.</p></table>",
        "<table><tr><td>Harbour<table><tr><td>It has nine docks.</table><td>Boats pay 15 crowns.</table>",
        "<table role=presentation><tr><td>Harbour<td>It has nine docks.<td>Boats pay 15 crowns.</table>",
        "<table><tr><td rowspan=2><img alt=Note><th>Harbour<tr><td>It has nine docks.<p>Boats pay 15 crowns.</table>",
    ],
)
def test_a_table_that_lays_out_the_page_is_read_as_paragraphs(table: str) -> None:
    extracted = page(table)
    assert extracted.text == "Harbour\n\nIt has nine docks.\n\nBoats pay 15 crowns."
    assert extracted.tables == ()


def test_a_table_within_a_list_keeps_its_rows() -> None:
    extracted = page("<ul><li>Rates:<table><tr><th>Month<th>Rate<tr><td>May<td>4.1</table><li>End</ul>")
    assert extracted.text == "- Rates:\n\nMonth | Rate\nMay | 4.1\n\n- End"
    assert len(extracted.tables) == 1


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ul>loose<li>a</li><ul><li>b</li></ul><li hidden>x</li></ul>", "loose\n- a\n  - b"),
        ("<ol start=5><li>a</li><li value=9>b</li><li>c</li></ol>", "5. a\n9. b\n10. c"),
        ("<ol reversed start=2><li>a</li><li>b</li></ol>", "2. a\n1. b"),
        (
            "<ol><li><p>One.</p><p>More.</p></li><li><p>Two.</p></li></ol><p>End</p>",
            "1. One.\n  More.\n2. Two.\n\nEnd",
        ),
        ("<ol><li>Fetch:<pre>cd x\nget</pre></li><li>Build</li></ol>", "1. Fetch:\n\ncd x\nget\n\n2. Build"),
        ("<ul><li>Mon<br>9 to 5</li></ul>", "- Mon 9 to 5"),
        (
            "<dl><dt>Frame</dt><dd>Ash.</dd><dt>Wheel</dt><dt>Rim</dt><dd><p>Elm.</p></dd></dl>",
            "Frame\nAsh.\n\nWheel\nRim\nElm.",
        ),
        ("<aside class=footnote><span>[1]</span><p>By 3 seconds.</p></aside>", "[1] By 3 seconds."),
    ],
)
def test_lists_and_definitions_are_lines(markup: str, text: str) -> None:
    assert text_of(f"<main>{markup}</main>") == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<pre>one<br>two</pre>", "one\ntwo"),
        ("<pre><code><div class=line>one</div><div class=line>two</div></code></pre>", "one\ntwo"),
        ("<pre><code><span class=line>one</span><span class=line>two</span></code></pre>", "one\ntwo"),
        ("<pre><code>one</code><code>two</code></pre>", "one\ntwo"),
        ("<p>Run:<pre>one\n    two</pre>", "Run:\n\none\n    two"),
        (
            "<table><tr><td class=linenos><pre>1\n2</pre><td class=code><pre>one\ntwo</pre></table>",
            "one\ntwo",
        ),
        ("<pre><button>Copy</button>one&nbsp;x\ntwo</pre>", "one x\ntwo"),
        ("<div class=code><code>one<br>two</code></div>", "one\ntwo"),
    ],
)
def test_listings_keep_their_lines(markup: str, text: str) -> None:
    assert text_of(markup) == text


@pytest.mark.parametrize(
    "markup", ["<p>One</p><h:>Two</h:>", "<p>One</p><h:\xe1\xe9>Two</h:\xe1\xe9>", "<p>One</p><h:1>Two"]
)
def test_a_prefix_without_a_valid_name_is_no_fault(markup: str) -> None:
    assert text_of(markup).split() == ["One", "Two"]


def test_the_text_of_a_picture_counts_where_nothing_else_does() -> None:
    markup = "<h2><img alt='Welcome to Tarn'></h2><p><a href=m><img alt='The map'></a></p><p><img alt=Wren>Boats</p>"
    assert text_of(markup) == "Welcome to Tarn\n\nThe map\n\nBoats"


def test_a_page_of_frames_is_read_as_far_as_it_has_text() -> None:
    frames = "<frameset><frame src=menu.html><frame src=body.html><noframes>{}</noframes></frameset>"
    extracted = page(frames.format("<body><p>The mill was built in 1822.</p></body>"))
    assert extracted.text == "The mill was built in 1822."
    (unread,) = extracted.unread
    assert "menu.html, body.html" in unread.reason
    for notice in ("", "This page needs a browser that supports frames."):
        with pytest.raises(InvalidInput, match=r"a page of frames, without text; add the pages .* menu\.html"):
            page(frames.format(notice))


def test_files_that_a_page_shows_within_itself_are_reported() -> None:
    extracted = page("<p>Watch.</p><iframe src='tour.html'></iframe><embed src='plan.pdf'>")
    assert [("tour.html" in part.reason, "plan.pdf" in part.reason) for part in extracted.unread] == [
        (True, False),
        (False, True),
    ]


def test_elements_nested_too_deeply_are_rejected_and_unclosed_fonts_are_not() -> None:
    for markup in ("<div>" * 100_000 + "words", "<p>before</p>" + "<div>" * 300 + "inside"):
        with pytest.raises(InvalidInput, match=r"page\.html: HTML elements are nested too deeply"):
            page(markup)
    assert text_of("<p>" + "<font size=2>word " * 2_000).startswith("word word")


@pytest.mark.parametrize(
    "markup",
    [
        "<table>" + "<tr><td colspan=1000>wide</td><td rowspan=60000>tall</td></tr>" * 2_000 + "</table>",
        "<style>" + "@" * 200_000 + "</style><p>a</p>",
        "<style>" + "/*" * 100_000 + "</style><p hidden>a</p>",
        "<script>x</script><div>" + "<i hidden id=q>a</i>" * 20_000,
        "<ul><li>" * 60 + "a" + "<a href=n>next</a>" * 20_000,
    ],
)
def test_hostile_pages_take_little_time_and_memory(markup: str) -> None:
    assert len(text_of(markup)) < 50 * len(markup)


FUZZED = (
    PAGE + "<table><tr><th rowspan=2 colspan=3>a<td rowspan=0>b</table><dl><dt>t<dd>d</dl><sup>6</sup><math><mi>x"
    "</mi></math><frameset><frame src=x><noframes>y</noframes></frameset><div id=x hidden><ol start=9><li>q</ol>"
)


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, len(FUZZED)),
    length=st.integers(0, len(FUZZED)),
    changes=st.lists(st.tuples(st.integers(0, len(FUZZED) - 1), st.integers(0, 255)), max_size=20),
)
def test_damaged_pages_give_text_or_a_clear_error(start: int, length: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(FUZZED.encode())
    for position, value in changes:
        data[position] = value
    rejection = None
    try:
        extracted = extract_html(bytes(data[start : start + length]), "page.html")
    except QAError as error:
        rejection = error
    if rejection:
        assert rejection.message.startswith("page.html: ")
    else:
        assert all(0 <= mark.start < len(extracted.text) for mark in extracted.marks)
