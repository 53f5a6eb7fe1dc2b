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
from qa.training.artifacts.stages import as_markdown, stages
from qa.training.data.features import Feature
from qa.training.optim import reader
from qa.training.optim.reader import train_reader
from qa.training.recipe import FIRST, load_recipe
from tests.training.data.test_examples import CONTEXTS, squad

RECIPE = replace(
    load_recipe(FIRST),
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
        squad(folder / source.file, CONTEXTS[:12])
        content = json.loads((folder / source.file).read_text())
        for n, paragraph in enumerate(content["data"][0]["paragraphs"][::3]):
            paragraph["qas"].append({"id": f"{n}", "question": "Why?", "answers": [], "is_impossible": True})
        (folder / source.file).write_text(json.dumps({**content, "version": "2"}))
    return folder


def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SAVE_EVERY", 0)
    monkeypatch.setattr(reader, "_TELL_EVERY", 0)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if line.startswith("step 4 "):
            raise KeyboardInterrupt

    whole = train_reader(data, [], tmp_path / "whole", RECIPE, 2, told.append)
    with pytest.raises(KeyboardInterrupt):
        train_reader(data, [], tmp_path / "parts", RECIPE, 2, stop)
    parts = train_reader(data, [], tmp_path / "parts", RECIPE, 2, told.append)
    assert "resumed at step 3" in told
    one, other = load_file(whole / "model.safetensors"), load_file(parts / "model.safetensors")
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (whole / "recipe.json").read_text() == (parts / "recipe.json").read_text()


def test_a_shipped_reader_is_trained_on(data: Path, tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    began = BertForQuestionAnswering(BertConfig.from_pretrained(base_model_folder()))
    load_dequantised(began, shipped.graph)
    further = replace(RECIPE, rate=1e-6, head_rate=1e-6)
    finished = train_reader(data, [], tmp_path / "work", further, 2, lambda _: None, shipped)
    trained = load_file(finished / "model.safetensors")
    for name in ("bert.encoder.layer.3.attention.self.query.weight", "qa_outputs.weight"):
        moved = (trained[name] - began.state_dict()[name]).abs()
        assert 0 < moved.max() < 1e-3
    made = stages(finished)
    assert made[:-1] == stages(shipped.folder)
    assert (made[-1]["start"], made[-1]["tokens"]) == (shipped.identity, RECIPE.tokens)
    assert "| tokens | 700 |" in as_markdown(made[-1])


def test_whether_there_is_an_answer_is_learned_apart_and_compared(data: Path, tmp_path: Path) -> None:
    heads = {}
    for answerability, ranked in ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0)):
        recipe = replace(
            RECIPE, tokens=1000, batch=64, warm_up=(), answerability_weight=answerability, ranked_weight=ranked
        )
        finished = train_reader(data, [], tmp_path / f"{answerability}-{ranked}", recipe, 2, lambda _: None)
        heads[answerability, ranked] = load_file(finished / "model.safetensors")["qa_outputs.weight"].numpy().tobytes()
        assert f"| ranked_weight | {ranked} |" in as_markdown(stages(finished)[-1])
    assert len(set(heads.values())) == 3


def test_a_pass_has_a_contexts_questions_together_and_contexts_in_any_order() -> None:
    contexts = [np.arange(3, dtype=np.int32) for _ in range(40)]
    # Every second context was asked eight questions, the others one.
    questions = [(Feature((n,), context, None),) for n, context in enumerate(contexts) for _ in range(1 + 7 * (n % 2))]
    places = []
    for seed in range(30):
        chooser = random.Random(seed)
        order = reader._by_context(chooser.sample(questions, len(questions)), chooser)
        assert sorted(q[0].question for q in order) == sorted(q[0].question for q in questions)
        asked = [feature.question[0] for (feature,) in order]
        changes = sum(one != other for one, other in itertools.pairwise(asked))
        assert changes == len(contexts) - 1
        places += [place for place, context in enumerate(asked) if context % 2 == 0]
    # Contexts of one question are as likely to come early as late.
    assert 0.4 < np.mean(places) / len(questions) < 0.6


def test_a_folder_holds_one_training(data: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, tokens=100)
    finished = train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    before = (finished / "model.safetensors").read_bytes()
    train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    assert (finished / "model.safetensors").read_bytes() == before
    assert len(stages(finished)) == 1
    with pytest.raises(
        ModelError, match="work: holds a training from another start, by another recipe or on other data"
    ):
        train_reader(data, [], tmp_path / "work", replace(short, rate=1.0), 2, lambda _: None)
    with pytest.raises(ModelError, match="work: holds a training"):
        train_reader(data, [], tmp_path / "work", short, 2, lambda _: None, open_model_folder(WEIGHTS / "reader"))
    squad(data / RECIPE.mixture[0].file, CONTEXTS[:11])
    with pytest.raises(ModelError, match="on other data"):
        train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    other = tmp_path / "other"
    shutil.copytree(WEIGHTS / "reader", other)
    (other / "recipe.json").unlink()
    with pytest.raises(ModelError, match=r"recipe\.json: not the recipe of a reader"):
        train_reader(data, [], tmp_path / "new", short, 2, lambda _: None, open_model_folder(other))
    assert not (tmp_path / "new").exists()


def test_the_reader_is_the_mean_of_the_weights_along_the_way(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    step = reader._step

    def watched(model: BertForQuestionAnswering, *rest: Any) -> float:
        loss = step(model, *rest)
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return loss

    monkeypatch.setattr(reader, "_step", watched)
    short = replace(RECIPE, tokens=250, averaged_share=1.0)
    finished = train_reader(data, [], tmp_path / "work", short, 2, lambda _: None)
    made = load_file(finished / "model.safetensors")
    assert len(seen) > 1
    for name in ("bert.encoder.layer.3.attention.self.query.weight", "qa_outputs.bias"):
        assert torch.allclose(made[name], torch.stack([weights[name] for weights in seen]).mean(0), atol=1e-7)
        assert not torch.allclose(made[name], seen[-1][name], atol=1e-7)


def test_an_adversarial_step_changes_what_is_learnt(data: Path, tmp_path: Path) -> None:
    short = replace(RECIPE, tokens=150, averaged_share=0.0)
    made = [
        load_file(train_reader(data, [], tmp_path / str(length), recipe, 2, lambda _: None) / "model.safetensors")
        for length in (0.0, 1e-6, 0.5)
        for recipe in (replace(short, adversarial=length, dropout=0.0),)
    ]
    name = "bert.encoder.layer.3.attention.self.query.weight"
    plain, next_to_nothing, far = (weights[name] for weights in made)
    assert torch.allclose(plain, next_to_nothing, atol=2e-5)
    assert (plain - far).abs().max() > 10 * (plain - next_to_nothing).abs().max()


def test_a_reader_learns_from_teachers_of_any_depth(data: Path, tmp_path: Path) -> None:
    shipped = open_model_folder(WEIGHTS / "reader")
    further = replace(RECIPE, tokens=150, averaged_share=0.0)
    deep = train_reader(data, [], tmp_path / "deep", replace(further, layers=12), 2, lambda _: None, shipped)
    assert BertConfig.from_pretrained(deep).num_hidden_layers == 12
    made = {}
    for name, teachers in {"shipped": [shipped.folder], "both": [shipped.folder, deep]}.items():
        taught = replace(further, taught_share=1.0, shared_weight=0.0)
        work = tmp_path / name
        made[name] = train_reader(data, [], work, taught, 2, lambda _: None, shipped, teachers=teachers)
        # What the learner itself has been through is not told twice.
        assert stages(made[name])[-1]["teachers"] == [[], stages(deep)[-1:]][: len(teachers)]
        assert f"Teachers: {len(teachers)};" in as_markdown(stages(made[name])[-1])
    one, other = (load_file(folder / "model.safetensors") for folder in made.values())
    assert not torch.equal(one["qa_outputs.weight"], other["qa_outputs.weight"])
    with pytest.raises(ModelError, match="holds a training from another start"):
        train_reader(data, [], tmp_path / "both", taught, 2, lambda _: None, shipped, teachers=[shipped.folder])
    for recipe, teachers in ((further, [shipped.folder]), (taught, [])):
        with pytest.raises(InvalidInput, match="teachers and the recipe's taught_share go together"):
            train_reader(data, [], tmp_path / "new", recipe, 2, lambda _: None, shipped, teachers=teachers)
    (tmp_path / "none").mkdir()
    with pytest.raises(ModelError, match="none"):
        train_reader(data, [], tmp_path / "new", taught, 2, lambda _: None, shipped, teachers=[tmp_path / "none"])
    assert not (tmp_path / "new").exists()


def test_training_learns_and_leaves_word_embeddings_alone(data: Path, tmp_path: Path) -> None:
    finished = train_reader(data, [], tmp_path / "work", RECIPE, 2, lambda _: None)
    trained, base = load_file(finished / "model.safetensors"), load_file(base_model_folder() / "model.safetensors")
    words = "embeddings.word_embeddings.weight"
    assert torch.equal(trained[f"bert.{words}"], base[words])
    layer = "encoder.layer.5.output.dense.weight"
    assert not torch.equal(trained[f"bert.{layer}"], base[layer])
