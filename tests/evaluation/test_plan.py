from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.evaluation.plan import plan
from qa.evaluation.suite import Entry, load_suite
from qa.evaluation.systems import Mode
from tests.conftest import GOLDEN, ROOT


def write_suite(folder: Path, *sets: str) -> Path:
    (folder / "golden.json").write_bytes((GOLDEN / "golden.json").read_bytes())
    path = folder / "suite.toml"
    path.write_text("".join(f"[[set]]\n{content}\n" for content in sets))
    return path


def test_plans_the_sets_of_a_suite_and_notes_missing_optional_ones(tmp_path: Path) -> None:
    path = write_suite(
        tmp_path,
        'path = "golden.json"\nmode = "reader"\nlimit = 9\nat_least = {f1 = 50}\nat_most = {ece = 0.2}',
        'path = "none.json"\nmode = "retrieval"\noptional = true',
    )
    entries, missing = load_suite(path)
    assert entries == [Entry(tmp_path / "golden.json", Mode.READER, 9, {"f1": 50}, {"ece": 0.2})]
    assert missing == ["none.json"]
    planned = plan([path], Mode.END_TO_END, 5)
    assert [(entry.limit, entry.mode, dataset.name) for entry, dataset in planned.runs] == [(5, Mode.READER, "golden")]
    assert "none.json not found, skipped" in planned.notes[0]


def test_rejects_two_sets_with_the_same_name_and_mode(tmp_path: Path) -> None:
    path = write_suite(tmp_path, 'path = "golden.json"\nmode = "reader"')
    with pytest.raises(DatasetError, match="a set named golden in mode reader is already planned"):
        plan([path, tmp_path / "golden.json"], Mode.READER, None)


def test_plans_the_suite_of_this_repository() -> None:
    planned = plan([ROOT / "eval" / "suite.toml"], Mode.END_TO_END, None)
    assert ("golden", Mode.END_TO_END) in {(dataset.name, entry.mode) for entry, dataset in planned.runs}
    assert any(entry.at_least for entry, _ in planned.runs)
