from __future__ import annotations

import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray

from qa.evaluation.metrics import Bin
from qa.training.calibration.reliability import reliability_svg

SVG = "{http://www.w3.org/2000/svg}"
BINS = [Bin(10, 0.1, 0.3), Bin(20, 0.5, 0.45), Bin(40, 0.9, 0.95)]


def points(path: ElementTree.Element) -> NDArray[np.float64]:
    """Return the x and y coordinates of a path, of shape (points, 2)."""
    return np.array(re.findall(r"[\d.]+", path.get("d", "")), np.float64).reshape(-1, 2)


def test_curve_has_the_confidence_and_accuracy_of_each_bin() -> None:
    root = ElementTree.fromstring(reliability_svg({"an index": BINS}))
    lines = [path for path in root.iter(f"{SVG}path") if "fill: none" in path.get("style", "")]
    (diagonal,) = (points(path) for path in lines if "stroke-dasharray" in path.get("style", ""))
    (curve,) = (points(path) for path in lines if "stroke: #1f77b4" in path.get("style", ""))
    # The diagonal goes from (0, 0) to (1, 1).
    values = (curve - diagonal[0]) / (diagonal[1] - diagonal[0])
    assert values == pytest.approx(np.array([(b.confidence, b.accuracy) for b in BINS]), abs=1e-4)


def test_area_of_a_dot_is_proportional_to_the_answers_of_its_bin() -> None:
    root = ElementTree.fromstring(reliability_svg({"an index": BINS}))
    (dots,) = (group for group in root.iter(f"{SVG}g") if group.get("id") == "PathCollection_1")
    paths = [points(path) for path in dots.iter(f"{SVG}path")]
    widths = np.array([np.ptp(path[:, 0]) for path in paths if len(path)])
    assert widths**2 / widths[0] ** 2 == pytest.approx([1, 2, 4], rel=1e-3)


def test_panels_are_side_by_side_with_their_titles() -> None:
    svg = reliability_svg({"a & b": BINS, "none": []})
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert [text for text in texts if text in ("a & b", "none")] == ["a & b", "none"]
    assert texts.count("confidence") == texts.count("share of right answers") == 2


def test_diagram_does_not_depend_on_date_and_user_settings() -> None:
    svg = reliability_svg({"an index": BINS})
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30}):
        assert reliability_svg({"an index": BINS}) == svg
    assert "dc:date" not in svg
