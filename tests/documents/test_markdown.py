"""Markdown: the text that a reader of the rendered file sees, and its front matter."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.formats import extract
from qa.documents.extract.markdown.document import extract_markdown
from qa.documents.extract.text_builder import ExtractedText
from qa.documents.files import read_upload
from qa.errors import InvalidInput, QAError
from qa.types import mark_at
from qa.validation import MAX_META_FIELDS, MAX_META_VALUE


def markdown(text: str, name: str = "a.md") -> ExtractedText:
    return extract_markdown(text.encode(), name)


def section_of(extracted: ExtractedText, words: str) -> str | None:
    mark = mark_at(extracted.marks, extracted.text.index(words))
    return mark.section if mark else None


PUMP = (
    "---\ntitle: The pump\ndate: 2024-05-01\ntags: [a, b]\n---\nBefore.\n\n# Oil\n\nEvery *six* "
    "[weeks](http://x.org).\nNever **dry**.\n\n## Parts\n\n| Part | Price |\n|---|---|\n| Belt | 3 `euro` |\n\n"
    "- one\n  1. inner\n- two\n\n> said\n\n```\nrun it\n```\n\n<table><tr><td>cell</td></tr></table>\n"
)


def test_a_file_is_read_with_its_title_properties_and_sections() -> None:
    extracted = markdown(PUMP)
    assert extracted.text == (
        "Before.\n\nOil\n\nEvery six weeks. Never dry.\n\nParts\n\nPart | Price\nBelt | 3 euro\n\n"
        "- one\n  1. inner\n- two\n\nsaid\n\nrun it\n\ncell"
    )
    assert (extracted.title, extracted.meta) == ("The pump", {"date": "2024-05-01", "tags": "a, b"})
    assert [section_of(extracted, words) for words in ("Before", "Oil", "dry", "Belt")] == [None, "Oil", "Oil", "Parts"]


def test_the_first_top_heading_is_the_title() -> None:
    assert markdown("## Part\n\n# Care of *pumps*\n\n# More").title == "Care of pumps"
    assert markdown("<h1 align=center>Pumps</h1>\n\n# More").title == "Pumps"
    assert markdown("## Part").title is None


@pytest.mark.parametrize(
    ("front_matter", "title", "meta"),
    [
        ("---\ntitle: Pumps: care and use\ntags: [a, b]\n---\n", "Pumps: care and use", {"tags": "a, b"}),
        ("---\n# made by hand\ntitle: Pumps\nowner: mara\n---\n", "Pumps", {"owner": "mara"}),
        ("\ufeff---\r\ntitle: Pumps\r\n---\r\n", "Pumps", {}),
        ('+++\ntitle = "Pumps"\ndate = 2021-03-04\n+++\n', "Pumps", {"date": "2021-03-04"}),
        ("+++\ntitle = Pumps\n+++\n", "Pumps", {}),
        (
            "---\ntitle: A: b\ntags:\n  - x\n  - y\nabout: >\n  long\n  text\n---\n",
            "A: b",
            {"tags": "x, y", "about": "long text"},
        ),
        ('---\ntitle: "Pumps"\nbad: [a, b\n"quoted": x\n---\n', "Pumps", {"bad": "a, b", "quoted": "x"}),
        ("---\ntitle: Pumps\nof: {a: b}\nsize: .inf\n...\n", "Pumps", {"of": "{'a': 'b'}", "size": "inf"}),
        ("---\n---\n", None, {}),
    ],
)
def test_front_matter_is_read_also_where_it_is_not_valid(
    front_matter: str, title: str | None, meta: dict[str, str]
) -> None:
    extracted = markdown(front_matter + "Oil it.")
    assert (extracted.text, extracted.title, extracted.meta) == ("Oil it.", title, meta)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nA rule, and words.\n---\n\n# Title\n", "A rule, and words.\n\nTitle"),
        (
            "---\n\nNote: the code is 4711.\n\nDogs: two.\n\n---\n\nEnd.",
            "Note: the code is 4711.\n\nDogs: two.\n\nEnd.",
        ),
        ("---\n*Note*: this: is prose\n---\n", "Note: this: is prose"),
        (
            "---\nNote: this: is\nprose and more prose\nand yet more\n---\n",
            "Note: this: is prose and more prose and yet more",
        ),
    ],
)
def test_text_between_rules_is_text(text: str, expected: str) -> None:
    extracted = markdown(text)
    assert (extracted.text, extracted.meta) == (expected, {})


@pytest.mark.parametrize(
    "value",
    ["!!bool maybe", '!!int ""', '!!float ""', "!!timestamp abc", f"0x{'f' * 6000}", "9" * 6000, f"[0x{'f' * 6000}]"],
)
def test_a_value_that_is_not_of_its_type_costs_neither_the_text_nor_the_other_properties(value: str) -> None:
    extracted = markdown(f"---\nx: {value}\nowner: mara\n---\nOil it.")
    assert (extracted.text, extracted.meta["owner"]) == ("Oil it.", "mara")
    assert markdown(f"+++\nx = {value}\nowner = 'mara'\n+++\nOil it.").meta["owner"] == "mara"


def test_long_lines_in_front_matter_are_read_in_linear_time() -> None:
    start = time.process_time()
    markdown(f"---\na: [\nb{' ' * 40_000}x\n---\nOil it.")
    assert time.process_time() - start < 1


def test_front_matter_fits_the_limits_of_metadata() -> None:
    lines = [f"key{number}: value" for number in range(2 * MAX_META_FIELDS)]
    meta = markdown("\n".join(["---", f"long: {'a' * 2 * MAX_META_VALUE}", *lines, "---", "Text."])).meta
    assert len(meta) == MAX_META_FIELDS
    assert len(str(meta["long"])) == MAX_META_VALUE


def test_aliases_in_front_matter_do_not_expand() -> None:
    aliases = "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20))
    extracted = markdown(f"---\na: &a [x]\n{aliases}---\nText.")
    assert extracted.text == "Text."
    assert len(str(extracted.meta)) < 2_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The pump is oiled every\nsix weeks by the warden\nof the mill.",
            "The pump is oiled every six weeks by the warden of the mill.",
        ),
        ("one  \ntwo\\\nthree<br>four", "one\ntwo\nthree\nfour"),
        ("~~old~~ ![Plan](p.png) &amp; `a & b`", "old Plan & a & b"),
        (
            "Deep[^1] and cold[^n].\n\n[^1]: It is 61 m.\n[^n]: Tolland1987",
            "Deep[^1] and cold[^n].\n\n[^1]: It is 61 m.\n\n[^n]: Tolland1987",
        ),
        ("A[^1]\n\n[^1]: One\n    more.\n\n    Two.\n\nEnd.", "A[^1]\n\n[^1]: One more.\n\nTwo.\n\nEnd."),
        ('!!! note "Take care"\n    Oil it.\n\n    Often.\n\nEnd.', "Take care\n\nOil it.\n\nOften.\n\nEnd."),
        ('??? tip\n    Oil it.\n\n=== "macOS"\n\n    Use brew.', "Tip\n\nOil it.\n\nmacOS\n\nUse brew."),
        (
            "Text\n:::warning[Hot surface]\nDo not touch.\n:::\nEnd.",
            "Text\n\nwarning Hot surface\n\nDo not touch.\n\nEnd.",
        ),
        ("> [!NOTE]\n> Oil it.", "Note: Oil it."),
        ("Frame\n: Made of ash.", "Frame\nMade of ash."),
        ("```\n[^1]: x\n:::note\n!!! y\n```", "[^1]: x\n:::note\n!!! y"),
        (
            "1. First\n   - inner\n     1. deep\n2. Second\n\n   more\n\n   ```sh\n   fetch\n   ```",
            "1. First\n  - inner\n    1. deep\n2. Second\n  more\n\nfetch",
        ),
        ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
    ],
)
def test_blocks_and_lines_are_those_of_the_rendered_text(text: str, expected: str) -> None:
    assert markdown(text).text == expected


def test_a_table_within_a_list_keeps_its_rows() -> None:
    extracted = markdown("- Rates:\n\n  | Month | Rate |\n  |---|---|\n  | May | 4.1 |\n  | June | 4.6 |\n\n- End")
    assert extracted.text == "- Rates:\n\nMonth | Rate\nMay | 4.1\nJune | 4.6\n\n- End"
    (table,) = extracted.tables
    assert (table.header, table.header_rows) == (("Month", "Rate"), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "one<br>two\n\n| a |\n|---|\n| b<br/>c |\n\n- item\n\n  <p>inner</p>\n",
            "one\ntwo\n\na\nb c\n\n- item\n  inner",
        ),
        (
            "<details>\n<summary>How deep?</summary>\n\nIt is *61* metres deep.\n\n</details>",
            "How deep?\n\nIt is 61 metres deep.",
        ),
        ("<table>\n<tr>\n\n<td>May</td>\n\n<td>\n\n**4.1**\n\n</td>\n</tr>\n</table>", "May | 4.1"),
        ("Press <kbd>Ctrl</kbd>+<kbd>C</kbd>. 10<sup>6</sup> cells.", "Press Ctrl+C. 10^6 cells."),
        ("Use `List<String>`, List<String> or <your-name>.", "Use List<String>, List<String> or <your-name>."),
        ("<your-name>\n\nis a name", "<your-name>\n\nis a name"),
        ("The <script> and <textarea> tags <b>end</b>.\n\nMore.", "The <script> and <textarea> tags end.\n\nMore."),
        ("a <!-- secret --> b\n\n<!-- more -->\n\nc", "a b\n\nc"),
    ],
)
def test_html_is_read_as_it_is_shown(text: str, expected: str) -> None:
    assert markdown(text).text == expected


def test_the_words_of_components_are_text() -> None:
    extracted = markdown(
        'import X from "x"\nexport const a = 1;\n\n# Care\n\n<Note>Oil it.</Note>\n\n<Tabs>\n'
        '<TabItem value="mac" label="macOS">\n\nUse brew.\n\n</TabItem>\n</Tabs>\n\n'
        '<Card title="Start">Here.</Card>\n\n'
        '```js\nimport y from "y"\n```\n',
        "a.mdx",
    )
    assert extracted.text == 'Care\n\nOil it.\n\nmacOS\n\nUse brew.\n\nStart Here.\n\nimport y from "y"'


def test_deep_nesting_gives_text_or_a_clear_error() -> None:
    assert markdown("> " * 40 + "word").text == "word"
    with pytest.raises(InvalidInput, match=r"deep\.md: the document has no text"):
        read_upload(b"> " * 50_000 + b"word", "deep.md", extract)
    assert "word" in markdown("[^1]: " * 300 + "word").text


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("#*_`~[]()<>!:=+-|^\\ \n\t\"'&;/1ax"), max_size=200), end=st.integers(0, len(PUMP)))
def test_any_markdown_gives_text_or_a_clear_error(text: str, end: int) -> None:
    for data in (text, f"---\na: {text}\n---\nb", f"+++\na={text}\n+++\nb", PUMP[:end] + text, f"!!! x\n    {text}"):
        rejection = None
        try:
            extracted = markdown(data)
        except QAError as error:
            rejection = error
        if rejection:
            assert rejection.message.startswith("a.md: ")
        else:
            assert all(0 <= mark.start < len(extracted.text) for mark in extracted.marks)
