from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from qa.errors import ModelError
from qa.reading.calibration import Calibration, Evidence, Scale, Weights

WEIGHTS = Weights(
    reader=0.5, null=0.25, retrieval=2.0, behind=-1.0, best=0.5, lead=0.125, gap=-1.0, support=0.5, depth=-0.25,
    length=-0.5, bias=-2.5,
)  # fmt: skip
EVEN = Evidence(
    reader=2.0, null=2.0, retrieval=1.0, behind=0.5, best=1.0, lead=4.0, gap=1.0, support=1.0, depth=2.0, length=1.0
)
SCALE = Scale(WEIGHTS, replace(WEIGHTS, bias=1.0), 0.6, 0.3)
IDENTITIES = {"reader": "reader@1", "fusion": "fusion-1", "splitting": "splitting-1", "rounds": "rounds-1"}
CALIBRATION = Calibration(
    **IDENTITIES, retrieval_weight=8.0, stop_margin=6.0, query=SCALE, read=replace(SCALE, threshold=0.4)
)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == CALIBRATION


def test_known_probabilities() -> None:
    assert WEIGHTS.probability(EVEN) == 0.5
    assert WEIGHTS.probability(EVEN._replace(reader=1e6)) == 1.0
    assert WEIGHTS.probability(EVEN._replace(reader=-1e6)) == 0.0


@pytest.mark.parametrize("name", Evidence._fields)
def test_each_piece_of_evidence_counts_by_its_weight(name: str) -> None:
    more = EVEN._replace(**{name: getattr(EVEN, name) + 1})
    assert WEIGHTS.probability(more) == pytest.approx(1 / (1 + math.exp(-getattr(WEIGHTS, name))))


@pytest.mark.parametrize("part", IDENTITIES)
def test_other_parts_than_those_it_was_fitted_with_are_refused(part: str) -> None:
    CALIBRATION.check(**IDENTITIES)
    with pytest.raises(ModelError, match=f"fitted with {part}"):
        CALIBRATION.check(**{**IDENTITIES, part: "another"})


EARLIER = asdict(CALIBRATION)
for name in ("null", "behind", "best"):
    del EARLIER["query"]["right"][name]


@pytest.mark.parametrize("content", ["", "{}", '{"reader": 1}', "[1]", json.dumps(EARLIER)])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(ModelError, match=r"not a calibration of this version.*fit it again"):
        Calibration.load(tmp_path / "c.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json: the calibration cannot be read"):
        Calibration.load(tmp_path / "none.json")
