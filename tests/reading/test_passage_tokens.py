from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from qa.config import Settings
from qa.factory import reader_folder
from qa.models.tokenization import load_tokenizer
from qa.reading.passage_tokens import PassageTokens, ReaderText, tokenize_passages
from qa.types import Passage, Span, Table

TEXT = "Route | Single\nOban - Coll | 9.00\nOban - Tiree | 11.50"
TEXT_OF_ITEM = "- a lamp"
TABLE = Table(0, ((5, 6), (11, 4), (12, 5)), ("Route", "Single"), 1)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(reader_folder(Settings()) / "tokenizer.json")


def words(tokens: PassageTokens, tokenizer: Tokenizer) -> list[str]:
    """Return the tokens as text."""
    return [str(tokenizer.id_to_token(id)) for id in tokens.ids.tolist()]


def test_headers_are_tokens_that_are_not_of_the_passage(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenize_passages([ReaderText(TEXT, "", (TABLE,))], tokenizer)
    added = [word for word, segment in zip(words(tokens, tokenizer), tokens.segments, strict=True) if segment < 0]
    assert added == ["¶", "route", ":", "single", ":", "¶", "route", ":", "single", ":"]


def test_offsets_of_the_other_tokens_are_in_the_passage(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenize_passages([ReaderText(TEXT, "", (TABLE,))], tokenizer)
    for word, (start, end), segment in zip(words(tokens, tokenizer), tokens.offsets, tokens.segments, strict=True):
        assert (start, end) == (-1, -1) if segment < 0 else TEXT[start:end].lower() == word.removeprefix("##")


def test_each_cell_is_a_segment(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenize_passages([ReaderText(TEXT, "", (TABLE,))], tokenizer)
    segments = {
        text: {
            int(segment)
            for (start, end), segment in zip(tokens.offsets, tokens.segments, strict=True)
            if TEXT.index(text) <= start < TEXT.index(text) + len(text)
        }
        for text in ("Oban - Coll", "9.00", "11.50")
    }
    assert all(len(numbers) == 1 for numbers in segments.values())
    assert len(set.union(*segments.values())) == 3


def test_the_lead_in_is_read_but_holds_no_answer(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenize_passages([ReaderText(TEXT_OF_ITEM, "You must bring:\n")], tokenizer)
    assert words(tokens, tokenizer)[:4] == ["you", "must", "bring", ":"]
    assert (tokens.segments[:4] == -1).all()
    assert TEXT_OF_ITEM[slice(*tokens.offsets[-1])] == "lamp"


def test_columns_of_a_passage_have_the_headers_of_its_lead_in(tokenizer: Tokenizer) -> None:
    lead_in = "Name      Mon   Tue   Hours\n--------------------------\n"
    text = ReaderText("Anneke    E     E     40\nBashir    M     -     41", lead_in)
    (tokens,) = tokenize_passages([text], tokenizer)
    shown = " ".join(words(tokens, tokenizer))
    assert "mon : e tu ##e : e hours : 40" in shown
    assert "- - -" not in shown


def test_a_stored_passage_has_the_tables_of_its_document() -> None:
    span = Span(15, len(TEXT))
    passage = Passage(
        "d", span, span.of(TEXT), tables=(Table(15, ((11, 4), (12, 5)), ("Route", "Single")),), lead_in="x"
    )
    assert ReaderText.of(passage) == ReaderText(
        span.of(TEXT), "x", (Table(0, ((11, 4), (12, 5)), ("Route", "Single")),)
    )


def test_equal_texts_may_have_other_tables(tokenizer: Tokenizer) -> None:
    with_table, without = tokenize_passages([ReaderText(TEXT, "", (TABLE,)), ReaderText(TEXT)], tokenizer)
    assert len(with_table.ids) > len(without.ids)


def test_a_text_without_words_has_no_tokens(tokenizer: Tokenizer) -> None:
    (tokens,) = tokenize_passages([ReaderText(" ")], tokenizer)
    assert tokens.ids.shape == (0,)
    assert tokens.offsets.shape == (0, 2)
