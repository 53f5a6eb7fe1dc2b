from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from qa.errors import DatasetError, InvalidInput, ModelError
from qa.models.model_folder import open_model_folder
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.reader_network import ReaderNetwork
from qa.training.artifacts.stages import load_stages, render_stage
from qa.training.data.examples import Source
from qa.training.data.features import Batch
from qa.training.optim import reader
from qa.training.optim.reader import train_reader
from qa.training.optim.start import Start
from qa.training.recipe import ReaderRecipe
from tests.training.labelled_files import CONTEXTS, write_squad

pytestmark = pytest.mark.slow

RECIPE = ReaderRecipe(
    tokens=800,
    batch=4,
    warm_up_steps=2,
    negatives=5,
    averaged_share=0.5,
    mixture=(Source("plain.json", titled=True), Source("labels.json", documents="docs", passes=1.5)),
)
QUERY, WORDS = "bert.encoder.layer.1.attention.self.query.weight", "bert.embeddings.word_embeddings.weight"


@pytest.fixture
def data(reader_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reader_data, tmp_path / "data"))


def train(
    data: Path, work: Path, start: Path, recipe: ReaderRecipe = RECIPE, *, teachers: tuple[Path, ...] = ()
) -> Path:
    origin = Start(start, is_base=not (start / "recipe.json").exists())
    return train_reader(data, [], work, recipe, 1, lambda _: None, origin, teachers=teachers)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_resumed_training_gives_the_same_weights(
    data: Path, small_base: Path, int8_reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SAVE_SECONDS", 0)
    monkeypatch.setattr(reader, "_REPORT_SECONDS", 0)
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if line.startswith("step 4 "):
            raise KeyboardInterrupt

    def run(work: str, report: object) -> Path:
        recipe, start = replace(RECIPE, taught_share=0.5), Start(small_base, is_base=True)
        return train_reader(data, [], tmp_path / work, recipe, 1, report, start, teachers=[int8_reader])  # type: ignore[arg-type]

    whole = run("whole", lines.append)
    with pytest.raises(KeyboardInterrupt):
        run("parts", stop)
    parts = run("parts", lines.append)
    assert "resumed at step 3" in lines
    assert any("losses: span " in line and "evidence " in line for line in lines)
    expected, resumed = weights(whole), weights(parts)
    assert set(expected) == set(resumed)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    assert (whole / "recipe.json").read_text() == (parts / "recipe.json").read_text()


def test_training_from_a_base_changes_all_but_the_embeddings(data: Path, small_base: Path, tmp_path: Path) -> None:
    trained, base = weights(train(data, tmp_path / "work", small_base)), weights(small_base)
    assert torch.equal(trained[WORDS], base[WORDS.removeprefix("bert.")])
    assert not torch.equal(trained[QUERY], base[QUERY.removeprefix("bert.")])
    (stage,) = load_stages(tmp_path / "work" / "reader")
    assert stage["start"] == "small-base"
    assert len(stage["weights"]) == len(stage["documents"]) == 1
    assert "| tokens | 800 |" in render_stage(stage)
    assert "`labels.json` (on documents, passes: 1.5)" in render_stage(stage)


@pytest.mark.parametrize("kind", ["float", "int8"])
def test_training_starts_from_a_reader(
    kind: str, data: Path, float_reader: Path, int8_reader: Path, tmp_path: Path
) -> None:
    start = float_reader if kind == "float" else int8_reader
    before = load_float_reader(start).state_dict()
    finished = train(data, tmp_path / "work", start, replace(RECIPE, tokens=300, rate=1e-6))
    after = weights(finished)
    for name in (QUERY, "qa_outputs.weight", "evidence.weight"):
        assert 0 < (after[name] - before[name]).abs().max() < 1e-4
    *earlier, last = load_stages(finished)
    assert earlier == load_stages(start)
    assert last["start"].startswith("reader@" if kind == "float" else open_model_folder(int8_reader).identity)


def test_work_folder_belongs_to_one_training(data: Path, small_base: Path, float_reader: Path, tmp_path: Path) -> None:
    short, work = replace(RECIPE, tokens=100), tmp_path / "work"
    train(data, work, small_base, short)
    other = "work: belongs to a training with another start, recipe or data"
    with pytest.raises(ModelError, match=other):
        train(data, work, small_base, replace(short, rate=1.0))
    with pytest.raises(ModelError, match=other):
        train(data, work, float_reader, short)
    document = next((data / "docs").iterdir())
    text = document.read_text()
    document.write_text(f"{text} More.")
    with pytest.raises(ModelError, match=other):
        train(data, work, small_base, short)
    document.write_text(text)
    write_squad(data / "plain.json", CONTEXTS[:11])
    with pytest.raises(ModelError, match=other):
        train(data, work, small_base, short)


def test_result_is_the_mean_of_the_weights_of_each_step(
    data: Path, small_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    step = reader._step

    def recorded(model: ReaderNetwork, optimizer: torch.optim.AdamW, batch: Batch, recipe: ReaderRecipe) -> list[float]:
        losses = step(model, optimizer, batch, recipe)
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return losses

    monkeypatch.setattr(reader, "_step", recorded)
    result = weights(train(data, tmp_path / "work", small_base, replace(RECIPE, tokens=400, averaged_share=1.0)))
    assert len(seen) > 1
    for name in (QUERY, "evidence.bias"):
        assert torch.allclose(result[name], torch.stack([step[name] for step in seen]).mean(0), atol=1e-7)
        assert not torch.allclose(result[name], seen[-1][name], atol=1e-7)


def test_reader_learns_from_teachers(data: Path, small_base: Path, int8_reader: Path, tmp_path: Path) -> None:
    taught = replace(RECIPE, tokens=300, taught_share=1.0)
    results = {}
    for name, teachers in {"alone": (), "taught": (int8_reader,)}.items():
        results[name] = train(data, tmp_path / name, small_base, taught, teachers=teachers)
    alone, learned = (weights(folder)["qa_outputs.weight"] for folder in results.values())
    assert not torch.equal(alone, learned)
    (stage,) = load_stages(results["taught"])
    assert stage["teachers"] == [load_stages(int8_reader)]
    assert "Teachers: 1;" in render_stage(stage)
    with pytest.raises(InvalidInput, match="the recipe's taught_share is 0; leave the teachers out"):
        train(data, tmp_path / "new", small_base, RECIPE, teachers=(int8_reader,))
    with pytest.raises(ModelError, match="none"):
        train(data, tmp_path / "new", small_base, taught, teachers=(tmp_path / "none",))
    assert not (tmp_path / "new").exists()


def test_rejects_data_without_an_answer(data: Path, small_base: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, mixture=(Source("labels.json", answerable=False, documents="docs"),))
    with pytest.raises(DatasetError, match="no answerable question is left to train on"):
        train(data, tmp_path / "work", small_base, recipe)
    assert not (tmp_path / "work").exists()
