from __future__ import annotations

import pytest

from qa.engine import Engine
from qa.errors import InvalidInput, TooLarge
from qa.integrations.highlighter import Highlighter

CAT = "The cat sleeps."
HOURS = "Hours\n\nThe library opens at nine. The cat sleeps. The library closes at six."
QUESTION = "When does the library open?"


def test_one_context_has_the_keys_of_context_pruners(marking: Engine) -> None:
    result = Highlighter(marking).process(QUESTION, HOURS)
    kept = ["The library opens at nine.", "The library closes at six."]
    assert result["pruned_context"] == f"Hours\n\n{' '.join(kept)}"
    assert result["kept_sentences"] == result["highlighted_sentences"] == kept
    assert result["compression_rate"] == pytest.approx(100 * (len(HOURS) - len(result["pruned_context"])) / len(HOURS))
    assert result["reranking_score"] == pytest.approx(0.9526, abs=1e-4)
    assert [HOURS[span["start"] : span["end"]] for span in result["spans"]] == kept


def test_several_contexts_have_lists_in_their_order(marking: Engine) -> None:
    result = Highlighter(marking).process(question=QUESTION, context=[CAT, HOURS, " "], batch_size=32)
    assert [bool(pruned) for pruned in result["pruned_context"]] == [False, True, False]
    assert (result["reranking_score"][0], result["compression_rate"][0]) == (0.0, 100.0)
    assert result["spans"][2] == []


def test_several_questions_have_their_own_contexts(marking: Engine) -> None:
    highlighter = Highlighter(marking)
    flat = highlighter.process([QUESTION, "What sleeps?"], [HOURS, CAT])
    assert flat["pruned_context"][1] == CAT
    nested = highlighter.process([QUESTION, "What sleeps?"], [[HOURS, CAT], [CAT]])
    assert nested["pruned_context"] == [[flat["pruned_context"][0], ""], [CAT]]
    with pytest.raises(InvalidInput, match="each question needs a context"):
        highlighter.process([QUESTION], [HOURS, CAT])


def test_a_threshold_replaces_the_calibrated_one(marking: Engine) -> None:
    highlighter = Highlighter(marking)
    assert highlighter.process(QUESTION, HOURS, threshold=0.99)["pruned_context"] == ""
    assert highlighter.process(QUESTION, CAT, threshold=0.01)["pruned_context"] == CAT


def test_more_contexts_than_a_call_takes_are_sent_in_several(marking: Engine) -> None:
    contexts = [CAT, HOURS] * 40 + ["The cat sleeps. " * 8_000] * 2
    result = Highlighter(marking).process(QUESTION, contexts)
    assert [bool(spans) for spans in result["spans"]] == [False, True] * 40 + [False, False]


def test_a_context_or_question_that_cannot_be_read_is_an_error(marking: Engine) -> None:
    highlighter = Highlighter(marking)
    with pytest.raises(TooLarge, match="200,000"):
        highlighter.process(QUESTION, [CAT, "x" * 200_001])
    with pytest.raises(InvalidInput, match="question must not be blank"):
        highlighter.process(" ", CAT)
    with pytest.raises(InvalidInput, match="threshold must be from 0 to 1"):
        highlighter.process(QUESTION, CAT, threshold=2)
