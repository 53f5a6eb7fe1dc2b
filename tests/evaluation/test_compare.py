from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test as independent

from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.compare import baseline_of, compare, load_reports, permutation_test
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.reading import encoding, reader
from tests.conftest import GOLDEN, shared


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=5, max_size=30))
def test_p_is_that_of_another_implementation(differences: list[float]) -> None:
    theirs = independent(
        (np.array(differences), np.zeros(len(differences))),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=10_000,
        rng=3,
    )
    assert permutation_test(differences) == pytest.approx(theirs.pvalue, abs=0.03)


def report(*f1s: float, ids: str = "abcdefgh", **more: Any) -> dict[str, Any]:
    questions = [{"id": id, "f1": value, "exact_match": float(value == 1)} for id, value in zip(ids, f1s, strict=False)]
    return {"dataset": "d", "mode": "reader", "metrics": {}, "questions": questions, **more}


def test_questions_won_and_lost() -> None:
    made = compare(report(1, 0, 0.5, 0), report(0, 1, 0.5, 0.25))
    assert (made.won, made.lost) == (("b", "d"), ("a",))
    assert [(c.measure, c.difference) for c in made.changes] == [("f1", 6.25), ("exact_match", 0.0)]
    assert made.regressions(0.5) == []


def test_rankings_are_compared_by_reciprocal_rank() -> None:
    def ranked(*ranks: float) -> dict[str, Any]:
        questions = [{"id": id, "reciprocal_rank": rank} for id, rank in zip("abcdefgh", ranks, strict=True)]
        return report(questions=questions, mode="retrieval")

    made = compare(ranked(*[1.0] * 8), ranked(*[0.0] * 7, 1.0))
    assert [c.measure for c in made.regressions(0.5)] == ["reciprocal_rank"]
    assert len(made.lost) == 7


def test_chance_is_no_regression() -> None:
    assert compare(report(1, 1, 1, 1), report(1, 1, 1, 0)).regressions(0.5) == []
    assert [c.measure for c in compare(report(*[1] * 8), report(*[0] * 8)).regressions(0.5)] == ["f1", "exact_match"]
    assert compare(report(*[1] * 8), report(*[0] * 8)).regressions(100) == []


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (report(1, dataset="e"), "differ in data set"),
        (report(1, ids="z"), "2 questions are on one side only, 'a'"),
        (report(), "no single questions"),
    ],
)
def test_what_cannot_be_compared(other: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        compare(report(1), other)
    if says.startswith("differ"):
        with pytest.raises(DatasetError, match="no report on e, reader"):
            baseline_of([report(1)], "e", "reader")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[3]", '{"metrics": {}}'])
def test_what_is_no_report_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json: "):
        load_reports(tmp_path / "a.json")


def evaluated(engine: Engine, dataset: Dataset, folder: Path, name: str) -> dict[str, Any]:
    made = evaluate(dataset, Mode.READER, ReaderSystem(engine, dataset)).report
    (folder / name).write_text(json.dumps(made))
    return load_reports(folder / name)[0]


def assert_caught(before: dict[str, Any], again: dict[str, Any], worse: dict[str, Any]) -> None:
    same = compare(before, again)
    assert (same.won, same.lost) == ((), ())
    assert [c.p for c in same.changes] == [1.0, 1.0]
    assert same.regressions(0) == []
    assert compare(before, worse).regressions(0.5)


def test_the_gate_catches_a_reader_that_sees_the_first_64_tokens_and_passes_an_identical_run(
    shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = load_squad(GOLDEN / "golden.json")
    # Refusing more makes up for reading worse where a third has no answer.
    dataset = Dataset("answerable", golden.contexts, tuple(q for q in golden.questions if q.answerable))
    before, again = (evaluated(shipped, dataset, tmp_path, name) for name in ("before.json", "again.json"))
    monkeypatch.setattr(encoding, "MAX_INPUT_TOKENS", 64)
    monkeypatch.setattr(encoding, "WINDOW_OVERLAP", 8)
    monkeypatch.setattr(reader, "windows", lambda *tokens: islice(encoding.windows(*tokens), 1))
    assert_caught(before, again, evaluated(shipped, dataset, tmp_path, "worse.json"))


def test_the_gate_catches_a_reader_with_windows_of_64_tokens(
    shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_squad(shared("dev", "squad_v1.1_dev.json")).head(800)
    before = evaluated(shipped, dataset, tmp_path, "before.json")
    monkeypatch.setattr(encoding, "MAX_INPUT_TOKENS", 64)
    monkeypatch.setattr(encoding, "WINDOW_OVERLAP", 8)
    assert_caught(before, before, evaluated(shipped, dataset, tmp_path, "worse.json"))
