from __future__ import annotations

import itertools
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertForQuestionAnswering

from qa.errors import InvalidInput, ModelError
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.dequantise import load_dequantised
from qa.training.artifacts.stages import load_stages, render_stage
from qa.training.data.features import Feature
from qa.training.optim import reader
from qa.training.optim.reader import train_reader
from qa.training.recipe import BASE_RECIPE, load_recipe
from tests.training.data.test_examples import CONTEXTS, write_squad

pytestmark = pytest.mark.slow

RECIPE = replace(
    load_recipe(BASE_RECIPE),
    tokens=700,
    batch=4,
    warm_up_steps=2,
    negatives=5,
    wrong_passages=2,
    shared_weight=0.5,
    answerability_weight=2.0,
    ranked_weight=1.0,
    altered=3,
    dropout=0.1,
    averaged_share=0.5,
    bfloat16=False,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for source in (*RECIPE.warm_up, *RECIPE.mixture):
        write_squad(folder / source.file, CONTEXTS[:12])
        content = json.loads((folder / source.file).read_text())
        for n, paragraph in enumerate(content["data"][0]["paragraphs"][::3]):
            paragraph["qas"].append({"id": f"{n}", "question": "Why?", "answers": [], "is_impossible": True})
        (folder / source.file).write_text(json.dumps({**content, "version": "2"}))
    return folder


@pytest.fixture
def small_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a real but much smaller network with the real tokenizer."""
    config = BertConfig.from_pretrained(
        base_model_folder(), attn_implementation="eager", attention_probs_dropout_prob=0
    )
    config.hidden_size, config.num_attention_heads, config.intermediate_size = 64, 2, 128

    def untrained(dropout: float = 0.0) -> BertForQuestionAnswering:
        config.hidden_dropout_prob = dropout
        return BertForQuestionAnswering(config)

    monkeypatch.setattr(reader, "untrained_reader", untrained)


@pytest.mark.usefixtures("small_base")
def test_resumed_training_gives_the_same_weights(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_SAVE_SECONDS", 0)
    monkeypatch.setattr(reader, "_REPORT_SECONDS", 0)
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if line.startswith("step 4 "):
            raise KeyboardInterrupt

    whole = train_reader(data, [], tmp_path / "whole", RECIPE, 2, lines.append)
    with pytest.raises(KeyboardInterrupt):
        train_reader(data, [], tmp_path / "parts", RECIPE, 2, stop)
    parts = train_reader(data, [], tmp_path / "parts", RECIPE, 2, lines.append)
    assert "resumed at step 3" in lines
    expected, resumed = load_file(whole / "model.safetensors"), load_file(parts / "model.safetensors")
    assert set(expected) == set(resumed)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    assert (whole / "recipe.json").read_text() == (parts / "recipe.json").read_text()


def test_training_starts_from_the_shipped_reader(data: Path, tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    start = BertForQuestionAnswering(BertConfig.from_pretrained(base_model_folder()))
    load_dequantised(start, shipped.graph)
    further = replace(RECIPE, rate=1e-6, head_rate=1e-6)
    finished = train_reader(data, [], tmp_path / "work", further, 2, lambda _: None, shipped)
    trained = load_file(finished / "model.safetensors")
    for name in ("bert.encoder.layer.3.attention.self.query.weight", "qa_outputs.weight"):
        change = (trained[name] - start.state_dict()[name]).abs()
        assert 0 < change.max() < 1e-3
    *earlier, last = load_stages(finished)
    assert earlier == load_stages(shipped.folder)
    assert (last["start"], last["tokens"]) == (shipped.identity, RECIPE.tokens)
    assert "| tokens | 700 |" in render_stage(last)


@pytest.mark.usefixtures("small_base")
def test_answerability_and_ranking_weights_change_the_result(data: Path, tmp_path: Path) -> None:
    heads = {}
    for answerability, ranked in ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0)):
        recipe = replace(
            RECIPE, tokens=1000, batch=64, warm_up=(), answerability_weight=answerability, ranked_weight=ranked
        )
        finished = train_reader(data, [], tmp_path / f"{answerability}-{ranked}", recipe, 2, lambda _: None)
        heads[answerability, ranked] = load_file(finished / "model.safetensors")["qa_outputs.weight"].numpy().tobytes()
        assert f"| ranked_weight | {ranked} |" in render_stage(load_stages(finished)[-1])
    assert len(set(heads.values())) == 3


def test_questions_are_grouped_by_context_in_random_order() -> None:
    contexts = [np.arange(3, dtype=np.int32) for _ in range(40)]
    # Every other context has eight questions, the rest have one.
    questions = [(Feature((n,), context, None),) for n, context in enumerate(contexts) for _ in range(1 + 7 * (n % 2))]
    positions = []
    for seed in range(30):
        chooser = random.Random(seed)
        order = reader._group_by_context(chooser.sample(questions, len(questions)), chooser)
        assert sorted(q[0].question for q in order) == sorted(q[0].question for q in questions)
        numbers = [feature.question[0] for (feature,) in order]
        changes = sum(number != following for number, following in itertools.pairwise(numbers))
        assert changes == len(contexts) - 1
        positions += [position for position, number in enumerate(numbers) if number % 2 == 0]
    # Contexts with one question are as likely to come early as late.
    assert 0.4 < np.mean(positions) / len(questions) < 0.6


@pytest.mark.usefixtures("small_base")
def test_work_folder_belongs_to_one_training(data: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, tokens=100)
    finished = train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    before = (finished / "model.safetensors").read_bytes()
    train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    assert (finished / "model.safetensors").read_bytes() == before
    assert len(load_stages(finished)) == 1
    with pytest.raises(ModelError, match="work: belongs to a training with another start, recipe or data"):
        train_reader(data, [], tmp_path / "work", replace(short, rate=1.0), 2, lambda _: None)
    with pytest.raises(ModelError, match="work: belongs to a training"):
        train_reader(data, [], tmp_path / "work", short, 2, lambda _: None, open_model_folder(WEIGHTS / "reader"))
    write_squad(data / RECIPE.mixture[0].file, CONTEXTS[:11])
    with pytest.raises(ModelError, match="another start, recipe or data"):
        train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    copy = tmp_path / "copy"
    shutil.copytree(WEIGHTS / "reader", copy)
    (copy / "recipe.json").unlink()
    with pytest.raises(ModelError, match=r"recipe\.json: not the training history of a reader"):
        train_reader(data, [], tmp_path / "new", short, 2, lambda _: None, open_model_folder(copy))
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("small_base")
def test_result_is_the_mean_of_the_weights_of_each_step(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    step = reader._step

    def recorded(model: BertForQuestionAnswering, *rest: Any) -> float:
        loss = step(model, *rest)
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return loss

    monkeypatch.setattr(reader, "_step", recorded)
    short = replace(RECIPE, tokens=250, averaged_share=1.0)
    finished = train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    result = load_file(finished / "model.safetensors")
    assert len(seen) > 1
    for name in ("bert.encoder.layer.3.attention.self.query.weight", "qa_outputs.bias"):
        assert torch.allclose(result[name], torch.stack([weights[name] for weights in seen]).mean(0), atol=1e-7)
        assert not torch.allclose(result[name], seen[-1][name], atol=1e-7)


@pytest.mark.usefixtures("small_base")
def test_adversarial_step_changes_the_result(data: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, tokens=150, averaged_share=0.0)
    results = [
        load_file(train_reader(data, [], tmp_path / str(length), recipe, 2, lambda _: None) / "model.safetensors")
        for length in (0.0, 1e-6, 0.5)
        for recipe in (replace(short, adversarial=length, dropout=0.0),)
    ]
    name = "bert.encoder.layer.3.attention.self.query.weight"
    plain, tiny, large = (weights[name] for weights in results)
    assert torch.allclose(plain, tiny, atol=2e-5)
    assert (plain - large).abs().max() > 10 * (plain - tiny).abs().max()


def test_reader_learns_from_teachers_of_any_depth(data: Path, tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    further = replace(RECIPE, tokens=150, averaged_share=0.0)
    deep = train_reader(data, [], tmp_path / "deep", replace(further, layers=12), 2, lambda _: None, shipped)
    assert BertConfig.from_pretrained(deep).num_hidden_layers == 12
    results = {}
    for name, teachers in {"shipped": [shipped.folder], "both": [shipped.folder, deep]}.items():
        taught = replace(further, taught_share=1.0, shared_weight=0.0)
        work = tmp_path / name
        results[name] = train_reader(data, [], work, taught, 2, lambda _: None, shipped, teachers=teachers)
        # Stages that the student shares with a teacher are not repeated.
        assert load_stages(results[name])[-1]["teachers"] == [[], load_stages(deep)[-1:]][: len(teachers)]
        assert f"Teachers: {len(teachers)};" in render_stage(load_stages(results[name])[-1])
    single, both = (load_file(folder / "model.safetensors") for folder in results.values())
    assert not torch.equal(single["qa_outputs.weight"], both["qa_outputs.weight"])
    with pytest.raises(ModelError, match="belongs to a training with another start"):
        train_reader(data, [], tmp_path / "both", taught, 2, lambda _: None, shipped, teachers=[shipped.folder])
    for recipe, teachers in ((further, [shipped.folder]), (taught, [])):
        with pytest.raises(InvalidInput, match="give teachers if, and only if, the recipe's taught_share is above 0"):
            train_reader(data, [], tmp_path / "new", recipe, 2, lambda _: None, shipped, teachers=teachers)
    (tmp_path / "none").mkdir()
    with pytest.raises(ModelError, match="none"):
        train_reader(data, [], tmp_path / "new", taught, 2, lambda _: None, shipped, teachers=[tmp_path / "none"])
    assert not (tmp_path / "new").exists()


def test_training_changes_the_encoder_but_not_the_word_embeddings(data: Path, tmp_path: Path) -> None:
    finished = train_reader(data, [], tmp_path / "work", RECIPE, 2, lambda _: None)
    trained, base = load_file(finished / "model.safetensors"), load_file(base_model_folder() / "model.safetensors")
    words = "embeddings.word_embeddings.weight"
    assert torch.equal(trained[f"bert.{words}"], base[words])
    layer = "encoder.layer.5.output.dense.weight"
    assert not torch.equal(trained[f"bert.{layer}"], base[layer])
