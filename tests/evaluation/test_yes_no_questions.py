from __future__ import annotations

from collections import Counter

import pytest

from qa.evaluation.evidence import covered_units
from qa.evaluation.labelled_documents import LabelledDocument, load_documents
from qa.reading.selection import is_yes_no_question
from qa.text.structure import find_structure, units
from tests.conftest import ROOT

FOLDER = ROOT / "eval" / "yes_no"


@pytest.fixture(scope="module")
def documents() -> tuple[LabelledDocument, ...]:
    return load_documents(FOLDER / "yes_no.json", FOLDER / "documents")


def test_half_of_the_questions_are_decided(documents: tuple[LabelledDocument, ...]) -> None:
    questions = [question for document in documents for question in document.questions]
    assert Counter(question.kind for question in questions) == {"yes": 15, "no": 15, "none": 30}
    assert all(question.answerable == (question.kind != "none") for question in questions)
    assert len({question.text for question in questions}) == 60
    assert {document.genre for document in documents} == {"contracts", "manuals", "office", "public", "tables"}


def test_every_question_asks_for_yes_or_no(documents: tuple[LabelledDocument, ...]) -> None:
    texts = [question.text for document in documents for question in document.questions]
    assert [text for text in texts if not is_yes_no_question(text)] == []


def test_evidence_is_whole_units_of_the_extracted_text(documents: tuple[LabelledDocument, ...]) -> None:
    for labelled in documents:
        assert labelled.extracted
        assert not labelled.lost
        text = labelled.document.text
        of_document = tuple(units(text, find_structure(text, labelled.document.tables)))
        for span in (span for question in labelled.questions for span in question.evidence):
            (unit,) = covered_units([span], of_document)
            # Labels have no bullets.
            assert unit.of(text).removeprefix("- ") == span.of(text)
