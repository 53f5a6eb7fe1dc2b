from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.config import load_settings
from qa.errors import DatasetError
from qa.factory import build_engine
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair
from qa.training.artifacts.stages import load_stages
from qa.training.data.examples import Source, is_held_out
from qa.training.fine_tuning import load_held_out
from tests.training.labelled_files import CONTEXTS, write_squad

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calibrated_reader(int8_reader: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small reader with the parameters of the shipped reader's calibration."""
    folder = Path(shutil.copytree(int8_reader, tmp_path_factory.mktemp("calibrated") / "reader"))
    shipped = Calibration.load(WEIGHTS / "reader" / CALIBRATION)
    replace(shipped, reader=open_model_folder(folder).identity, taken_over_from=None).save(folder / CALIBRATION)
    return folder


def train(data: Path, tmp_path: Path, start: Path, *options: str) -> tuple[int, str]:
    folders = ("--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "reader"))
    done = CliRunner().invoke(app, ["train", "reader", *folders, "--from", str(start), *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_reader_is_fine_tuned_on_own_labels_and_can_be_used(calibrated_reader: Path, tmp_path: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:30])
    code, printed = train(tmp_path / "labels.json", tmp_path, calibrated_reader, "--tokens", "400")
    assert code == 0, printed
    assert "before" in printed
    assert "held out, reader" in printed
    assert re.search(
        r"before: \d+% of the answerable questions are answered, calibration error [\d.]+\nafter: ", printed
    )
    tuned, start = open_model_folder(tmp_path / "reader"), open_model_folder(calibrated_reader)
    assert tuned.sha256 != start.sha256
    *earlier, last = load_stages(tuned.folder)
    assert earlier == load_stages(start.folder)
    assert (last["start"], last["tokens"]) == (start.identity, 400)
    card = (tuned.folder / "README.md").read_text()
    assert "- `labels.json`" in card
    assert "Not measured yet" in card
    before, after = (Calibration.load(model.folder / CALIBRATION) for model in (start, tuned))
    assert (after.reader, after.taken_over_from) == (tuned.identity, start.identity)
    mean_nulls = []
    held_out = load_held_out(tmp_path, [Source("labels.json")], 20)
    for folder in (tuned.folder, start.folder):
        with closing(build_engine(load_settings(reader=str(folder), index_dir=tmp_path / "indexes"))) as engine:
            assert engine.read("When did Ann7 open a shop?", CONTEXTS[7], min_confidence=0).answers
            passages = engine.reader.read_batch(
                [Pair(q.text, ReaderText(held_out.contexts[q.context])) for q in held_out.questions]
            )
            nulls = [window.null for logits in passages for window in logits.windows]
            mean_nulls.append(sum(nulls) / len(nulls))
    assert mean_nulls[0] != mean_nulls[1]
    bias = before.query.right.bias - before.query.right.null * (mean_nulls[0] - mean_nulls[1])
    assert asdict(after.query.right) == pytest.approx({**asdict(before.query.right), "bias": bias})


def test_base_and_reader_cannot_both_be_the_start(tmp_path: Path, small_base: Path, float_reader: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    code, printed = train(tmp_path, tmp_path, float_reader, "--base", str(small_base))
    assert code == 1
    assert "give either --base with the base model, or --from with a reader" in " ".join(printed.split())


def test_command_trains_from_a_base_and_exports(reader_data: Path, small_base: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'tokens = 300\nbatch = 4\nmixture = [{ file = "plain.json" }, { file = "labels.json", documents = "docs" }]\n'
    )
    folders = ["--data", str(reader_data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    options = ["--base", str(small_base), "--config", str(tmp_path / "mine.toml")]
    done = CliRunner().invoke(app, ["train", "reader", *folders, *options])
    assert done.exit_code == 0, done.output
    assert "the reader has no calibration yet" in done.output
    assert [stage["start"] for stage in load_stages(tmp_path / "out")] == ["small-base"]
    assert open_model_folder(tmp_path / "out").identity.startswith("spanlight-reader-int8@")


@pytest.mark.parametrize("content", ["{", '{"data": []}'])
def test_rejects_unusable_data_before_training_starts(tmp_path: Path, float_reader: Path, content: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    code, printed = train(tmp_path / "labels.json", tmp_path, float_reader)
    assert code == 1
    assert "labels.json" in printed
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--device", "tpu"), "device: must be cpu or cuda, got 'tpu'"),
        (("--config", "bsae"), "config: recipe 'bsae' not found; give a TOML file or one of"),
        (("--out", "/proc/none"), "error: /proc/none"),
    ],
)
def test_rejects_invalid_options_before_training_starts(
    tmp_path: Path, float_reader: Path, options: tuple[str, str], message: str
) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    code, printed = train(tmp_path / "labels.json", tmp_path, float_reader, *options)
    assert code == 1
    assert message in " ".join(printed.split())
    assert not (tmp_path / "work").exists()


def test_reports_a_wrong_label_before_training_starts(tmp_path: Path, float_reader: Path) -> None:
    write_squad(tmp_path / "labels.json", CONTEXTS[:20])
    content = json.loads((tmp_path / "labels.json").read_text())
    entry = content["data"][0]["paragraphs"][3]["qas"][0]
    entry["answers"][0]["answer_start"] = 9
    (tmp_path / "labels.json").write_text(json.dumps(content))
    code, printed = train(tmp_path, tmp_path, float_reader)
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
