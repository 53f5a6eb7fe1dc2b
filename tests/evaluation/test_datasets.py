from __future__ import annotations

from qa.evaluation.squad import load_squad
from tests.conftest import GOLDEN


def test_limit_spreads_questions_over_the_set() -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    head = dataset.head(8)
    assert len(head.questions) == 8
    assert len({q.context for q in head.questions}) == 8
    assert head.contexts == dataset.contexts
