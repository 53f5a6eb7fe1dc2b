from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test as scipy_permutation_test

from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.compare import compare, find_report, load_reports, permutation_test
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.reading import encoding, reader
from tests.conftest import GOLDEN, shared


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=5, max_size=30))
def test_p_value_agrees_with_scipy(differences: list[float]) -> None:
    reference = scipy_permutation_test(
        (np.array(differences), np.zeros(len(differences))),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=10_000,
        rng=3,
    )
    assert permutation_test(differences) == pytest.approx(reference.pvalue, abs=0.03)


def test_permutation_test_is_reproducible_and_independent_of_zero_differences() -> None:
    differences = np.random.default_rng(5).normal(0.02, 1, 3_000)
    p = permutation_test(differences, seed=7)
    assert 0 < p < 1
    assert permutation_test(differences, seed=7) == p
    assert permutation_test([*differences, *[0.0] * 10], seed=7) == p
    assert permutation_test([0.0, 0.0]) == 1.0


def report(*f1s: float, ids: str = "abcdefgh", **more: Any) -> dict[str, Any]:
    questions = [{"id": id, "f1": value, "exact_match": float(value == 1)} for id, value in zip(ids, f1s, strict=False)]
    return {"dataset": "d", "mode": "reader", "metrics": {}, "questions": questions, **more}


def test_counts_questions_won_and_lost() -> None:
    comparison = compare(report(1, 0, 0.5, 0), report(0, 1, 0.5, 0.25))
    assert (comparison.won, comparison.lost) == (("b", "d"), ("a",))
    assert [(c.measure, c.difference) for c in comparison.changes] == [("f1", 6.25), ("exact_match", 0.0)]
    assert comparison.regressions(0.5) == []


def test_compares_rankings_by_reciprocal_rank() -> None:
    def ranked(*ranks: float) -> dict[str, Any]:
        questions = [{"id": id, "reciprocal_rank": rank} for id, rank in zip("abcdefgh", ranks, strict=True)]
        return report(questions=questions, mode="retrieval")

    comparison = compare(ranked(*[1.0] * 8), ranked(*[0.0] * 7, 1.0))
    assert [c.measure for c in comparison.regressions(0.5)] == ["reciprocal_rank"]
    assert len(comparison.lost) == 7


def test_regressions_must_be_significant_and_above_tolerance() -> None:
    assert compare(report(1, 1, 1, 1), report(1, 1, 1, 0)).regressions(0.5) == []
    assert [c.measure for c in compare(report(*[1] * 8), report(*[0] * 8)).regressions(0.5)] == ["f1", "exact_match"]
    assert compare(report(*[1] * 8), report(*[0] * 8)).regressions(100) == []


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (report(1, dataset="e"), "differ in data set"),
        (report(1, ids="z"), "2 questions are in one report only, such as 'a'"),
        (report(), "no single questions"),
    ],
)
def test_rejects_reports_on_different_questions(after: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        compare(report(1), after)
    if message.startswith("differ"):
        with pytest.raises(DatasetError, match="no report on e, reader"):
            find_report([report(1)], "e", "reader")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[3]", '{"metrics": {}}'])
def test_rejects_files_that_are_not_reports(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetError, match=r"a\.json: "):
        load_reports(tmp_path / "a.json")


def evaluate_reader(engine: Engine, dataset: Dataset, folder: Path, name: str) -> dict[str, Any]:
    result = evaluate(dataset, Mode.READER, ReaderSystem(engine, dataset)).report
    (folder / name).write_text(json.dumps(result))
    return load_reports(folder / name)[0]


def assert_regression_detected(before: dict[str, Any], again: dict[str, Any], worse: dict[str, Any]) -> None:
    same = compare(before, again)
    assert (same.won, same.lost) == ((), ())
    assert [c.p for c in same.changes] == [1.0, 1.0]
    assert same.regressions(0) == []
    assert compare(before, worse).regressions(0.5)


@pytest.mark.slow
def test_detects_a_reader_limited_to_the_first_48_tokens_and_accepts_an_identical_run(
    shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = load_squad(GOLDEN / "golden.json")
    # With a third of the questions unanswerable, more refusals would offset the worse reading.
    dataset = Dataset("answerable", golden.contexts, tuple(q for q in golden.questions if q.answerable)).head(48)
    before, again = (evaluate_reader(shipped, dataset, tmp_path, name) for name in ("before.json", "again.json"))
    monkeypatch.setattr(encoding, "MAX_INPUT_TOKENS", 48)
    monkeypatch.setattr(encoding, "WINDOW_OVERLAP", 8)
    monkeypatch.setattr(reader, "split_windows", lambda *tokens: islice(encoding.split_windows(*tokens), 1))
    assert_regression_detected(before, again, evaluate_reader(shipped, dataset, tmp_path, "worse.json"))


@pytest.mark.slow
def test_detects_a_reader_with_windows_of_64_tokens(
    shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_squad(shared("dev", "squad_v1.1_dev.json")).head(400)
    before = evaluate_reader(shipped, dataset, tmp_path, "before.json")
    monkeypatch.setattr(encoding, "MAX_INPUT_TOKENS", 64)
    monkeypatch.setattr(encoding, "WINDOW_OVERLAP", 8)
    assert_regression_detected(before, before, evaluate_reader(shipped, dataset, tmp_path, "worse.json"))
