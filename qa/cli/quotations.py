"""`qa verify-quote`."""

from __future__ import annotations

from typing import Annotated

import typer

from qa.cli import quotation_output
from qa.cli.options import FilterOption, IndexOption, JsonFlag, UrlOption, parse_filters
from qa.cli.sessions import client_session, documents_session
from qa.quotations import Quote

app = typer.Typer(rich_markup_mode=None)


@app.command()
def verify_quote(
    text: Annotated[str, typer.Argument(help="A quotation of 3 to 2,000 characters.")],
    document_id: Annotated[str | None, typer.Option("--document-id", help="Find it in this document only.")] = None,
    index: IndexOption = "default",
    filter: FilterOption = None,
    url: UrlOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Find a quotation in the documents, or the nearest text.

    White space, quotation marks, dashes, ligatures, case and hyphens at line ends may differ; words may not. With
    --url, a running server searches.
    """
    filters = parse_filters(filter or [])
    quotes = [Quote(text, document_id)]
    if url:
        with client_session(url) as client:
            results = client.verify_quotes(quotes, index=index, filters=filters)
    else:
        # No model is needed.
        from qa.index.quotations import verify_quotes

        with documents_session() as documents:
            results = verify_quotes(documents.indexes, index, quotes, filters)
    quotation_output.places(results[0], as_json)
