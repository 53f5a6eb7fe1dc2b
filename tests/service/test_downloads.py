from __future__ import annotations

import re
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from qa.service.downloads import content_headers, parse_range
from qa.service.etags import matches
from qa.types import SourceFile, Span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-4", Span(0, 5)),
        ("bytes=7-", Span(7, 10)),
        ("bytes=7-99", Span(7, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-99", Span(0, 10)),
        # Not valid, not in bytes, or several ranges: the whole file.
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("pages=1-2", None),
        ("bytes=0-1,3-4", None),
        (f"bytes={'9' * 5_000}-", None),
    ],
)
def test_parses_ranges(header: str | None, span: Span | None) -> None:
    assert parse_range(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_rejects_ranges_outside_the_file(header: str) -> None:
    with pytest.raises(HTTPException) as raised:
        parse_range(header, 10)
    assert (raised.value.status_code, raised.value.headers) == (416, {"Content-Range": "bytes */10"})


@given(st.text(max_size=40), st.integers(0, 50))
def test_any_range_is_within_the_file(header: str, size: int) -> None:
    try:
        span = parse_range(f"bytes={header}", size)
    except HTTPException:
        return
    assert span is None or 0 <= span.start < span.end <= size


@given(st.text(min_size=1, max_size=60))
def test_any_file_name_is_sent_in_one_header(name: str) -> None:
    value = content_headers(SourceFile(name, "application/pdf", "", 0))["Content-Disposition"]
    value.encode("ascii")
    assert value.isprintable()
    header = Message()
    header["Content-Disposition"] = value
    assert header.get_content_disposition() == "attachment"
    encoded = re.search(r"; filename\*=UTF-8''([^;]*)$", value)
    assert encoded
    assert unquote(encoded[1]) == name


def test_browsers_run_no_script_of_a_file() -> None:
    for media_type, sent in (
        ("application/pdf", "application/pdf"),
        ("text/csv", "text/csv"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/plain\r\nX-Other: 1", "application/octet-stream"),
    ):
        headers = content_headers(SourceFile("a", media_type, "", 0))
        assert headers["Content-Type"] == sent
        assert headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), ("", False), ('"a"', True), ('"b", W/"a"', True), ('"b"', False), ("*", True)],
)
def test_compares_entity_tags(header: str | None, expected: bool) -> None:
    assert matches(header, "a") is expected
