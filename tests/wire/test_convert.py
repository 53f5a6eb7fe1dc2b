from __future__ import annotations

from dataclasses import replace

import pytest

from qa.results import (
    Answer,
    Components,
    EvidenceUnit,
    Highlight,
    HighlightResult,
    Hit,
    Item,
    QueryResult,
    Status,
    Support,
)
from qa.types import Passage, Rectangle, Span
from qa.wire.convert import highlight_response, highlight_results, query_response, query_result
from qa.wire.questions import HighlightResponse, QueryResponse

TEXT = "Before you descale: unplug the boiler, then let it cool."
LINE = Rectangle(2, 72.0, 700.5, 301.25, 712.0)
ANSWER = Answer(
    text="unplug the boiler, then let it cool",
    score=11.5,
    confidence=0.75,
    document_id="boiler",
    title="Boiler",
    uri="file:///boiler.pdf",
    meta={"year": 2024},
    span=Span(20, 55),
    context=TEXT,
    context_span=Span(20, 55),
    passage_id=3,
    components=Components(2.0, 0.5, 9.0, -1.0),
    support=(Support("boiler", Span(20, 55)),),
    page=2,
    section="Descaling",
    rectangles=(LINE,),
    kind="evidence",
    items=(Item("unplug the boiler", Span(20, 37)), Item("let it cool", Span(44, 55))),
)
GUESS = replace(ANSWER, confidence=0.3, kind="span", items=())
EVIDENCE = (
    EvidenceUnit("boiler", Span(0, 56), TEXT, 0.875, 2, "Descaling", (LINE,), "file:///boiler.pdf"),
    EvidenceUnit("boiler", Span(20, 37), "unplug the boiler", 0.5),
)
HIT = Hit(3, Passage("boiler", Span(0, 56), TEXT), "Boiler", "file:///boiler.pdf", {"year": 2024}, 2.0, 0.5, 0.75)
ANSWERED = QueryResult(
    query_id="q1",
    question="How do I descale the boyler?",
    status="answered",
    answers=(ANSWER,),
    no_answer_score=0.125,
    best_guess=None,
    passages=(),
    index="default",
    generation=1,
    revision=4,
    timings_ms={"total": 12.0},
    corrected="How do I descale the boiler?",
    evidence=EVIDENCE,
)
NOT_FOUND = replace(
    ANSWERED,
    status="not_found",
    answers=(),
    best_guess=GUESS,
    alternatives=(replace(GUESS, confidence=0.2), replace(GUESS, confidence=0.1)),
    passages=(HIT, HIT, HIT),
    corrected=None,
    evidence=(),
)


@pytest.mark.parametrize(
    "result",
    [
        ANSWERED,
        NOT_FOUND,
        replace(NOT_FOUND, status="unsure"),
        replace(NOT_FOUND, status="nothing_to_search", best_guess=None, alternatives=(), passages=()),
    ],
    ids=lambda result: result.status,
)
def test_a_result_is_the_same_after_it_travelled_as_json(result: QueryResult) -> None:
    received = QueryResponse.model_validate_json(query_response(result).model_dump_json())
    assert query_result(received) == result


def test_evidence_and_items_have_their_names_of_the_wire() -> None:
    body = query_response(ANSWERED).model_dump()
    assert body["evidence"][0] == {
        "document_id": "boiler", "start": 0, "end": 56, "text": TEXT, "score": 0.875, "page": 2,
        "section": "Descaling", "url": "file:///boiler.pdf",
        "rectangles": [{"page": 2, "left": 72.0, "bottom": 700.5, "right": 301.25, "top": 712.0}],
    }  # fmt: skip
    answer = body["answers"][0]
    assert answer["kind"] == "evidence"
    assert answer["items"] == [
        {"start": 20, "end": 37, "text": "unplug the boiler"},
        {"start": 44, "end": 55, "text": "let it cool"},
    ]
    assert (body["status"], body["has_answer"], body["corrected"]) == ("answered", True, "How do I descale the boiler?")
    of_text = replace(ANSWERED, evidence=(replace(EVIDENCE[1], document_id=""),), index="")
    assert query_response(of_text).evidence[0].document_id is None


@pytest.mark.parametrize("status", ["unsure", "not_found", "nothing_to_search"])
def test_passages_travel_without_being_asked_for_where_there_is_no_answer(status: Status) -> None:
    passages = query_response(replace(NOT_FOUND, status=status)).passages
    assert passages is not None
    assert [passage.text for passage in passages] == [TEXT] * 3
    answered = replace(ANSWERED, passages=(HIT,))
    assert query_response(answered).passages is None
    assert query_response(answered, with_passages=True).passages == passages[:1]


def test_highlights_come_back_from_json_as_they_were() -> None:
    highlight = Highlight(Span(20, 37), "unplug the boiler", 0.75, "evidence")
    results = [
        HighlightResult("a", "found", (highlight,), "unplug the boiler", 0.3),
        HighlightResult("b", "not_found", ()),
    ]
    body = highlight_response(results).model_dump_json()
    assert highlight_results(HighlightResponse.model_validate_json(body)) == results
