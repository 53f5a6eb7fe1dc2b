from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.config import load_settings
from qa.errors import DatasetError
from qa.factory import build_engine
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.reading.calibration import Calibration
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair
from qa.training.artifacts.stages import load_stages
from qa.training.data.examples import Source, is_held_out
from qa.training.fine_tuning import load_held_out
from tests.training.data.test_examples import CONTEXTS, write_squad

pytestmark = pytest.mark.slow


def train(data: Path, tmp_path: Path, *options: str) -> tuple[int, str]:
    folders = ("--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "reader"))
    done = CliRunner().invoke(app, ["train", "reader", *folders, "--from", "shipped", *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_shipped_reader_is_fine_tuned_and_can_be_used(tmp_path: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:30])
    code, printed = train(tmp_path / "labels.json", tmp_path, "--tokens", "400")
    assert code == 0, printed
    assert "before" in printed
    assert "held out, reader" in printed
    assert re.search(
        r"before: \d+% of the answerable questions are answered, calibration error 0\.\d{3}\nafter: ", printed
    )
    tuned, shipped = open_model_folder(tmp_path / "reader"), open_model_folder(WEIGHTS / "reader")
    assert tuned.sha256 != shipped.sha256
    *earlier, last = load_stages(tuned.folder)
    assert earlier == load_stages(shipped.folder)
    assert (last["start"], last["tokens"]) == (shipped.identity, 400)
    card = (tuned.folder / "README.md").read_text()
    assert "- `labels.json`" in card
    assert "Not measured yet" in card
    before = Calibration.load(WEIGHTS / "reader" / "calibration.json")
    after = Calibration.load(tuned.folder / "calibration.json")
    assert (after.reader, after.read) == (tuned.identity, before.read)
    assert after.taken_over_from == shipped.identity
    mean_nulls = []
    held_out = load_held_out(tmp_path, [Source("labels.json")], 20)
    for folder in (tuned.folder, shipped.folder):
        with closing(build_engine(load_settings(reader=str(folder), index_dir=tmp_path / "indexes"))) as engine:
            (answer, *_) = engine.read("When did Ann7 open a shop?", CONTEXTS[7], min_confidence=0).answers
            assert answer.text == "1907"
            passages = engine.reader.read_batch(
                [Pair(q.text, ReaderText(held_out.contexts[q.context])) for q in held_out.questions]
            )
            nulls = [window.null for logits in passages for window in logits.windows]
            mean_nulls.append(sum(nulls) / len(nulls))
    assert abs(mean_nulls[0] - mean_nulls[1]) > 0.001
    bias = before.query.right.bias - before.query.right.null * (mean_nulls[0] - mean_nulls[1])
    assert asdict(after.query.right) == pytest.approx({**asdict(before.query.right), "bias": bias})


@pytest.mark.parametrize("content", ["{", '{"data": []}'])
def test_rejects_unusable_data_before_training_starts(tmp_path: Path, content: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    code, printed = train(tmp_path / "labels.json", tmp_path)
    assert code == 1
    assert "labels.json" in printed
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--device", "tpu"), "device: must be cpu or cuda, got 'tpu'"),
        (("--config", "bsae"), "config: recipe 'bsae' not found; give a TOML file or one of"),
        (("--out", str(WEIGHTS / "reader")), "out: this is the folder of the starting model"),
        (("--out", "/proc/none"), "error: /proc/none"),
    ],
)
def test_rejects_invalid_options_before_training_starts(tmp_path: Path, options: tuple[str, str], message: str) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    code, printed = train(tmp_path / "labels.json", tmp_path, *options)
    assert code == 1
    assert message in " ".join(printed.split())
    assert not (tmp_path / "work").exists()


def test_reports_a_wrong_label_before_training_starts(tmp_path: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    content = json.loads((tmp_path / "labels.json").read_text())
    entry = content["data"][0]["paragraphs"][3]["qas"][0]
    entry["answers"][0]["answer_start"] = 9
    (tmp_path / "labels.json").write_text(json.dumps(content))
    code, printed = train(tmp_path, tmp_path)
    assert code == 1
    assert f"labels.json: question '{entry['id']}': answer '1903' is not at offset 9" in " ".join(printed.split())
    assert not (tmp_path / "work").exists()


def test_held_out_contexts_are_from_every_file(tmp_path: Path) -> None:
    write_squad(tmp_path / "a.json", CONTEXTS[:30])
    write_squad(tmp_path / "b.json", CONTEXTS[20:])
    held_out = load_held_out(tmp_path, [Source("a.json"), Source("b.json")], 20)
    assert set(held_out.contexts) == {context for context in CONTEXTS if is_held_out(context, 20)}
    assert len({question.id for question in held_out.questions}) == len(held_out.questions)
    for question in held_out.questions:
        assert held_out.gold_texts(question)[0] in question.id
    with pytest.raises(DatasetError, match="label questions on more texts"):
        load_held_out(tmp_path, [Source("a.json")], 0)
