from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from qa.errors import ModelError
from qa.reading.calibration import AnswerFeatures, Calibration, EvidenceScale, Scale, UnitFeatures, Weights

WEIGHTS = Weights(
    reader=0.5, null=0.25, retrieval=2.0, behind=-1.0, best=0.5, lead=0.125, gap=-1.0, support=0.5, depth=-0.25,
    length=-0.5, bias=-2.5,
)  # fmt: skip
EVIDENCE = AnswerFeatures(
    reader=2.0, null=2.0, retrieval=1.0, behind=0.5, best=1.0, lead=4.0, gap=1.0, support=1.0, depth=2.0, length=1.0
)
UNITS = EvidenceScale(UnitFeatures(1.0, 0.1, 0.0, 0.0, 0.1, 1.0, -0.1, 0.5, 0.1, 0.2), -1.0, 0.5, 0.4, 0.9)
SCALE = Scale(
    WEIGHTS, replace(WEIGHTS, bias=1.0), answered=0.6, unsure=0.2, threshold=0.3, item_gap=1.0, evidence=UNITS
)
IDENTITIES = {"reader": "reader@1", "fusion": "fusion-1", "splitting": "splitting-1", "rounds": "rounds-1"}
CALIBRATION = Calibration(
    **IDENTITIES, retrieval_weight=8.0, stop_margin=6.0, query=SCALE, read=replace(SCALE, threshold=0.4)
)


def test_save_and_load_round_trip(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == CALIBRATION


def test_probability_is_logistic() -> None:
    assert WEIGHTS.probability(EVIDENCE) == 0.5
    assert WEIGHTS.probability(EVIDENCE._replace(reader=1e6)) == 1.0
    assert WEIGHTS.probability(EVIDENCE._replace(reader=-1e6)) == 0.0


@pytest.mark.parametrize("name", AnswerFeatures._fields)
def test_each_feature_counts_by_its_weight(name: str) -> None:
    more = EVIDENCE._replace(**{name: getattr(EVIDENCE, name) + 1})
    assert WEIGHTS.probability(more) == pytest.approx(1 / (1 + math.exp(-getattr(WEIGHTS, name))))


def test_status_follows_from_confidence() -> None:
    confidences = (1.0, 0.6, 0.59, 0.2, 0.19, 0.0)
    assert [SCALE.status(confidence) for confidence in confidences] == [
        "answered", "answered", "unsure", "unsure", "not_found", "not_found",
    ]  # fmt: skip


@pytest.mark.parametrize("part", IDENTITIES)
def test_rejects_parts_it_was_not_fitted_with(part: str) -> None:
    CALIBRATION.check(**IDENTITIES)
    with pytest.raises(ModelError, match=f"fitted with {part}"):
        CALIBRATION.check(**{**IDENTITIES, part: "another"})


EARLIER_VERSION = asdict(CALIBRATION)
for feature in ("null", "behind", "best"):
    del EARLIER_VERSION["query"]["right"][feature]
WITH_REFUSAL = asdict(CALIBRATION)
for scale in ("query", "read"):
    WITH_REFUSAL[scale]["refusal"] = WITH_REFUSAL[scale].pop("answered")


@pytest.mark.parametrize(
    "content", ["", "{}", '{"reader": 1}', "[1]", json.dumps(EARLIER_VERSION), json.dumps(WITH_REFUSAL)]
)
def test_rejects_a_file_that_is_not_a_calibration(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(ModelError, match=r"not a calibration of this version.*run `qa train calibration`"):
        Calibration.load(tmp_path / "c.json")


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json: the calibration cannot be read"):
        Calibration.load(tmp_path / "none.json")


def test_a_unit_has_the_probability_of_its_features() -> None:
    features = UnitFeatures._make([2.0, 0.0, 1.0, 1.0, 4.0, 0.5, 2.0, 1.0, 4.0, 3.0])
    scale = replace(UNITS, weights=UnitFeatures(1.0, 0.3, 0.5, 0.5, 0.25, 2.0, -1.0, -1.0, 0.5, 1.0), bias=-7.0)
    assert scale.probability(features) == 0.5
    assert scale.probability(features._replace(logit=3.0)) == pytest.approx(1 / (1 + math.exp(-1.0)))
