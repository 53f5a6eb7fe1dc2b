from __future__ import annotations

import pytest

from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.evidence_scoring import score_evidence
from qa.evaluation.outcomes import Candidate, MarkedUnit, Outcome
from qa.types import Document, Span, Table

TEXT = "Plot | Owner\n4 | Ann Hale\n7 | Ben Orr\n\nRing the office first. Then wait."
TABLE = Table(0, ((4, 5), (1, 8), (1, 7)), ("Plot", "Owner"), 1)
FIRST, SECOND, RING = Span(13, 25), Span(26, 37), Span(39, 61)


def dataset() -> Dataset:
    names = (Span(17, 25), Span(30, 37))
    questions = (
        LabelledQuestion("a", "Who owns plots?", 0, (), evidence=(FIRST, SECOND), items=names, labels={"kind": "list"}),
        LabelledQuestion("b", "What first?", 0, (), evidence=(RING,), labels={"kind": "steps"}),
        LabelledQuestion("c", "Who sells milk?", 0, (), labels={"kind": "none"}),
    )
    return Dataset("plots", (TEXT,), questions, documents=(Document("d", TEXT, tables=(TABLE,)),))


def test_marked_units_and_items_are_scored_against_the_labels() -> None:
    outcomes = [
        Outcome(
            "a",
            (Candidate("4 | Ann Hale", items=("Ann Hale", "Ben")),),
            given=True,
            evidence=(MarkedUnit(0, FIRST, 0.9), MarkedUnit(0, SECOND, 0.8)),
        ),
        # A unit of another document is not one of this document.
        Outcome("b", (), given=False, evidence=(MarkedUnit(1, RING, 0.9), MarkedUnit(0, Span(62, 72), 0.3))),
        Outcome("c", (Candidate("Ann"),), given=False),
    ]
    figures, records = score_evidence(dataset(), outcomes)
    assert [record["evidence_f1"] for record in records] == [1.0, 0.0, 1.0]
    assert figures["metrics"]["evidence_f1"] == pytest.approx(2 / 3)
    assert figures["metrics"]["evidence_f1_several"] == 1.0
    assert figures["metrics"]["no_evidence_accuracy"] == 100
    assert figures["metrics"]["items_f1"] == pytest.approx(0.5)
    assert [(part["part"], part["metrics"]["evidence_f1"]) for part in figures["parts"]] == [
        ("list", 1.0),
        ("none", 1.0),
        ("steps", 0.0),
    ]


def test_answers_without_items_are_the_items_if_they_were_given() -> None:
    candidates = (Candidate("Ann Hale"), Candidate("Ben Orr"))
    for given, expected in ((True, 1.0), (False, 0.0)):
        outcomes = [Outcome("a", candidates, given), Outcome("b", (), given=False), Outcome("c", (), given=False)]
        assert score_evidence(dataset(), outcomes)[0]["metrics"]["items_f1"] == expected
