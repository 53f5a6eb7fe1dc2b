from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from qa.cli import app
from qa.errors import InvalidInput
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import OpenVINOReader, Pair
from qa.reading.spans import best_spans
from qa.training.artifacts.base_model import untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.artifacts.stages import load_stages, render_stage, source_files, write_stages
from qa.training.data.examples import Source
from qa.training.optim.averaging import average_readers
from qa.training.optim.depth import deepen
from qa.training.recipe import OWN_RECIPE, load_recipe
from tests.training.data.test_examples import CONTEXTS, write_squad

pytestmark = pytest.mark.slow

LAYER, HEAD = "bert.encoder.layer.2.output.dense.weight", "qa_outputs.bias"


def test_averages_an_int8_reader_and_a_fine_tuned_one(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        network.get_parameter(LAYER).add_(0.5)
        network.get_parameter(HEAD).sub_(1.0)
    network.save_pretrained(tmp_path / "later")
    write_stages(tmp_path / "later", [*load_stages(shipped.folder), {"mixture": []}])
    mean = average_readers([shipped.folder, tmp_path / "later"], tmp_path / "work")
    averaged = load_file(mean / "model.safetensors")
    assert torch.allclose(averaged[LAYER], before[LAYER] + 0.25, atol=1e-6)
    assert torch.allclose(averaged[HEAD], before[HEAD] - 0.5, atol=1e-6)
    unchanged = "bert.encoder.layer.0.attention.self.query.weight"
    assert torch.allclose(averaged[unchanged], before[unchanged], atol=1e-6)
    last = load_stages(mean)[-1]
    count = len(load_stages(shipped.folder))
    assert last == {"average": [count, count + 1]}
    assert f"after stages {count}, {count + 1}" in render_stage(last)
    assert source_files(last) == []


def test_averages_readers_in_given_proportions(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    history = load_stages(shipped.folder)
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    before = network.get_parameter(HEAD).detach().clone()
    new_stages = {"one": ["one"], "two": ["between", "two"]}
    for number, (name, seeds) in enumerate(new_stages.items(), 1):
        with torch.no_grad():
            network.get_parameter(HEAD).copy_(before + number)
        network.save_pretrained(tmp_path / name)
        write_stages(tmp_path / name, [*history, *({"seed": seed} for seed in seeds)])
    readers = [shipped.folder, tmp_path / "one", tmp_path / "two"]
    mean = average_readers(readers, tmp_path / "work", [2, 3, 5])
    assert torch.allclose(load_file(mean / "model.safetensors")[HEAD], before + 0.3 * 1 + 0.5 * 2, atol=1e-6)
    count = len(history)
    *_, one, between, two, last = load_stages(mean)
    assert [one, between, two] == [{"seed": "one"}, {"seed": "between"}, {"seed": "two"}]
    assert last == {"average": [count, count + 1, count + 3], "parts": [2, 3, 5]}
    assert f"after stages {count}, {count + 1}, {count + 3}, in the ratio 2 : 3 : 5" in render_stage(last)
    for proportions in ([1, 2], [1, 2, 0]):
        with pytest.raises(InvalidInput, match="give one number above zero for each reader"):
            average_readers(readers, tmp_path / "rejected", proportions)
    assert not (tmp_path / "rejected").exists()


def test_command_exports_the_mean_as_int8(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    network.save_pretrained(tmp_path / "later")
    (tmp_path / "data").mkdir()
    write_squad(tmp_path / "data" / "some.json", CONTEXTS[:20])
    recipe = replace(load_recipe(OWN_RECIPE), mixture=(Source("some.json"),))
    write_stages(tmp_path / "later", [*load_stages(shipped.folder), {"start": shipped.identity, **asdict(recipe)}])
    readers = (str(shipped.folder), str(tmp_path / "later"))
    folders = [x for name in ("data", "work", "out") for x in (f"--{name}", str(tmp_path / name))]
    done = CliRunner().invoke(app, ["train", "average", *readers, *folders])
    assert done.exit_code == 0, done.output
    assert "the reader has no calibration yet" in done.output
    reader = OpenVINOReader(open_model_folder(tmp_path / "out"), 1)
    (logits,) = reader.read_batch([Pair("When did Ann7 open a shop?", ReaderText(CONTEXTS[7]))])
    assert best_spans(logits, 1)[0].span.of(CONTEXTS[7]) == "1907"
    rejected = CliRunner().invoke(app, ["train", "average", readers[0], *folders])
    assert rejected.exit_code == 1
    assert "at least two readers" in rejected.output


def test_rejects_readers_that_do_not_descend_from_the_first(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_stages(tmp_path / name, [{"seed": name}])
    with pytest.raises(InvalidInput, match=r"other: does not descend from .*one$"):
        average_readers([tmp_path / "one", tmp_path / "other"], tmp_path / "work")
    with pytest.raises(InvalidInput, match="at least two readers"):
        average_readers([tmp_path / "one"], tmp_path / "work")
    deep = untrained_reader()
    deepen(deep)
    deep.save_pretrained(tmp_path / "deep")
    write_stages(tmp_path / "deep", load_stages(WEIGHTS / "reader"))
    with pytest.raises(InvalidInput, match="deep: has another number of layers"):
        average_readers([WEIGHTS / "reader", tmp_path / "deep"], tmp_path / "work")
    assert not (tmp_path / "work").exists()
