from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.evaluation.plan import plan
from qa.evaluation.suite import Entry, load_suite
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN, ROOT


def suite(folder: Path, *sets: str) -> Path:
    (folder / "golden.json").write_bytes((GOLDEN / "golden.json").read_bytes())
    path = folder / "suite.toml"
    path.write_text("".join(f"[[set]]\n{content}\n" for content in sets))
    return path


def test_a_suite_names_sets_and_gates(tmp_path: Path) -> None:
    path = suite(
        tmp_path,
        'path = "golden.json"\nmode = "reader"\nlimit = 9\nat_least = {f1 = 50}\nat_most = {ece = 0.2}',
        'path = "none.json"\nmode = "retrieval"\noptional = true',
    )
    entries, absent = load_suite(path)
    assert entries == [Entry(tmp_path / "golden.json", Mode.READER, 9, {"f1": 50}, {"ece": 0.2})]
    assert absent == ["none.json"]
    made = plan([path], Mode.END_TO_END, 5)
    assert [(entry.limit, entry.mode, dataset.name) for entry, dataset in made.work] == [(5, Mode.READER, "golden")]
    assert "none.json is not there" in made.notes[0]


def test_gates() -> None:
    entry = Entry(Path("a.json"), Mode.READER, None, {"f1": 50, "recall@1": 0.5}, {"ece": 0.2})
    assert entry.failures({"f1": 50.0, "recall@1": 0.5, "ece": 0.2}) == []
    assert entry.failures({"f1": 49.9, "recall@1": None, "ece": 0.25}) == [
        "a.json, reader: f1 is 49.9, below the gate of 50",
        "a.json, reader: recall@1 is not measured, and has a gate of 0.5",
        "a.json, reader: ece is 0.25, above the gate of 0.2",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("path =", "not a suite"),
        ('path = "golden.json"\nmode = "other"', "set.0.mode"),
        ('path = "golden.json"\nmode = "reader"\ngate = 3', "set.0.gate"),
        ('path = "none.json"\nmode = "reader"', "none.json: there is no such file"),
    ],
)
def test_a_wrong_suite_is_named(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(DatasetError, match=rf"suite\.toml: .*{says}"):
        load_suite(suite(tmp_path, content))


def test_nothing_is_evaluated_twice(tmp_path: Path) -> None:
    path = suite(tmp_path, 'path = "golden.json"\nmode = "reader"')
    with pytest.raises(DatasetError, match="two sets named golden in mode reader"):
        plan([path, tmp_path / "golden.json"], Mode.READER, None)


def test_the_projects_own_suite_can_be_planned() -> None:
    made = plan([ROOT / "eval" / "suite.toml"], Mode.END_TO_END, None)
    assert ("golden", Mode.END_TO_END) in {(dataset.name, entry.mode) for entry, dataset in made.work}
    assert any(entry.at_least for entry, _ in made.work)
