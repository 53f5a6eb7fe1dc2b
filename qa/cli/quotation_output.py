"""What `qa verify-quote` prints: where a quotation is, or the nearest text and how it differs; or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.cli.output import count, lines, print_json, styled

if TYPE_CHECKING:
    from qa.quotations import QuoteMatch, QuoteResult


def places(result: QuoteResult, as_json: bool) -> None:
    """Print the exact places of a quotation; without any, the nearest text."""
    if as_json:
        from qa.wire.quotations import verify_response

        print_json(verify_response([result]).results[0].model_dump())
        return
    if result.found:
        styled(f"Found in {count(len(result.matches), 'place')}.", style="bold")
    elif result.matches:
        styled("Not found. The nearest text:", style="bold")
    else:
        styled("Not found: no document shares a word with the quotation.", style="bold")
    for match in result.matches:
        _print_match(match)


def _print_match(match: QuoteMatch) -> None:
    lines([""])
    styled(match.text)
    similarity = "" if match.exact else f"{match.similarity:.0%} similar"
    page, offsets = f"page {match.page}" if match.page else "", f"characters {match.span.start} to {match.span.end}"
    styled(", ".join(filter(None, [similarity, match.document_id, page, match.section, offsets])), style="dim")
    lines([f"- quoted {d.quoted!r}, the document has {d.actual!r}" for d in match.difference])
