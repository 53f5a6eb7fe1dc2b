from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from qa.errors import DatasetError, ModelError
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.pooled_encoder import PooledEncoder, load_float_encoder
from qa.training.optim import contrastive
from qa.training.optim.contrastive import train_embedder
from qa.training.recipe import load_embedder_recipe
from tests.training.labelled_files import CONTEXTS, write_squad

pytestmark = pytest.mark.slow

RECIPE = replace(load_embedder_recipe("first"), passes=0.2, batch=4, rate=1e-4, warm_up_steps=1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for source in RECIPE.sources:
        write_squad(folder / source.file, CONTEXTS[:12])
    return folder


def weights(encoder: PooledEncoder) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in encoder.state_dict().items()}


@pytest.mark.usefixtures("shallow_encoder")
def test_result_is_between_published_and_trained_weights(data: Path, tmp_path: Path) -> None:
    published = weights(load_float_encoder())
    results = {}
    for kept in (0.0, 0.5, 1.0):
        recipe = replace(RECIPE, kept_share=kept)
        results[kept] = weights(train_embedder(data, [], tmp_path / str(kept), recipe, lambda _: None))
    name = "encoder.encoder.layer.0.attention.self.query.weight"
    assert torch.equal(results[1.0][name], published[name])
    assert (results[0.0][name] - published[name]).abs().max() > 1e-5
    torch.testing.assert_close(results[0.5][name], (published[name] + results[0.0][name]) / 2)
    words = "encoder.embeddings.word_embeddings.weight"
    torch.testing.assert_close(results[0.0][words], published[words])


@pytest.mark.usefixtures("shallow_encoder")
def test_resumed_training_gives_the_same_weights(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrastive, "_SAVE_SECONDS", 0)
    monkeypatch.setattr(contrastive, "_REPORT_SECONDS", 0)
    lines: list[str] = []

    def stop(line: str) -> None:
        if line.startswith("step 3 "):
            raise KeyboardInterrupt

    recipe = replace(RECIPE, averaged_share=1.0, mined_share=0.5, bfloat16=True)
    whole = train_embedder(data, [], tmp_path / "whole", recipe, lines.append)
    with pytest.raises(KeyboardInterrupt):
        train_embedder(data, [], tmp_path / "parts", recipe, stop)
    parts = train_embedder(data, [], tmp_path / "parts", recipe, lines.append)
    assert "resumed at step 2" in lines
    expected, resumed = weights(whole), weights(parts)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    with pytest.raises(ModelError, match="parts: belongs to a training with another start, recipe or data"):
        train_embedder(data, [], tmp_path / "parts", replace(recipe, rate=1.0), lines.append)
    write_squad(data / RECIPE.sources[0].file, CONTEXTS[:11])
    with pytest.raises(ModelError, match="another start, recipe or data"):
        train_embedder(data, [], tmp_path / "parts", recipe, lines.append)


@pytest.mark.usefixtures("shallow_encoder")
def test_training_starts_from_a_trained_embedder(data: Path, tmp_path: Path) -> None:
    first = train_embedder(data, [], tmp_path / "first", replace(RECIPE, kept_share=0.0), lambda _: None)
    first.encoder.save_pretrained(tmp_path / "embedder")
    kept = replace(RECIPE, kept_share=1.0)
    further = train_embedder(data, [], tmp_path / "further", kept, lambda _: None, origin=tmp_path / "embedder")
    before, after = weights(first), weights(further)
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(ModelError, match="further: belongs to a training with another start"):
        train_embedder(data, [], tmp_path / "further", kept, lambda _: None)
    (data / RECIPE.sources[0].file).unlink()
    with pytest.raises(DatasetError, match=RECIPE.sources[0].file):
        train_embedder(data, [], tmp_path / "further", kept, lambda _: None, origin=tmp_path / "embedder")


def test_embedder_ranks_hard_negatives(data: Path) -> None:
    contexts = ["Bread is baked in an oven.", "Ships cross the sea.", "A bakery sells loaves.", "Rain fell."]
    questions = ["Where is bread baked?", "What crosses the sea?"]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    rankings = list(contrastive._rank_by_cosine(load_float_encoder(), tokenizer, RECIPE, questions, contexts))
    assert [sorted(ranking) for ranking in rankings] == [[0, 1, 2, 3]] * 2
    assert [rankings[0][:2], rankings[1][0]] == [[0, 2], 1]
    by_bm25, half, by_embedder = (
        {
            (positive.question, positive.context.tobytes()): negative.context.tobytes()
            for positive, negative in contrastive._load_pairs(
                data, [], replace(RECIPE, mined_share=share), load_float_encoder(), lambda _: None
            )
        }
        for share in (0.0, 0.5, 1.0)
    )
    changed = [
        sum(by_bm25.get(positive) != negative for positive, negative in pairs.items()) for pairs in (half, by_embedder)
    ]
    assert 0 < changed[0] < changed[1]


@pytest.mark.usefixtures("shallow_encoder")
def test_no_context_is_twice_in_a_batch(data: Path) -> None:
    pairs = contrastive._load_pairs(data, [], RECIPE, load_float_encoder(), lambda _: None)
    texts = {feature.context.tobytes() for pair in pairs for feature in pair}
    batch, remaining = contrastive._next_batch([pair for _ in range(3) for pair in pairs], 4)
    assert len(batch) == 4
    assert len(remaining) == 3 * len(pairs) - 4
    assert len({id(feature.context) for pair in batch for feature in pair}) == 8 <= len(texts)


@pytest.mark.usefixtures("shallow_encoder")
def test_passage_contains_the_answer_in_a_short_window(data: Path) -> None:
    chooser = random.Random(1)
    for positive, negative in contrastive._load_pairs(data, [], RECIPE, load_float_encoder(), lambda _: None):
        assert positive.answer
        answer = positive.context[positive.answer[0] : positive.answer[1] + 1].tolist()
        passage = contrastive._make_passage(positive, replace(RECIPE, short_share=1.0), chooser)
        assert any(passage[i : i + len(answer)] == answer for i in range(len(passage)))
        assert negative.answer is None


@pytest.mark.usefixtures("shallow_encoder")
def test_rejects_too_few_texts_for_a_batch(data: Path, tmp_path: Path) -> None:
    assert len(contrastive._load_pairs(data, [], RECIPE, load_float_encoder(), lambda _: None)) > 12
    with pytest.raises(DatasetError, match="too few texts for a batch of 12 questions"):
        train_embedder(data, [], tmp_path / "work", replace(RECIPE, batch=12), lambda _: None)
