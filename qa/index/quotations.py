"""Find quotations in the documents of an index, and report where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qa.errors import InvalidInput, NotFound
from qa.index.derived import View
from qa.index.registry import Indexes
from qa.index.snapshot import LocalSnapshot
from qa.index.transactions import ReadTransaction
from qa.quotations import Quote, QuoteResult
from qa.search.filters import AnyOf, Condition, Filter, parse_filter
from qa.search.quotations import QuotationFinder
from qa.text.folding import skeleton
from qa.validation import MAX_QUOTES, check_document_id, check_quote

QUOTES_AS_QUESTION = 8
"""The number of quotations that take about as long as a question."""


def verify_quotes(
    indexes: Indexes, name: str, quotes: Sequence[str | Quote], filters: Mapping[str, object] | None
) -> list[QuoteResult]:
    """Return where each quotation is in the documents, in order.

    Args:
        indexes: the named indexes.
        name: name of the index.
        quotes: 1 to 64 quotations of 3 to 2,000 characters, each of any document or of one.
        filters: conditions on metadata that a document must meet.

    Raises:
        InvalidInput: there are too many quotations, one is blank, too short or too long, or a filter is not valid.
        NotFound: the index or a document does not exist.
    """
    if not 1 <= len(quotes) <= MAX_QUOTES:
        raise InvalidInput(f"quotes must have 1 to {MAX_QUOTES} entries, got {len(quotes)}", field="quotes")
    checked = [_check(quote, f"quotes.{number}") for number, quote in enumerate(quotes)]
    filter = parse_filter(filters or {})

    def find_all(view: View, transaction: ReadTransaction) -> list[QuoteResult]:
        for number, quote in enumerate(checked):
            if quote.document_id is not None and not transaction.has(quote.document_id):
                field = f"quotes.{number}.document_id"
                raise NotFound(f"document {quote.document_id!r} not found in index {name!r}", field=field)
        finder = QuotationFinder(LocalSnapshot(view, transaction))
        return [
            finder.find(quote.text, _within(filter, quote.document_id), read_whole=quote.document_id is not None)
            for quote in checked
        ]

    return indexes.get(name).derived.query(find_all)


def _check(quote: str | Quote, field: str) -> Quote:
    checked = quote if isinstance(quote, Quote) else Quote(quote)
    if not skeleton(check_quote(checked.text, f"{field}.text")):
        raise InvalidInput(f"{field}.text has no letters or digits to look for", field=f"{field}.text")
    if checked.document_id is not None:
        check_document_id(checked.document_id, f"{field}.document_id")
    return checked


def _within(filter: Filter | None, document_id: str | None) -> Filter | None:
    """Return a filter that also requires a document, if one is named."""
    if document_id is None:
        return filter
    conditions = filter.conditions if filter else ()
    return Filter((*conditions, Condition("document_id", AnyOf(texts=(document_id,)))))
