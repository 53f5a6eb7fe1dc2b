"""Rows of an extraction: each cell is what asking its document alone answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from qa.answering import extraction as extraction_module
from qa.answering.extraction import Extraction, extract_page
from qa.engine import Engine
from qa.errors import InvalidInput, NotFound
from qa.models.embedder import Vectors
from qa.reading.early_stopping import read_passages
from qa.results import Answer, QueryResult
from qa.rows import Cell, ExtractedRow, NamedQuestion
from qa.types import Document
from tests.conftest import HashingEmbedder, golden_articles, shared

QUESTIONS = {
    "notice": "How long is the notice period?",
    "fee": "What is the yearly fee?",
    "cap": "Is liability capped?",
}


def contract(number: int, extra: str = "") -> Document:
    """A contract of several passages that answers the first two questions."""
    clauses = [f"Clause {n} of contract {number} is about deliveries and their dates. " * 4 for n in range(number % 4)]
    text = f"The notice period is {number} weeks.\n\n{''.join(clauses)}\n\nThe yearly fee is {number}00 euros.{extra}"
    return Document(f"c{number:02}", text, f"Contract {number}", f"file:///{number}.txt", {"even": number % 2 == 0})


def first(result: QueryResult) -> tuple[str, Answer | None, Answer | None]:
    return result.status, result.answers[0] if result.answers else None, result.best_guess


def as_tuple(cell: Cell) -> tuple[str, Answer | None, Answer | None]:
    return cell.status, cell.answer, cell.best_guess


@pytest.fixture
def contracts(word_engine: Engine) -> Engine:
    """Twelve contracts, and a long document in whose passages the questions' words are all over."""
    long = Document("aa-long", "The notice period and the yearly fee are in the contracts. " * 200)
    word_engine.add([*(contract(n) for n in reversed(range(12))), long])
    return word_engine


def test_a_cell_is_the_answer_of_asking_its_document_by_a_filter(contracts: Engine) -> None:
    rows = list(contracts.extract(QUESTIONS))
    assert [row.document_id for row in rows] == ["aa-long", *(f"c{n:02}" for n in range(12))]
    for row in rows:
        assert list(row.cells) == list(QUESTIONS)
        for name, question in QUESTIONS.items():
            asked = contracts.ask(question, filters={"document_id": row.document_id})
            assert as_tuple(row.cells[name]) == first(asked)
            assert asked.revision == row.revision
    row = rows[3]
    assert (row.title, row.uri, dict(row.meta)) == ("Contract 2", "file:///2.txt", {"even": True})
    assert [row.cells[name].status for name in QUESTIONS] == ["answered", "answered", "not_found"]
    assert row.cells["notice"].text == "The notice period is 2 weeks."
    assert row.cells["notice"].span is not None
    assert (row.cells["cap"].text, row.cells["cap"].confidence, row.cells["cap"].span) == (None, None, None)


@pytest.mark.slow
def test_cells_of_the_shipped_models_are_their_answers(golden: Engine) -> None:
    questions = [article["paragraphs"][0]["qas"][0]["question"] for article in golden_articles()][:3]
    rows = list(golden.extract(questions, min_confidence=0.3))
    assert len(rows) == len(golden.documents())
    for row in rows:
        for question in questions:
            asked = golden.ask(question, filters={"document_id": row.document_id}, min_confidence=0.3)
            assert as_tuple(row.cells[question]) == first(asked)
    assert {cell.status for row in rows for cell in row.cells.values()} >= {"answered", "not_found"}


@pytest.mark.parametrize("cells", [1, 3, 7, 100])
def test_rows_do_not_depend_on_the_batches(contracts: Engine, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = list(contracts.extract(QUESTIONS))
    monkeypatch.setattr(extraction_module, "_CELLS", cells)
    assert list(contracts.extract(QUESTIONS)) == expected
    assert [row.document_id for row in contracts.extract(QUESTIONS, document_ids=["c03", "c01", "c03"])] == [
        "c01",
        "c03",
    ]
    even = list(contracts.extract(QUESTIONS, filters={"even": True}, document_ids=["c01", "c02", "c04"]))
    assert [row.document_id for row in even] == ["c02", "c04"]
    assert even == [row for row in expected if row.document_id in ("c02", "c04")]


def test_reads_the_passages_of_a_batch_together(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def record(reader: Any, questions: Any, *arguments: Any) -> Any:
        sizes.append(len(questions))
        return read_passages(reader, questions, *arguments)

    monkeypatch.setattr("qa.answering.asking.read_passages", record)
    encoded: list[int] = []
    encode_questions = HashingEmbedder.encode_questions

    def encode(self: HashingEmbedder, texts: Sequence[str]) -> Vectors:
        encoded.append(len(texts))
        return encode_questions(self, texts)

    monkeypatch.setattr(HashingEmbedder, "encode_questions", encode)
    list(contracts.extract(QUESTIONS))
    # Ten documents of three questions make a batch; each question is embedded once.
    assert sorted(sizes) == [9, 30]
    assert encoded == [3]


def test_documents_are_those_of_the_revision_at_which_it_began(
    contracts: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction_module, "_CELLS", 1)
    rows = contracts.extract({"fee": QUESTIONS["fee"]})
    begun = contracts.indexes.get("default").state().revision
    contracts.add([Document("c05-new", "The yearly fee is 1 euro.")])
    read = list(islice(rows, 2))
    contracts.add(
        [Document("zz-new", "The yearly fee is 2 euros."), replace(contract(10), text="The yearly fee is gone.")]
    )
    contracts.remove("c11")
    contracts.documents.update("c09", {"meta": {"even": "odd"}})
    read += list(rows)
    assert [row.document_id for row in read] == ["aa-long", *(f"c{n:02}" for n in range(11))]
    assert {row.revision for row in read} == {begun}
    # A document that was replaced is read as it is now.
    assert [read[n].cells["fee"].text for n in (10, 11)] == ["The yearly fee is 900 euros.", "The yearly fee is gone."]
    later = [row.document_id for row in contracts.extract(["yearly fee"])]
    assert later == [
        "aa-long",
        *(f"c{n:02}" for n in range(6)),
        "c05-new",
        *(f"c{n:02}" for n in range(6, 11)),
        "zz-new",
    ]


def test_a_document_that_was_removed_and_added_again_is_in(contracts: Engine) -> None:
    rows = contracts.extract(["yearly fee"], document_ids=["c01", "c02"])
    contracts.remove("c02")
    contracts.add([contract(2)])
    assert [row.document_id for row in rows] == ["c01", "c02"]


def test_an_empty_index_has_no_rows(word_engine: Engine) -> None:
    assert list(word_engine.extract("yearly fee")) == []
    assert extract_page(word_engine.answerer, _extraction("yearly fee"), 10, None).next_cursor is None


def test_an_iterator_that_is_closed_early_stops_reading(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction_module, "_CELLS", 1)
    before = threading.active_count()
    rows = contracts.extract(QUESTIONS)
    next(rows)
    del rows
    assert threading.active_count() == before


def _extraction(*questions: str, **fields: Any) -> Extraction:
    return Extraction(
        [NamedQuestion(question, question) for question in questions], **{"index": "default", "filters": {}} | fields
    )


def test_pages_join_to_the_rows_of_one_run(contracts: Engine) -> None:
    extraction = _extraction("yearly fee", "notice period", filters={"even": [True, False]})
    expected = list(contracts.extract(["yearly fee", "notice period"], filters={"even": [True, False]}))
    for limit in (1, 4, 6, 12, 100):
        rows: list[ExtractedRow] = []
        page = extract_page(contracts.answerer, extraction, limit, None)
        rows += page.rows
        while page.next_cursor:
            assert len(page.rows) == limit
            page = extract_page(contracts.answerer, extraction, limit, page.next_cursor)
            rows += page.rows
        assert rows == expected


def test_the_next_page_leaves_out_what_was_added_since_the_first(contracts: Engine) -> None:
    extraction = _extraction("yearly fee")
    page = extract_page(contracts.answerer, extraction, 12, None)
    contracts.add([Document("c11-new", "The yearly fee is 1 euro.")])
    last = extract_page(contracts.answerer, extraction, 12, page.next_cursor)
    assert ([row.document_id for row in last.rows], last.next_cursor, last.revision) == (["c11"], None, page.revision)


def test_rejects_the_cursor_of_another_extraction_or_index(contracts: Engine) -> None:
    cursor = extract_page(contracts.answerer, _extraction("yearly fee"), 1, None).next_cursor
    contracts.indexes.get_or_create("other")
    contracts.add([contract(n) for n in range(20)], index="other")
    for other in (
        _extraction("notice period"),
        _extraction("yearly fee", index="other"),
        _extraction("yearly fee", filters={"even": True}),
        _extraction("yearly fee", document_ids=["c01"]),
        _extraction("yearly fee", min_confidence=0.5),
    ):
        with pytest.raises(InvalidInput, match="belongs to another extraction") as error:
            extract_page(contracts.answerer, other, 1, cursor)
        assert error.value.field == "cursor"
    other_cursor = extract_page(contracts.answerer, _extraction("yearly fee", index="other"), 1, None).next_cursor
    contracts.indexes.delete("other")
    contracts.indexes.get_or_create("other")
    contracts.add([contract(n) for n in range(3)], index="other")
    # The same name, but not the same index.
    with pytest.raises(InvalidInput, match="belongs to another extraction"):
        extract_page(contracts.answerer, _extraction("yearly fee", index="other"), 1, other_cursor)


@pytest.mark.parametrize(
    ("questions", "options", "field", "message"),
    [
        ([], {}, "questions", "must have 1 to 32 entries, got 0"),
        ([f"fee {n}?" for n in range(33)], {}, "questions", "must have 1 to 32 entries, got 33"),
        (["fee?", "fee?"], {}, "questions.1.name", "is also the name of questions.0"),
        ([NamedQuestion(" ", "fee?")], {}, "questions.0.name", "must not be blank"),
        ([NamedQuestion("fee", "\n")], {}, "questions.0.question", "must not be blank"),
        ({"fee": "x" * 2_001}, {}, "questions.0.question", "2,001 characters; at most 2,000"),
        ({"x" * 2_001: "fee?"}, {}, "questions.0.name", "2,001 characters; at most 2,000"),
        (["fee?"], {"document_ids": []}, "document_ids", "must have 1 to 1,000 entries, got 0"),
        (["fee?"], {"document_ids": ["c01"] * 1_001}, "document_ids", "got 1,001"),
        (["fee?"], {"min_confidence": 1.5}, "min_confidence", "from 0 to 1"),
        (["fee?"], {"filters": {"even": {"near": 1}}}, "filters.even", "unknown bound"),
    ],
)
def test_rejects_invalid_extractions_at_once(
    contracts: Engine, questions: Any, options: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        contracts.extract(questions, **options)
    assert error.value.field == field


def test_names_the_index_and_the_document_that_do_not_exist(contracts: Engine) -> None:
    with pytest.raises(NotFound, match="index 'nowhere' not found") as no_index:
        contracts.extract("fee?", index="nowhere")
    with pytest.raises(NotFound, match="document 'c99' not found in index 'default'") as no_document:
        contracts.extract("fee?", document_ids=["c01", "c99"])
    assert (no_index.value.field, no_document.value.field) == ("index", "document_ids.1")


@pytest.fixture
def practice_contracts(word_engine: Engine) -> Engine:
    """The practice contracts in one index."""
    names = {
        article["file"]
        for part in ("train.json", "dev.json")
        for article in json.loads(shared("practice", part).read_text(encoding="utf-8"))["data"]
        if article["genre"] == "contracts"
    }
    report = word_engine.add_files([shared("practice", "docs", name) for name in sorted(names)])
    assert report.errors == []
    return word_engine


@pytest.mark.slow
def test_no_practice_contract_starves(practice_contracts: Engine) -> None:
    infos = list(practice_contracts.documents.all())
    assert len(infos) >= 20
    rows = list(practice_contracts.extract(["notice period", "yearly fee", "who are the parties"]))
    assert [row.document_id for row in rows] == [info.id for info in infos]
    # A search of the whole index finds ten passages, of at most ten documents.
    assert {cell.status for row in rows for cell in row.cells.values()} <= {"answered", "unsure", "not_found"}
    assert all(cell.answer or cell.best_guess for row in rows for cell in row.cells.values())
