"""Entity tags in the headers of conditional requests (pure)."""

from __future__ import annotations


def parse_etags(header: str | None) -> frozenset[str] | None:
    """Return the content hashes in a list of entity tags; None without a header, or for `*`, which matches any."""
    if header is None or header.strip() == "*":
        return None
    return frozenset(etag.strip().removeprefix("W/").strip('"') for etag in header.split(","))


def matches(if_none_match: str | None, hash: str) -> bool:
    """Return whether the client already has the content with this hash."""
    if if_none_match is None:
        return False
    etags = parse_etags(if_none_match)
    return etags is None or hash in etags
