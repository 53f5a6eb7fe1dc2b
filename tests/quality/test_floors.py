"""Floors on the quality of answers from the sample documents.

Each floor is at least three questions below the result of int8 arithmetic, so that float32 keeps it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qa.engine import Engine
from qa.evaluation.metrics import exact_match, f1
from qa.results import QueryResult, SearchResult
from tests.conftest import golden_articles

pytestmark = [pytest.mark.quality, pytest.mark.slow]

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    (article["title"], entry) for article in golden_articles() for entry in article["paragraphs"][0]["qas"]
]


def test_questions_are_answered_or_refused_as_well_as_before(
    golden: Engine, golden_guesses: list[QueryResult], report_figure: Callable[[str], None]
) -> None:
    right, refused = [], []
    for (title, entry), result in zip(QUESTIONS, golden_guesses, strict=True):
        best = result.answers[0]
        is_refused = golden.calibration.query.status(best.confidence) != "answered"
        if entry["is_impossible"]:
            refused.append(is_refused)
        else:
            overlap = f1(best.text, [answer["text"] for answer in entry["answers"]])
            right.append(not is_refused and best.document_id == title and overlap >= 0.5)
    report_figure(f"answerable questions answered right: {sum(right)} of {len(right)}")
    report_figure(f"unanswerable questions refused: {sum(refused)} of {len(refused)}")
    assert (len(right), len(refused)) == (96, 40)
    # Measured: 63 and 37 in int8.
    assert sum(right) >= 58
    assert sum(refused) >= 33


def test_mean_confidence_is_the_share_of_right_answers(
    golden_guesses: list[QueryResult], report_figure: Callable[[str], None]
) -> None:
    confidences = [result.answers[0].confidence for result in golden_guesses]
    exact = [
        exact_match(result.answers[0].text, [answer["text"] for answer in entry["answers"]])
        for result, (_, entry) in zip(golden_guesses, QUESTIONS, strict=True)
    ]
    confidence, share = sum(confidences) / len(confidences), sum(exact) / len(exact)
    report_figure(f"mean confidence {confidence:.3f}, exactly right {share:.3f}")
    # Chance alone moves the share of 136 questions by .04. These documents are easier than those that confidence is
    # fitted on, so more answers are right than the confidence says.
    assert -0.08 <= share - confidence <= 0.16


def test_reranking_keeps_answers_first(golden: Engine, report_figure: Callable[[str], None]) -> None:
    answerable = [(title, entry) for title, entry in QUESTIONS if not entry["is_impossible"]][::2]
    questions = [entry["question"] for _, entry in answerable]

    def first_has_answer(searches: list[SearchResult]) -> int:
        return sum(
            hit.document_id == title
            and any(hit.span.start <= answer["answer_start"] < hit.span.end for answer in entry["answers"])
            for hit, (title, entry) in zip((search.hits[0] for search in searches), answerable, strict=True)
        )

    searched, reranked = (
        first_has_answer(golden.search_batch(questions, top_k=3, rerank=rerank)) for rerank in (False, True)
    )
    report_figure(f"first passage has the answer: {searched} of {len(questions)}, reranked {reranked}")
    # Measured: 44 and 45 in int8.
    assert searched >= 41
    assert reranked >= max(42, searched - 1)
