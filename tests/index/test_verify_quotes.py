"""Quotations are found in an index wherever they are in its documents, and other words never are."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from qa.errors import InvalidInput, NotFound, QAError
from qa.index.local import LocalIndex
from qa.index.quotations import verify_quotes
from qa.index.registry import Indexes
from qa.quotations import Quote, QuoteMatch, QuoteResult
from qa.search.quotations import MAX_PLACES
from qa.text.boxes import pack_boxes
from qa.text.folding import skeleton, words_of
from qa.text.sentences import sentence_ends
from qa.types import Mark, Rectangle, Span
from tests.conftest import SPECIFICATION, golden_documents, prepare_document, put, shared

LEASE = (
    "1 Term\n\nThe lease begins on 1 May and ends after two years. The tenant may prolong the infor-\nmation right.\n\n"
    "2 Rent\n\nThe rent is “1,200 euros” a month. It is due on the first. It is not due on a Sunday.\n"
)
MARKS = [Mark(0, 1, "Term"), Mark(LEASE.index("2 Rent"), 2, "Rent")]
# Sentences of more than one passage, whose words are all in many passages.
LONG = " ".join(f"The {word} is on the table in the hall of house {n}." for n in range(60) for word in ("key", "map"))


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[Indexes]:
    opened = Indexes(tmp_path, SPECIFICATION)
    opened.get_or_create("default")
    yield opened
    opened.close()


def add(indexes: Indexes, **texts: str) -> LocalIndex:
    index = indexes.get("default")
    put(index, *(prepare_document(id, text) for id, text in texts.items()))
    return index


def verify(indexes: Indexes, *quotes: str | Quote, **filters: Any) -> list[QuoteResult]:
    return verify_quotes(indexes, "default", quotes, filters)


def places(indexes: Indexes, quote: str | Quote, **filters: Any) -> list[tuple[str, str]]:
    """Return the document and text of each exact place."""
    (result,) = verify(indexes, quote, **filters)
    assert result.found == any(match.exact for match in result.matches)
    return [(match.document_id, match.text) for match in result.matches if match.exact]


def test_reports_page_section_and_rectangles(indexes: Indexes) -> None:
    boxes = pack_boxes(LEASE, [(word, Rectangle(2, 10, 20, 30, 40)) for word in LEASE.split()], "|")
    put(indexes.get("default"), prepare_document("lease", LEASE, marks=MARKS, boxes=boxes))
    (result,) = verify(indexes, "the rent is '1,200  EUROS' a month")
    (match,) = result.matches
    assert match == QuoteMatch(
        "lease",
        Span(LEASE.index("The rent"), LEASE.index(". It is due")),
        "The rent is “1,200 euros” a month",
        exact=True,
        similarity=1.0,
        page=2,
        section="Rent",
        rectangles=(Rectangle(2, 10, 20, 30, 40),),
    )
    assert match.span.of(LEASE) == match.text


def test_reports_the_nearest_text_and_the_words_that_differ(indexes: Indexes) -> None:
    add(indexes, lease=LEASE, tea="Green tea should steep for two minutes.")
    (result,) = verify(indexes, "The lease begins on 2 May and ends after two years.")
    (match,) = result.matches
    assert (result.found, match.exact, match.document_id) == (False, False, "lease")
    assert match.text == match.span.of(LEASE) == "The lease begins on 1 May and ends after two years."
    assert 0.9 < match.similarity < 1
    assert [(part.quoted, part.actual, part.span.of(LEASE)) for part in match.difference] == [("2", "1", "1")]
    assert verify(indexes, "Zebras gallop") == [QuoteResult(())]


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("information", "infor-\nmation"),
        ("the information right", "the infor-\nmation right"),
        ("it is not", "It is not"),
        ("on a", "on a"),
        ("right. 2 Rent The rent", "right.\n\n2 Rent\n\nThe rent"),
    ],
)
def test_finds_hyphenated_common_and_few_words(indexes: Indexes, quote: str, text: str) -> None:
    add(indexes, lease=LEASE, other="Another text. The formation is old, and information is not there yet, is it?")
    assert ("lease", text) in places(indexes, quote)


def test_finds_what_is_split_over_passages(indexes: Indexes) -> None:
    index = add(indexes, long=LONG)
    with index.catalog.read() as transaction:
        spans = sorted(p.passage.span for p in transaction.passages(transaction.passages_of("long", 1)).values())
    assert len(spans) > 5
    for span, following in pairwise(spans):
        crossing = Span(max(span.start, following.start - 30), min(following.end, span.end + 40))
        words = words_of(LONG, crossing)[1:-1]
        quoted = Span(words[0].span.start, words[-1].span.end)
        (result,) = verify(indexes, quoted.of(LONG).upper())
        assert quoted in [match.span for match in result.matches if match.exact]
    whole = Span(0, LONG.index(" The map is on the table in the hall of house 17."))
    assert [match.span for match in verify(indexes, whole.of(LONG))[0].matches] == [whole]


def test_returns_places_in_document_order_up_to_a_limit(indexes: Indexes) -> None:
    add(indexes, second="A red door. A red door.", first="The red door is a red door.")
    (result,) = verify(indexes, "red door")
    assert [(match.document_id, match.span.start) for match in result.matches] == [
        ("second", 2), ("second", 14), ("first", 4), ("first", 18),
    ]  # fmt: skip
    add(indexes, long=LONG)
    (result,) = verify(indexes, "on the table in the hall")
    assert [match.span.start for match in result.matches] == [
        match.start() for match in re.finditer("on the table in the hall", LONG)
    ][:MAX_PLACES]


def test_searches_one_document_or_those_that_pass_a_filter(indexes: Indexes) -> None:
    index = indexes.get("default")
    put(index, *(prepare_document(id, "The red door.", meta={"year": year}) for id, year in (("a", 1), ("b", 2))))
    assert [id for id, _ in places(indexes, "red door", year=2)] == ["b"]
    assert [id for id, _ in places(indexes, Quote("red door", "a"))] == ["a"]
    assert places(indexes, Quote("red door", "a"), year=2) == []
    assert [match.document_id for match in verify(indexes, "a blue door", year=1)[0].matches] == ["a"]
    assert [match.document_id for match in verify(indexes, Quote("a blue door", "b"))[0].matches] == ["b"]


def test_sees_the_newest_revision(indexes: Indexes) -> None:
    index = add(indexes, door="The red door.")
    assert places(indexes, "red door")
    add(indexes, door="The blue door.")
    assert (places(indexes, "red door"), places(indexes, "blue door")) == ([], [("door", "blue door")])
    index.remove(["door"])
    assert verify(indexes, "blue door") == [QuoteResult(())]


@pytest.mark.parametrize(
    ("quotes", "error", "field", "message"),
    [
        ([], InvalidInput, "quotes", "1 to 64 entries, got 0"),
        (["the door"] * 65, InvalidInput, "quotes", "1 to 64 entries, got 65"),
        (["the door", ""], InvalidInput, "quotes.1.text", "must not be blank"),
        ([" \n "], InvalidInput, "quotes.0.text", "must not be blank"),
        (["ab"], InvalidInput, "quotes.0.text", "has 2 characters; at least 3"),
        (["x" * 2_001], InvalidInput, "quotes.0.text", "has 2,001 characters; at most 2,000"),
        (["“—”"], InvalidInput, "quotes.0.text", "no letters or digits"),
        (["a\0b"], InvalidInput, "quotes.0.text", "U\\+0000"),
        (["a\ud800b"], InvalidInput, "quotes.0.text", "lone surrogate"),
        ([Quote("the door", "nowhere")], NotFound, "quotes.0.document_id", "'nowhere' not found in index 'default'"),
        ([Quote("the door", " ")], InvalidInput, "quotes.0.document_id", "must not be blank"),
    ],
)
def test_rejects_invalid_quotations(
    indexes: Indexes, quotes: list[str | Quote], error: type[QAError], field: str, message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        verify(indexes, *quotes)
    assert raised.value.field == field


def test_rejects_an_invalid_filter_and_an_unknown_index(indexes: Indexes) -> None:
    with pytest.raises(InvalidInput, match="unknown bound"):
        verify(indexes, "the door", year={"near": 3})
    with pytest.raises(NotFound, match="index 'nowhere' not found"):
        verify_quotes(indexes, "nowhere", ["the door"], None)


def sentences_of(text: str) -> list[Span]:
    """Return the sentences of a text that have four words or more, without white space and cell bars around them."""
    edges = sorted({0, *sentence_ends(text), len(text)})
    around = " \t\r\n|"
    spans = [
        Span(start + len(content) - len(content.lstrip(around)), start + len(content.rstrip(around)))
        for start, end in pairwise(edges)
        if (content := text[start:end]).strip(around)
    ]
    return [span for span in spans if len(span) <= 2_000 and len(words_of(text, span)) >= 4]


def check_sentences(indexes: Indexes, texts: dict[str, str], limit: int) -> int:
    """Check that verbatim sentences are found, and that none is with one word changed; return their number."""
    rng = random.Random(1)
    sentences = [(id, span) for id, text in texts.items() for span in sentences_of(text)]
    sample = rng.sample(sentences, min(limit, len(sentences)))
    for first in range(0, len(sample), 32):
        part = sample[first : first + 32]
        changed = [change_word(span.of(texts[id]), rng) for id, span in part]
        verbatim = verify(indexes, *(span.of(texts[id]) for id, span in part))
        for (id, span), result in zip(part, verbatim, strict=True):
            found = [(match.document_id, match.span) for match in result.matches if match.exact]
            assert (id, span) in found or len(found) == MAX_PLACES, (id, span.of(texts[id]))
            assert all(match.text == match.span.of(texts[match.document_id]) for match in result.matches)
        for quote, result in zip(changed, verify(indexes, *changed), strict=True):
            assert not result.found, quote
            assert all(match.similarity < 1 and match.difference for match in result.matches)
    return len(sample)


def change_word(sentence: str, rng: random.Random) -> str:
    """Return a sentence with a word that no document has in the place of one of its words."""
    words = [word for word in words_of(sentence, Span(0, len(sentence))) if any(map(str.isalnum, word.form))]
    span = rng.choice(words).span
    letters = "".join(rng.choice("qxzjk") for _ in range(max(3, len(skeleton(span.of(sentence))))))
    return (sentence[: span.start] + letters + sentence[span.end :])[:2_000]


def test_finds_the_sentences_of_the_sample_documents_and_no_changed_ones(indexes: Indexes) -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in golden_documents()}
    add(indexes, **texts)
    assert check_sentences(indexes, texts, 60) == 60


@pytest.mark.slow
def test_finds_a_thousand_sentences_of_practice_documents_and_no_changed_ones(indexes: Indexes) -> None:
    files = sorted(shared("practice", "docs").glob("*.txt")) + sorted(shared("practice", "docs").glob("*.md"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    add(indexes, **texts)
    assert check_sentences(indexes, texts, 1_000) == 1_000
