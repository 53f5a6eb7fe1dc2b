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
from qa.reading.reader import Pair
from qa.training.artifacts.stages import load_stages
from qa.training.data.examples import Source, is_held_out
from qa.training.fine_tuning import load_held_out
from tests.training.data.test_examples import CONTEXTS, write_squad


def train(data: Path, tmp_path: Path, *options: str) -> tuple[int, str]:
    where = ("--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "reader"))
    done = CliRunner().invoke(app, ["train", "reader", *where, "--from", "shipped", *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_the_shipped_reader_is_trained_on_own_labels_and_can_be_used(tmp_path: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:30])
    code, told = train(tmp_path / "labels.json", tmp_path, "--tokens", "400")
    assert code == 0, told
    assert "before" in told
    assert "held back, reader" in told
    assert re.search(r"before: \d+% of the answerable are answered, calibration error 0\.\d{3}\nafter: ", told)
    made, shipped = open_model_folder(tmp_path / "reader"), open_model_folder(WEIGHTS / "reader")
    assert made.sha256 != shipped.sha256
    *before_it, last = load_stages(made.folder)
    assert before_it == load_stages(shipped.folder)
    assert (last["start"], last["tokens"]) == (shipped.identity, 400)
    card = (made.folder / "README.md").read_text()
    assert "- `labels.json`" in card
    assert "Not measured" in card
    before = Calibration.load(WEIGHTS / "reader" / "calibration.json")
    after = Calibration.load(made.folder / "calibration.json")
    assert (after.reader, after.read) == (made.identity, before.read)
    assert after.taken_over_from == shipped.identity
    levels = []
    kept = load_held_out(tmp_path, [Source("labels.json")], 20)
    for folder in (made.folder, shipped.folder):
        with closing(build_engine(load_settings(reader=str(folder), index_dir=tmp_path / "indexes"))) as engine:
            (answer, *_) = engine.read("When did Ann7 open a shop?", CONTEXTS[7], min_confidence=0).answers
            assert answer.text == "1907"
            read = engine.reader.read_batch([Pair(q.text, kept.contexts[q.context]) for q in kept.questions])
            nulls = [window.null for logits in read for window in logits.windows]
            levels.append(sum(nulls) / len(nulls))
    assert abs(levels[0] - levels[1]) > 0.001
    bias = before.query.right.bias - before.query.right.null * (levels[0] - levels[1])
    assert asdict(after.query.right) == pytest.approx({**asdict(before.query.right), "bias": bias})


@pytest.mark.parametrize("broken", ["{", '{"data": []}'])
def test_what_cannot_be_trained_on_is_refused_before_it_starts(tmp_path: Path, broken: str) -> None:
    (tmp_path / "labels.json").write_text(broken)
    code, told = train(tmp_path / "labels.json", tmp_path)
    assert code == 1
    assert "labels.json" in told
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--device", "tpu"), "device: 'tpu' is neither cpu nor cuda"),
        (("--config", "bsae"), "config: bsae: neither a file nor one of"),
        (("--out", str(WEIGHTS / "reader")), "out: this is the model that training starts from"),
        (("--out", "/proc/none"), "error: /proc/none"),
    ],
)
def test_what_would_fail_later_is_refused_now(tmp_path: Path, options: tuple[str, str], named: str) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    code, told = train(tmp_path / "labels.json", tmp_path, *options)
    assert code == 1
    assert named in " ".join(told.split())
    assert not (tmp_path / "work").exists()


def test_a_wrong_label_is_named_before_training_starts(tmp_path: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    content = json.loads((tmp_path / "labels.json").read_text())
    entry = content["data"][0]["paragraphs"][3]["qas"][0]
    entry["answers"][0]["answer_start"] = 9
    (tmp_path / "labels.json").write_text(json.dumps(content))
    code, told = train(tmp_path, tmp_path)
    assert code == 1
    assert f"labels.json: question '{entry['id']}': answer '1903' is not at offset 9" in " ".join(told.split())
    assert not (tmp_path / "work").exists()


def test_held_back_are_the_held_out_contexts_of_every_file(tmp_path: Path) -> None:
    write_squad(tmp_path / "a.json", CONTEXTS[:30])
    write_squad(tmp_path / "b.json", CONTEXTS[20:])
    made = load_held_out(tmp_path, [Source("a.json"), Source("b.json")], 20)
    assert set(made.contexts) == {context for context in CONTEXTS if is_held_out(context, 20)}
    assert len({question.id for question in made.questions}) == len(made.questions)
    for question in made.questions:
        assert made.gold_texts(question)[0] in question.id
    with pytest.raises(DatasetError, match="label questions on more texts"):
        load_held_out(tmp_path, [Source("a.json")], 0)
