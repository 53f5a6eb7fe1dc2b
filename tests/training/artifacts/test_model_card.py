from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.errors import DatasetError
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration
from qa.training.artifacts.model_card import write_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS / "reader", tmp_path / "reader"))


def report(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": "letters",
        "mode": "reader",
        "n": 1234,
        "forced": True,
        "model": {"reader": open_model_folder(folder).identity},
        "metrics": {"f1": 81.234, "ece": 0.0512, "exact_match": None, "f1_best_threshold": 81.234},
        "intervals": {"f1": [80.0, 82.0]},
    } | changes


def test_card_has_the_figures(folder: Path) -> None:
    ranked = report(folder, mode="retrieval", metrics={"f1": None})
    write_card(folder, [report(folder), ranked])
    card = (folder / "README.md").read_text()
    assert "| letters, reader | 1,234 | F1 81.2 (80.0 to 82.0), ECE 0.051 |" in card
    assert "retrieval |" not in card
    assert "SQuAD 1.1 and 2.0 (CC BY-SA 4.0)" in card
    assert open_model_folder(folder).identity in card


def test_command_rewrites_the_card(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(report(folder)))
    done = CliRunner().invoke(app, ["train", "card", "--reader", str(folder), str(tmp_path / "result.json")])
    assert done.exit_code == 0, done.output
    assert "| letters, reader | 1,234 | F1 81.2" in (folder / "README.md").read_text()
    (tmp_path / "result.json").write_text("{")
    done = CliRunner().invoke(app, ["train", "card", "--reader", str(folder), str(tmp_path / "result.json")])
    assert done.exit_code == 1
    assert "result.json" in done.output


def test_rejects_a_report_about_another_reader(folder: Path) -> None:
    before = (folder / "README.md").read_text()
    with pytest.raises(DatasetError, match="letters: the report is about reader another@1, not spanlight-reader"):
        write_card(folder, [report(folder, model={"reader": "another@1"})])
    assert (folder / "README.md").read_text() == before


def test_card_says_how_confidence_was_calibrated(folder: Path) -> None:
    write_card(folder)
    assert "`qa train calibration` fitted confidence and refusals" in (folder / "README.md").read_text()
    calibration = Calibration.load(folder / CALIBRATION)
    replace(calibration, taken_over_from="first@1").save(folder / CALIBRATION)
    write_card(folder)
    assert "were calibrated for `first@1` and transferred to this reader" in (folder / "README.md").read_text()
    (folder / CALIBRATION).unlink()
    write_card(folder)
    assert "Confidence is not calibrated yet" in (folder / "README.md").read_text()
