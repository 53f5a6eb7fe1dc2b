from __future__ import annotations

import random
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qa.text.folding import skeleton, words_of
from qa.text.quotations import FoldedText, Quotation
from qa.types import Span

TEXT = (
    "She was able to see the “well-known” infor-\nmation on the therapist’s page — 10² items, -5 degrees, 1,000 euros\n"
    "at 10:30. It's a well-\nknown ﬁnd: Café | cafe\u0301 | 2.5 kg. Use --no-cache; the mice' cheese.\n"
)
WORDS = st.sampled_from(
    [
        *(
            "the",
            "The",
            "fee",
            "ﬁnd",
            "Café",
            "cafe\u0301",
            "don't",
            "don’t",
            "-5",
            "1,000",
            "2.5",
            "10²",
            "well-known",
        ),
        *("naïve", "😀", "“yes”", "(no)", "—", "infor-\nmation", "soft\u00adhyphen", "Straße", "a", "x", "ŉ", "…", "ﬀ"),
    ]
)
SEPARATORS = st.sampled_from([" ", "  ", "\n", "\r\n", "\u00a0", "\t", ", ", ". ", " — ", "—", "\n\n", " | ", "; "])
TEXTS = st.lists(st.tuples(WORDS, SEPARATORS), min_size=1, max_size=25).map(
    lambda parts: "".join(word + separator for word, separator in parts)
)


def find(text: str, quotation: str) -> list[str]:
    return [span.of(text) for span in FoldedText(text).find(Quotation(quotation))]


@pytest.mark.parametrize(
    ("quotation", "expected"),
    [
        ("she WAS able", "She was able"),
        ('the "well-known" information', "the “well-known” infor-\nmation"),
        ("the well-known infor- mation", "the “well-known” infor-\nmation"),
        ("the 'well–known' infor-\n   mation", "the “well-known” infor-\nmation"),
        ("“Well-known” infor\u00admation", "“well-known” infor-\nmation"),
        ("the therapist's page -- 10²  items", "the therapist’s page — 10² items"),
        ("−5 degrees,", "-5 degrees,"),
        ("1,000 euros at 10:30.", "1,000 euros\nat 10:30."),
        ("It’s a wellknown find", "It's a well-\nknown ﬁnd"),
        ("it`s a well-known find:", "It's a well-\nknown ﬁnd:"),
        ("café café", "Café | cafe\u0301"),
        ("use –-no-cache", "Use --no-cache"),
        ("“She was”", "She was"),
        (" — euros at -", "euros\nat"),
        ("— 10² items", "— 10² items"),
        (" see the “ ", "see the “"),
    ],
)
def test_finds_the_same_words_set_differently(quotation: str, expected: str) -> None:
    assert find(TEXT, quotation) == [expected]


@pytest.mark.parametrize(
    "quotation",
    [
        "he was able",
        "the well known information",
        "the rapist's page",
        "10 items",
        "102 items",
        "5 degrees",
        "euros at 10",
        "000 euros",
        "5 kg",
        "its a well-known find",
        "it's a well known find",
        "no-cached",
        "She was not able",
        "able She was",
        "fin",
        "caf",
        "---",
    ],
)
def test_does_not_find_other_words(quotation: str) -> None:
    assert find(TEXT, quotation) == []


def test_finds_every_place_in_order_without_overlaps() -> None:
    assert [span.start for span in FoldedText("a b a b a. A\nb a").find(Quotation("a b a"))] == [0, 11]
    assert [span.start for span in FoldedText("no, No; note; know no").find(Quotation("no"))] == [0, 4, 19]


def test_reads_a_part_but_sees_the_words_around_it() -> None:
    text = "she was able"
    assert list(FoldedText(text, Span(1, 12)).find(Quotation("he was able"))) == []
    assert list(FoldedText(text, Span(4, 12)).find(Quotation("was able"))) == [Span(4, 12)]
    assert list(FoldedText(text, Span(4, 10)).find(Quotation("was able"))) == []


def test_one_long_word_takes_no_longer_than_many() -> None:
    assert find("a" * 300_000, "a" * 1_000) == []


def reset(text: str, rng: random.Random) -> str:
    """Set a text differently: white space, quotation marks, dashes, case, ligatures and hyphens at line ends."""
    text = re.sub(r"\s+", lambda _: rng.choice([" ", "\n", "  ", "\u00a0", " \r\n\t"]), text)
    text = re.sub("[\"'’“”]", lambda _: rng.choice("\"'’“”`"), text)
    text = re.sub("[—–]", lambda _: rng.choice(["—", " – ", "--", " - ", "−"]), text)
    text = re.sub("f([fil])", lambda match: rng.choice([match[0], {"f": "ﬀ", "i": "ﬁ", "l": "ﬂ"}[match[1]]]), text)
    # Only between plain letters: an accent belongs to the letter before it.
    text = re.sub(r"(?<=[a-z]{2})(?=[a-z]{2})", lambda _: "-\n" if rng.random() < 0.1 else "", text)
    return "".join(rng.choice([c.lower(), c.upper()]) if c.isascii() else c for c in text)


def draw_words(text: str, data: st.DataObject) -> Span:
    """Draw a part of a text that begins and ends at words, and is no part of a number."""
    words = words_of(text, Span(0, len(text)))
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    return Span(words[first].span.start, words[last].span.end)


@settings(deadline=None)
@given(text=TEXTS, data=st.data(), seed=st.integers(0, 2**32))
def test_finds_each_part_of_a_text_however_it_is_set(text: str, data: st.DataObject, seed: int) -> None:
    assume(skeleton(text))
    span = draw_words(text, data)
    places = list(FoldedText(text).find(Quotation(reset(span.of(text), random.Random(seed)))))
    # Of places that overlap, as in "a a a", the first is found.
    assert any(
        place == span or (place.overlaps(span) and skeleton(place.of(text)) == skeleton(span.of(text)))
        for place in places
    )


@settings(deadline=None)
@given(text=TEXTS, data=st.data(), word=st.sampled_from(["zebra", "q", "7", "5", "the", "fee"]))
def test_does_not_find_a_part_with_another_word(text: str, data: st.DataObject, word: str) -> None:
    assume(skeleton(text))
    span = draw_words(text, data)
    replaced = data.draw(st.sampled_from(words_of(text, span)))
    assume(skeleton(replaced.span.of(text)) != word)
    changed = text[span.start : replaced.span.start] + word + text[replaced.span.end : span.end]
    places = FoldedText(text).find(Quotation(changed))
    assert all(skeleton(place.of(text)) != skeleton(span.of(text)) for place in places)
