"""Notebooks: text, code and the text of outputs, in the order of the cells."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.documents.extract.notebook import extract_notebook
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError
from qa.types import mark_at

FRAME = (
    "<div><style scoped>th { top: 0 }</style><table><thead><tr><th></th><th>month</th><th>litres</th></tr></thead>"
    "<tbody><tr><th>0</th><td>May</td><td>3.5</td></tr><tr><th>1</th><td>June</td><td>4.0</td></tr></tbody></table></div>"
)


def code(source: str | list[str], *outputs: dict[str, object]) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": {}, "execution_count": 1}


def markdown(source: str | list[str]) -> dict[str, object]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def result(**data: object) -> dict[str, object]:
    return {"output_type": "execute_result", "data": {key.replace("_", "/", 1): value for key, value in data.items()}}


def stream(text: str) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def notebook(*cells: dict[str, object], **metadata: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()


def extract(*cells: dict[str, object], **metadata: object) -> ExtractedText:
    return extract_notebook(notebook(*cells, **metadata), "a.ipynb")


def unread(document: ExtractedText) -> list[str]:
    return [part.reason for part in document.unread]


def test_reads_text_code_and_outputs_in_order() -> None:
    document = extract(
        markdown(["# Oil use\n", "\n", "Litres *per* month."]),
        code(["def litres(month):\n", "    return 3.5\n", "\n", "print(litres(5))"], stream("3.5\n")),
        markdown("## Belts\n\n- one\n- two"),
        code("count", result(text_plain=["2"])),
        {"cell_type": "raw", "source": "Raw text."},
        kernelspec={"display_name": "Python 3", "language": "python"},
        language_info={"name": "python"},
        authors=[{"name": "Mara"}, {"name": "Odd"}],
    )
    assert document.text == (
        "Oil use\n\nLitres per month.\n\ndef litres(month):\n    return 3.5\n\nprint(litres(5))\n\n3.5\n\n"
        "Belts\n\n- one\n- two\n\ncount\n\n2\n\nRaw text."
    )
    assert document.title == "Oil use"
    assert document.meta == {"author": "Mara, Odd", "language": "python", "kernel": "Python 3"}


def test_a_section_extends_over_the_code_below_its_heading() -> None:
    document = extract(code("import oil"), markdown("# Use"), code("use()"), markdown("# Belts"), code("belts()"))
    sections = [mark_at(document.marks, document.text.index(words)) for words in ("import", "use()", "belts()")]
    assert [mark and mark.section for mark in sections] == [None, "Use", "Belts"]


def test_reads_a_data_frame_as_a_table() -> None:
    document = extract(code("frame", result(text_plain="  month  litres\n0   May", text_html=FRAME)))
    assert document.text == "frame\n\n | month | litres\n0 | May | 3.5\n1 | June | 4.0"
    (table,) = document.tables
    assert document.text[table.start :].startswith(" | month")
    assert (table.header, table.header_rows) == (("", "month", "litres"), 1)


def test_reads_other_outputs_as_text() -> None:
    document = extract(
        code(
            "a",
            result(text_plain="x**2", text_latex="$x^2$"),
            result(text_html="<b>bold</b> only"),
            result(text_markdown="*shown*", text_plain="<Markdown object>"),
            {"output_type": "error", "ename": "ValueError", "evalue": "no oil", "traceback": ["\x1b[31mx"]},
            stream("\x1b[32mgreen\x1b[0m\n10%\r50%\r100%\nend"),
        )
    )
    assert document.text == "a\n\nx**2\n\nbold only\n\nshown\n\nValueError: no oil\n\ngreen\n100%\nend"


def test_reports_pictures_and_drops_the_names_of_objects() -> None:
    document = extract(
        code("plot()", result(text_plain="[<matplotlib.lines.Line2D at 0x7f3b>]")),
        code("show()", result(text_plain="<Figure size 640x480 with 1 Axes>", image_png="iVBO")),
        markdown("![plan](attachment:plan.png)\n\nThe plan."),
    )
    assert "Line2D" not in document.text
    assert "Figure" not in document.text
    assert unread(document) == ["pictures in cells 2, 3"]


def test_keeps_the_text_beside_a_picture() -> None:
    document = extract(code("show()", result(text_plain="result 4711", image_png="iVBO")))
    assert document.text == "show()\n\nresult 4711"
    assert unread(document) == ["pictures in cells 1"]


@pytest.mark.parametrize(
    "name",
    [
        "<IPython.core.display.Image object>",
        "<PIL.Image.Image image mode=RGB size=6x4>",
        "<Figure size 432x288 with 0 Axes>",
        "[<A>]",
        "alt.Chart(...)",
        "plot without title",
    ],
)
def test_drops_the_name_of_an_object_that_is_a_picture(name: str) -> None:
    assert extract(code("show()", result(text_plain=name, image_png="iVBO"))).text == "show()"


def test_cuts_a_long_output_and_reports_it() -> None:
    document = extract(code("log()", stream("line of a log\n" * 10_000)))
    assert len(document.text) < 20_100
    assert unread(document) == ["cell 1: the output after its first 20,000 characters"]


def test_reads_version_3() -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Oil use"]},
        {"cell_type": "code", "input": ["x = 1\n", "x"], "outputs": [{"output_type": "pyout", "text": ["1"]}]},
        {
            "cell_type": "code",
            "input": "plot()",
            "outputs": [{"output_type": "display_data", "png": "iVBO", "text": "<F>"}],
        },
    ]
    data = json.dumps({"nbformat": 3, "metadata": {"name": "oil"}, "worksheets": [{"cells": cells}]}).encode()
    document = extract_notebook(data, "a.ipynb")
    assert document.text == "Oil use\n\nx = 1\nx\n\n1\n\nplot()"
    assert document.title == "Oil use"
    assert unread(document) == ["pictures in cells 3"]


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"text", b'{"cells": {}}', b"[" * 100_000])
def test_rejects_what_is_not_a_notebook(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"a\.ipynb: not a Jupyter notebook, or damaged \(.*\); save it again"):
        extract_notebook(data, "a.ipynb")


VALID = notebook(
    markdown("# Oil"), code("x", stream("1"), result(text_html=FRAME, text_plain="1")), language_info={"name": "python"}
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "data", "name"]), inner),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_document_or_an_error(data: st.DataObject) -> None:
    source = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(source)))
        source[position : position + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with suppress(QAError):
        assert "\0" not in extract_notebook(bytes(source), "a.ipynb").text


@given(
    st.dictionaries(st.sampled_from(["cells", "worksheets", "metadata"]), JSON),
    st.lists(
        st.dictionaries(
            st.sampled_from(["cell_type", "source", "input", "outputs"]),
            JSON | st.sampled_from(["code", "markdown", "heading"]),
        ),
        max_size=3,
    ),
)
@settings(max_examples=200, deadline=None)
def test_any_values_give_a_document_or_an_error(top: dict[str, object], cells: list[dict[str, object]]) -> None:
    with suppress(QAError):
        text = extract_notebook(json.dumps({"cells": cells, **top}).encode(), "a.ipynb").text
        assert text == text.encode("utf-8").decode()
