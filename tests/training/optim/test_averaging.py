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
from qa.reading.reader import OpenVINOReader, Pair
from qa.reading.spans import best_spans
from qa.training.artifacts.base_model import untrained_reader
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.artifacts.stages import as_markdown, files_of, stages, write_stages
from qa.training.data.examples import Source
from qa.training.optim.averaging import average_readers
from qa.training.optim.depth import deepen
from qa.training.recipe import OWN, load_recipe
from tests.training.data.test_examples import CONTEXTS, squad

LAYER, HEAD = "bert.encoder.layer.2.output.dense.weight", "qa_outputs.bias"


def test_the_mean_of_an_int8_reader_and_one_trained_on_from_it(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        network.get_parameter(LAYER).add_(0.5)
        network.get_parameter(HEAD).sub_(1.0)
    network.save_pretrained(tmp_path / "later")
    write_stages(tmp_path / "later", [*stages(shipped.folder), {"mixture": []}])
    mean = average_readers([shipped.folder, tmp_path / "later"], tmp_path / "work")
    made = load_file(mean / "model.safetensors")
    assert torch.allclose(made[LAYER], before[LAYER] + 0.25, atol=1e-6)
    assert torch.allclose(made[HEAD], before[HEAD] - 0.5, atol=1e-6)
    other = "bert.encoder.layer.0.attention.self.query.weight"
    assert torch.allclose(made[other], before[other], atol=1e-6)
    last = stages(mean)[-1]
    count = len(stages(shipped.folder))
    assert last == {"average": [count, count + 1]}
    assert f"after the stages {count}, {count + 1}" in as_markdown(last)
    assert files_of(last) == []


def test_parts_of_readers_that_were_trained_on_from_one(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    been_through = stages(shipped.folder)
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    before = network.get_parameter(HEAD).detach().clone()
    later = {"one": ["one"], "two": ["between", "two"]}
    for place, (name, seeds) in enumerate(later.items(), 1):
        with torch.no_grad():
            network.get_parameter(HEAD).copy_(before + place)
        network.save_pretrained(tmp_path / name)
        write_stages(tmp_path / name, [*been_through, *({"seed": seed} for seed in seeds)])
    readers = [shipped.folder, tmp_path / "one", tmp_path / "two"]
    mean = average_readers(readers, tmp_path / "work", [2, 3, 5])
    assert torch.allclose(load_file(mean / "model.safetensors")[HEAD], before + 0.3 * 1 + 0.5 * 2, atol=1e-6)
    count = len(been_through)
    *_, one, between, two, last = stages(mean)
    assert [one, between, two] == [{"seed": "one"}, {"seed": "between"}, {"seed": "two"}]
    assert last == {"average": [count, count + 1, count + 3], "parts": [2, 3, 5]}
    assert f"after the stages {count}, {count + 1}, {count + 3}, in parts of 2, 3, 5" in as_markdown(last)
    for parts in ([1, 2], [1, 2, 0]):
        with pytest.raises(InvalidInput, match="one for each reader, above zero"):
            average_readers(readers, tmp_path / "refused", parts)
    assert not (tmp_path / "refused").exists()


def test_the_command_writes_the_mean_as_int8(tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    network = untrained_reader()
    load_dequantised(network, shipped.graph)
    network.save_pretrained(tmp_path / "later")
    (tmp_path / "data").mkdir()
    squad(tmp_path / "data" / "some.json", CONTEXTS[:20])
    recipe = replace(load_recipe(OWN), mixture=(Source("some.json"),))
    write_stages(tmp_path / "later", [*stages(shipped.folder), {"start": shipped.identity, **asdict(recipe)}])
    readers = (str(shipped.folder), str(tmp_path / "later"))
    where = [x for name in ("data", "work", "out") for x in (f"--{name}", str(tmp_path / name))]
    done = CliRunner().invoke(app, ["train", "average", *readers, *where])
    assert done.exit_code == 0, done.output
    assert "confidence is not fitted yet" in done.output
    made = OpenVINOReader(open_model_folder(tmp_path / "out"), 1)
    (read,) = made.read_batch([Pair("When did Ann7 open a shop?", CONTEXTS[7])])
    assert best_spans(read, 1)[0].span.of(CONTEXTS[7]) == "1907"
    refused = CliRunner().invoke(app, ["train", "average", readers[0], *where])
    assert refused.exit_code == 1
    assert "two readers or more" in refused.output


def test_readers_that_were_not_trained_on_from_the_first_are_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_stages(tmp_path / name, [{"seed": name}])
    with pytest.raises(InvalidInput, match=r"other: was not trained on from .*one$"):
        average_readers([tmp_path / "one", tmp_path / "other"], tmp_path / "work")
    with pytest.raises(InvalidInput, match="two readers or more"):
        average_readers([tmp_path / "one"], tmp_path / "work")
    deep = untrained_reader()
    deepen(deep)
    deep.save_pretrained(tmp_path / "deep")
    write_stages(tmp_path / "deep", stages(WEIGHTS / "reader"))
    with pytest.raises(InvalidInput, match="deep: has another number of layers"):
        average_readers([WEIGHTS / "reader", tmp_path / "deep"], tmp_path / "work")
    assert not (tmp_path / "work").exists()
