from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.evaluation.suite import Entry, load_suite
from qa.evaluation.systems import Mode


def write_suite(folder: Path, content: str) -> Path:
    (folder / "golden.json").write_text("{}")
    path = folder / "suite.toml"
    path.write_text(f"[[set]]\n{content}\n")
    return path


def test_a_set_can_name_the_folder_of_its_documents(tmp_path: Path) -> None:
    path = write_suite(tmp_path, 'path = "golden.json"\nmode = "within-document"\ndocuments = "../files"')
    (entry,), _ = load_suite(path)
    assert (entry.mode, entry.documents) == (Mode.WITHIN_DOCUMENT, tmp_path / "../files")


def test_messages_name_the_folder_of_a_set() -> None:
    entry = Entry(Path("data/practice/dev.json"), Mode.READER, None, {"f1": 50})
    assert entry.failures({"f1": 1}) == ["practice/dev.json, reader: f1 is 1, below the gate of 50"]


def test_gates_fail_below_at_least_and_above_at_most() -> None:
    entry = Entry(Path("a.json"), Mode.READER, None, {"f1": 50, "recall@1": 0.5}, {"ece": 0.2})
    assert entry.failures({"f1": 50.0, "recall@1": 0.5, "ece": 0.2}) == []
    assert entry.failures({"f1": 49.9, "recall@1": None, "ece": 0.25}) == [
        "a.json, reader: f1 is 49.9, below the gate of 50",
        "a.json, reader: recall@1 is not measured but has a gate of 0.5",
        "a.json, reader: ece is 0.25, above the gate of 0.2",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path =", "not a suite"),
        ('path = "golden.json"\nmode = "other"', "set.0.mode"),
        ('path = "golden.json"\nmode = "reader"\ngate = 3', "set.0.gate"),
        ('path = "none.json"\nmode = "reader"', "none.json not found"),
    ],
)
def test_rejects_wrong_suites(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DatasetError, match=rf"suite\.toml: .*{message}"):
        load_suite(write_suite(tmp_path, content))
