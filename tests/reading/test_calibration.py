from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qa.errors import ModelError
from qa.reading.calibration import Calibration, Evidence, Scale, Weights

NOTHING = Evidence(*[0.0] * len(Evidence._fields))
WEIGHTS = Weights(**{**NOTHING._asdict(), "reader": 0.5, "retrieval": 2.0, "gap": -1.0, "support": 0.5}, bias=-3.0)
SCALE = Scale(WEIGHTS, replace(WEIGHTS, bias=1.0), 0.6, 0.3)
IDENTITIES = {"reader": "reader@1", "fusion": "fusion-1", "splitting": "splitting-1", "rounds": "rounds-1"}
CALIBRATION = Calibration(
    **IDENTITIES, retrieval_weight=8.0, stop_margin=6.0, query=SCALE, read=replace(SCALE, threshold=0.4)
)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == CALIBRATION


def test_known_probabilities() -> None:
    even = NOTHING._replace(reader=2.0, null=3.0, retrieval=1.0, rank=1.0, best=1.0, lead=7.0, gap=1.0, support=2.0)
    assert WEIGHTS.probability(even) == 0.5
    assert WEIGHTS.probability(NOTHING._replace(reader=1e6)) == 1.0
    assert WEIGHTS.probability(NOTHING._replace(reader=-1e6)) == 0.0


@pytest.mark.parametrize("part", IDENTITIES)
def test_other_parts_than_those_it_was_fitted_with_are_refused(part: str) -> None:
    CALIBRATION.check(**IDENTITIES)
    with pytest.raises(ModelError, match=f"fitted with {part}"):
        CALIBRATION.check(**{**IDENTITIES, part: "another"})


@pytest.mark.parametrize("content", ["", "{}", '{"reader": 1}', "[1]"])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(ModelError, match="not a calibration"):
        Calibration.load(tmp_path / "c.json")
