"""HTML: the text of a page, with its headings as sections.

Text stays unless it is navigation, furniture that sites repeat on each page, or never shown. Tables of contents and
indexes are kept and marked, so that no answer comes from them.
"""

from __future__ import annotations

from collections.abc import Sequence

from qa.documents.extract.html.blocks import BlockWriter
from qa.documents.extract.html.main import Pruned, empty_skipped, is_notice, prune, prune_links
from qa.documents.extract.html.parsing import Element, decode_page, parse_markup, raw_text
from qa.documents.extract.text_builder import ExtractedText, TextBuilder
from qa.errors import InvalidInput

_MAX_LISTED = 20


def extract_html(data: bytes, name: str) -> ExtractedText:
    """Extract the text of a page.

    Raises:
        UnsupportedFormat: the file is not text.
        InvalidInput: the page only shows others in frames, or its elements are nested too deeply.
    """
    decoded = decode_page(data, name)
    builder = TextBuilder()
    for unread in decoded.unread:
        builder.report_unread(unread.reason)
    page = parse_markup(decoded.text, name)
    if page is None:
        return builder.build()
    title = " ".join((page.findtext("head/title") or page.findtext(".//title") or "").split())
    frames = [frame.get("src") for frame in page.iter("frame") if frame.get("src")]
    if frames:
        add_markup(builder, _read_frameset(page, frames, builder, name), name)
    else:
        _add_page(builder, page, decoded.text, name)
    return builder.build(title)


def add_markup(builder: TextBuilder, markup: str, name: str, *, has_furniture: bool = True) -> str | None:
    """Add the text of a page or of a part of one, and return its first heading of the highest level.

    Args:
        builder: receives the text.
        markup: the page.
        name: the file's name in error messages.
        has_furniture: whether there may be more than headings, paragraphs, lists, tables, listings and links.

    Raises:
        InvalidInput: elements are nested too deeply.
    """
    page = parse_markup(markup, name)
    return None if page is None else _add_page(builder, page, markup, name, has_furniture=has_furniture)


def _add_page(builder: TextBuilder, page: Element, markup: str, name: str, *, has_furniture: bool = True) -> str | None:
    try:
        pruned = prune(page, markup) if has_furniture else prune_links(page)
        writer = BlockWriter(builder, pruned)
        writer.write(page)
        if not writer.has_text and (whole := parse_markup(markup, name)) is not None:
            # A page that is nothing but navigation is read as it is.
            empty_skipped(whole)
            writer = BlockWriter(builder, Pruned())
            writer.write(whole)
    except RecursionError:
        raise InvalidInput(f"{name}: HTML elements are nested too deeply; simplify the page", field=name) from None
    for source in pruned.embedded[:_MAX_LISTED]:
        builder.report_unread(f"the page shows another file within itself, {source[:200]}; add that file")
    return writer.first_heading


def _read_frameset(page: Element, frames: Sequence[str], builder: TextBuilder, name: str) -> str:
    """Return the markup for browsers without frames, and report the frames.

    Raises:
        InvalidInput: that markup has no text.
    """
    listed = ", ".join(frames[:_MAX_LISTED])
    # The parser leaves the tags inside this element as text.
    markup = " ".join(raw_text(element) for element in page.iter("noframes"))
    inner = parse_markup(markup, name)
    text = "" if inner is None else raw_text(inner).strip()
    if not text or is_notice(text):
        raise InvalidInput(f"{name}: a page of frames, without text; add the pages that it shows: {listed}", field=name)
    builder.report_unread(f"the page shows other files in frames; add these files: {listed}")
    return markup
