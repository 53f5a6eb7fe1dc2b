from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.config import load_settings
from qa.factory import build_engine
from qa.models.model_folder import WEIGHTS
from qa.reading.calibration import Calibration
from qa.training.calibration.fit import fit_calibration
from qa.training.calibration.gathering import FILES, HeldOutQuestion
from qa.types import Document

pytestmark = pytest.mark.slow


def labels(first: int, count: int) -> dict[str, Any]:
    """Return SQuAD data: two answerable questions on each context, an unanswerable one on every other context."""
    paragraphs = []
    for n in range(first, first + count):
        context = f"In {1000 + n} Ann{n} opened a shop. It stood in the town of Place{n}."
        questions = [(f"When did Ann{n} open a shop?", str(1000 + n)), (f"Where was the shop of Ann{n}?", f"Place{n}")]
        entries = [
            {"id": f"{n}-{i}", "question": question, "answers": [{"text": gold, "answer_start": context.index(gold)}]}
            for i, (question, gold) in enumerate(questions)
        ]
        if n % 2:
            entries.append({"id": f"{n}-none", "question": f"Who closed the shop of Ann{n}?", "answers": []})
        paragraphs.append({"context": context, "qas": entries})
    return {"data": [{"paragraphs": paragraphs}]}


def test_fitted_calibration_can_be_used(tmp_path: Path) -> None:
    for number, file in enumerate(FILES):
        (tmp_path / file).write_text(json.dumps(labels(120 * number, 120)))
    reader = tmp_path / "reader"
    shutil.copytree(WEIGHTS / "reader", reader)
    for name in ("calibration.json", "reliability.svg"):
        (reader / name).unlink()
    done = CliRunner().invoke(app, ["train", "calibration", "--data", str(tmp_path), "--reader", str(reader)])
    assert done.exit_code == 0, done.output
    assert "single texts: answers" in done.output
    assert "<svg" in (reader / "reliability.svg").read_text()
    calibration = Calibration.load(reader / "calibration.json")
    # Source passages were removed from the results of the index; otherwise the null logit would have no weight.
    assert calibration.query.right.null != 0
    assert calibration.read.right.null == calibration.read.right.retrieval == 0
    with closing(build_engine(load_settings(reader=str(reader), index_dir=tmp_path / "indexes"))) as engine:
        result = engine.read("When did Ann7 open a shop?", "In 1907 Ann7 opened a shop.", min_confidence=0)
        assert result.answers[0].text == "1907"


def test_calibration_is_fitted_over_documents_too(tmp_path: Path) -> None:
    for number, file in enumerate(FILES):
        (tmp_path / file).write_text(json.dumps(labels(120 * number, 120)))
    reader = tmp_path / "reader"
    shutil.copytree(WEIGHTS / "reader", reader)
    questions = []
    for n in range(8):
        document = Document(
            f"shop-{n}", f"Mill{n} opened in {1900 + n}.\n\nThe owner of Mill{n} is Ben{n}.", f"Mill{n}"
        )
        questions += [
            HeldOutQuestion(f"Who owns Mill{n}?", (f"Ben{n}",), document, "notices"),
            HeldOutQuestion(f"What does Mill{n} sell?", (), document, "notices"),
        ]
    report = fit_calibration(tmp_path, reader, load_settings(), document_questions=questions)
    named = [line.split(": ")[0] for line in report]
    assert {f"{mode}, notices" for mode in ("through an index", "single texts")} <= set(named)
    assert "through an index, notices, one document" in named
    calibration = Calibration.load(reader / "calibration.json")
    for scale in (calibration.query, calibration.read):
        assert 0 <= scale.unsure <= scale.answered <= 1
