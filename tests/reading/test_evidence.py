from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from qa.reading.calibration import EvidenceScale, UnitFeatures
from qa.reading.evidence import (
    build_evidence_answer,
    build_unit,
    features_of,
    find_units,
    select_units,
    unit_logits,
)
from qa.reading.spans import PassageLogits, WindowLogits
from qa.results import Hit
from qa.types import Mark, Passage, Span

TEXT = "First. Second one. Third."
UNITS = (Span(0, 6), Span(7, 18), Span(19, 25))
# One token for each character.
OFFSETS = np.stack([np.arange(len(TEXT)), np.arange(len(TEXT)) + 1], axis=1)
SEGMENTS = np.zeros(len(TEXT), np.int64)
SCALE = EvidenceScale(UnitFeatures._make([1.0, *[0.0] * 9]), 0.0, threshold=0.5, further=0.5, answered=0.9)


def hit(document: str = "d", start: int = 0, retrieval: float = 1.0) -> Hit:
    passage = Passage(document, Span(start, start + len(TEXT)), TEXT, marks=(Mark(0, 4, "Fees"),))
    return Hit(1, passage, None, "a.txt", {}, 1.0, 0.5, retrieval)


def logits(*values: float, answer: int = 0) -> PassageLogits:
    """Return logits where each unit has one value, and the best span begins and ends at the character `answer`."""
    evidence = np.zeros(len(TEXT), np.float32)
    for unit, value in zip(UNITS, values, strict=True):
        evidence[unit.start : unit.end] = value
    span = np.full(len(TEXT), -5, np.float32)
    span[answer] = 2
    return PassageLogits(OFFSETS, [WindowLogits(0, span, span, 1.0, evidence)], SEGMENTS, UNITS)


def test_the_logit_of_a_unit_is_the_mean_of_its_tokens() -> None:
    of_units = unit_logits(logits(1.5, -2.0, 0.25))
    assert of_units == [(UNITS[0], 1.5), (UNITS[1], -2.0), (UNITS[2], 0.25)]


def test_tokens_that_are_not_of_the_passage_do_not_count() -> None:
    whole = logits(1.0, 1.0, 1.0)
    offsets = OFFSETS.copy()
    offsets[:3] = -1
    changed = whole.windows[0].evidence.copy()
    changed[:3] = 100
    window = WindowLogits(0, whole.windows[0].start, whole.windows[0].end, 0.0, changed)
    assert dict(unit_logits(PassageLogits(offsets, [window], SEGMENTS, UNITS)))[UNITS[0]] == 1.0


def test_a_unit_in_two_windows_has_the_logit_of_the_one_with_most_of_it() -> None:
    zeros = np.zeros(12, np.float32)
    first = WindowLogits(0, zeros, zeros, 0.0, np.full(12, 1.0, np.float32))
    second = WindowLogits(9, np.zeros(16, np.float32), np.zeros(16, np.float32), 0.0, np.full(16, 2.0, np.float32))
    of_units = dict(unit_logits(PassageLogits(OFFSETS, [first, second], SEGMENTS, UNITS)))
    assert of_units == {UNITS[0]: 1.0, UNITS[1]: 2.0, UNITS[2]: 2.0}


def test_a_reader_without_an_evidence_head_gives_no_units() -> None:
    zeros = np.zeros(len(TEXT), np.float32)
    assert unit_logits(PassageLogits(OFFSETS, [WindowLogits(0, zeros, zeros, 0.0)], SEGMENTS, UNITS)) == []


def test_the_unit_with_the_best_span_holds_it() -> None:
    units = find_units(hit(), logits(0.0, 0.0, 0.0, answer=8))
    assert [unit.holds for unit in units] == [False, True, False]
    assert {unit.margin for unit in units} == {3.0}


def test_the_features_of_a_unit_include_its_neighbours_and_the_best_unit() -> None:
    passages = [find_units(hit("a"), logits(2.0, 2.0, 2.0)), find_units(hit("b"), logits(0.5, -1.0, 1.5, answer=8))]
    unit, features = features_of(passages)[4]
    assert unit is passages[1][1]
    assert features == UnitFeatures(
        logit=-1.0,
        gap=-3.0,
        before=0.5,
        after=1.5,
        margin=3.0,
        retrieval=1.0,
        rank=1.0,
        holds=1.0,
        held_margin=3.0,
        length=math.log1p(2),
    )
    assert features_of(passages)[0][1].before < -5


def test_units_behind_the_best_one_may_be_less_likely() -> None:
    units = [find_units(hit(), logits(1.0, -1.0, 3.0))]
    assert [unit.text for _, unit in select_units(units, replace(SCALE, threshold=0.9, further=0.6))] == [
        "Third.",
        "First.",
    ]
    assert select_units(units, replace(SCALE, threshold=0.96, further=0.6)) == []


def test_selects_units_from_the_threshold_upwards_best_first() -> None:
    selected = select_units([find_units(hit(), logits(1.0, -1.0, 2.0))], SCALE)
    assert [unit.text for _, unit in selected] == ["Third.", "First."]
    assert selected[0][0] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_a_unit_is_verbatim_and_has_its_place() -> None:
    ((score, candidate),) = select_units([find_units(hit(start=100), logits(-1.0, 3.0, -1.0))], SCALE)
    unit = build_unit(candidate, score)
    assert (unit.document_id, unit.span, unit.text) == ("d", Span(107, 118), "Second one.")
    assert (unit.page, unit.section, unit.uri) == (4, "Fees", "a.txt")


def test_a_unit_that_was_read_in_two_passages_counts_once() -> None:
    passages = [find_units(hit(), logits(1.0, -1.0, -1.0)), find_units(hit(retrieval=0.5), logits(2.0, -1.0, -1.0))]
    ((score, _),) = select_units(passages, SCALE)
    assert score == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_equal_units_of_other_documents_are_kept() -> None:
    passages = [find_units(hit(document), logits(1.0, -1.0, -1.0)) for document in ("b", "a")]
    assert [unit.hit.document_id for _, unit in select_units(passages, SCALE)] == ["a", "b"]


def test_returns_at_most_the_number_asked_for() -> None:
    assert len(select_units([find_units(hit(), logits(1.0, 1.0, 1.0))], SCALE, count=2)) == 2


def test_another_threshold_can_be_given() -> None:
    units = find_units(hit(), logits(1.0, -1.0, -3.0))
    assert len(select_units([units], SCALE, threshold=0.2)) == 2


def test_an_answer_of_evidence_joins_the_units_that_follow_one_another() -> None:
    answer = build_evidence_answer(select_units([find_units(hit(start=50), logits(1.0, 3.0, -1.0))], SCALE))
    assert (answer.text, answer.span, answer.kind) == ("First. Second one.", Span(50, 68), "evidence")
    assert [(item.text, item.span) for item in answer.items] == [
        ("First.", Span(50, 56)),
        ("Second one.", Span(57, 68)),
    ]
    assert answer.confidence == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert answer.context_span.of(answer.context) == answer.text
    assert (answer.page, answer.section) == (4, "Fees")


def test_an_answer_of_evidence_leaves_out_what_does_not_answer() -> None:
    answer = build_evidence_answer(select_units([find_units(hit(), logits(2.0, -1.0, 1.0))], SCALE))
    assert answer.text == "First."
    assert [item.text for item in answer.items] == ["First.", "Third."]


def test_an_answer_of_one_unit_has_no_items() -> None:
    answer = build_evidence_answer(select_units([find_units(hit(), logits(-1.0, 2.0, -1.0))], SCALE))
    assert (answer.text, answer.items) == ("Second one.", ())
