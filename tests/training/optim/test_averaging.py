from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig
from typer.testing import CliRunner

from qa.cli import app
from qa.errors import InvalidInput
from qa.models.model_folder import open_model_folder
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import OpenVINOReader, Pair
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.reader_network import ReaderNetwork, load_network, save_network
from qa.training.artifacts.stages import load_stages, render_stage, source_files, write_stages
from qa.training.optim.averaging import average_readers
from tests.training.labelled_files import CONTEXTS

pytestmark = pytest.mark.slow

LAYER, HEAD = "bert.encoder.layer.1.output.dense.weight", "evidence.bias"


def write_changed(start: Path, folder: Path, change: float, *seeds: str) -> None:
    """Write a reader whose evidence bias and one layer differ by a constant, after further stages."""
    network = load_float_reader(start)
    with torch.no_grad():
        network.get_parameter(LAYER).add_(change)
        network.get_parameter(HEAD).add_(change)
    save_network(network, start / "tokenizer.json", folder)
    write_stages(folder, [*load_stages(start), *({"seed": seed, "mixture": []} for seed in seeds)])


def test_averages_an_int8_reader_and_a_fine_tuned_one(int8_reader: Path, tmp_path: Path) -> None:
    before = load_float_reader(int8_reader).state_dict()
    write_changed(int8_reader, tmp_path / "later", 0.5, "later")
    mean = average_readers([int8_reader, tmp_path / "later"], tmp_path / "work")
    averaged = load_file(mean / "model.safetensors")
    for name in (LAYER, HEAD):
        assert torch.allclose(averaged[name], before[name] + 0.25, atol=1e-6)
    unchanged = "bert.encoder.layer.0.attention.self.query.weight"
    assert torch.allclose(averaged[unchanged], before[unchanged], atol=1e-6)
    last = load_stages(mean)[-1]
    assert last == {"average": [1, 2]}
    assert "after stages 1, 2" in render_stage(last)
    assert source_files(last) == []


def test_averages_readers_in_given_proportions(float_reader: Path, tmp_path: Path) -> None:
    before = load_network(float_reader).state_dict()[HEAD]
    write_changed(float_reader, tmp_path / "one", 1, "one")
    write_changed(float_reader, tmp_path / "two", 2, "between", "two")
    readers = [float_reader, tmp_path / "one", tmp_path / "two"]
    mean = average_readers(readers, tmp_path / "work", [2, 3, 5])
    assert torch.allclose(load_network(mean).state_dict()[HEAD], before + 0.3 * 1 + 0.5 * 2, atol=1e-6)
    *_, one, between, two, last = load_stages(mean)
    assert [stage["seed"] for stage in (one, between, two)] == ["one", "between", "two"]
    assert last == {"average": [1, 2, 4], "parts": [2, 3, 5]}
    assert "after stages 1, 2, 4, in the ratio 2 : 3 : 5" in render_stage(last)
    for proportions in ([1, 2], [1, 2, 0]):
        with pytest.raises(InvalidInput, match="give one number above zero for each reader"):
            average_readers(readers, tmp_path / "rejected", proportions)
    assert not (tmp_path / "rejected").exists()


def test_command_exports_the_mean_as_int8(float_reader: Path, reader_data: Path, tmp_path: Path) -> None:
    write_changed(float_reader, tmp_path / "later", 0.1)
    readers = (str(float_reader), str(tmp_path / "later"))
    folders = ["--data", str(reader_data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["train", "average", *readers, *folders])
    assert done.exit_code == 0, done.output
    assert "the reader has no calibration yet" in done.output
    reader = OpenVINOReader(open_model_folder(tmp_path / "out"), 1)
    (logits,) = reader.read_batch([Pair("When did Ann7 open a shop?", ReaderText(CONTEXTS[7]))])
    assert len(logits.windows[0].evidence) == len(logits.windows[0].start)
    rejected = CliRunner().invoke(app, ["train", "average", readers[0], *folders])
    assert rejected.exit_code == 1
    assert "at least two readers" in rejected.output


def test_rejects_readers_that_do_not_descend_from_the_first(float_reader: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_stages(tmp_path / name, [{"seed": name}])
    with pytest.raises(InvalidInput, match=r"other: does not descend from .*one$"):
        average_readers([tmp_path / "one", tmp_path / "other"], tmp_path / "work")
    with pytest.raises(InvalidInput, match="at least two readers"):
        average_readers([tmp_path / "one"], tmp_path / "work")
    config = BertConfig(num_hidden_layers=1, hidden_size=64, num_attention_heads=2, intermediate_size=128)
    save_network(ReaderNetwork(config), float_reader / "tokenizer.json", tmp_path / "shallow")
    write_stages(tmp_path / "shallow", load_stages(float_reader))
    with pytest.raises(InvalidInput, match="shallow: has another size than"):
        average_readers([float_reader, tmp_path / "shallow"], tmp_path / "work")
    assert not (tmp_path / "work").exists()
