from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from qa.errors import DatasetError, ModelError
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts.base_model import base_model_folder
from qa.training.artifacts.pooled_encoder import PooledEncoder, float_encoder
from qa.training.optim import contrastive
from qa.training.optim.contrastive import trained_on
from qa.training.recipe import load_embedder_recipe
from tests.training.data.test_examples import CONTEXTS, squad

RECIPE = replace(load_embedder_recipe("first"), passes=0.5, batch=4, rate=1e-4, warm_up_steps=1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for source in RECIPE.sources:
        squad(folder / source.file, CONTEXTS[:12])
    return folder


def weights(encoder: PooledEncoder) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in encoder.state_dict().items()}


def test_the_result_is_between_the_published_and_the_trained_weights(data: Path, tmp_path: Path) -> None:
    published = weights(float_encoder())
    made = {}
    for kept in (0.0, 0.5, 1.0):
        recipe = replace(RECIPE, kept_share=kept)
        made[kept] = weights(trained_on(data, [], tmp_path / str(kept), recipe, lambda _: None))
    name = "encoder.encoder.layer.3.attention.self.query.weight"
    assert torch.equal(made[1.0][name], published[name])
    assert (made[0.0][name] - published[name]).abs().max() > 1e-5
    torch.testing.assert_close(made[0.5][name], (published[name] + made[0.0][name]) / 2)
    words = "encoder.embeddings.word_embeddings.weight"
    torch.testing.assert_close(made[0.0][words], published[words])


def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrastive, "_SAVE_EVERY", 0)
    monkeypatch.setattr(contrastive, "_TELL_EVERY", 0)
    told: list[str] = []

    def stop(line: str) -> None:
        if line.startswith("step 3 "):
            raise KeyboardInterrupt

    recipe = replace(RECIPE, averaged_share=1.0, mined_share=0.5, bfloat16=True)
    whole = trained_on(data, [], tmp_path / "whole", recipe, told.append)
    with pytest.raises(KeyboardInterrupt):
        trained_on(data, [], tmp_path / "parts", recipe, stop)
    parts = trained_on(data, [], tmp_path / "parts", recipe, told.append)
    assert "resumed at step 2" in told
    one, other = weights(whole), weights(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(
        ModelError, match="parts: holds a training by another recipe, from another embedder or on other data"
    ):
        trained_on(data, [], tmp_path / "parts", replace(recipe, rate=1.0), told.append)
    squad(data / RECIPE.sources[0].file, CONTEXTS[:11])
    with pytest.raises(ModelError, match="on other data"):
        trained_on(data, [], tmp_path / "parts", recipe, told.append)


def test_training_goes_on_from_an_embedder_that_was_trained(data: Path, tmp_path: Path) -> None:
    first = trained_on(data, [], tmp_path / "first", replace(RECIPE, kept_share=0.0), lambda _: None)
    first.encoder.save_pretrained(tmp_path / "embedder")
    kept = replace(RECIPE, kept_share=1.0)
    further = trained_on(data, [], tmp_path / "further", kept, lambda _: None, origin=tmp_path / "embedder")
    one, other = weights(first), weights(further)
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(ModelError, match="further: holds a training by another recipe"):
        trained_on(data, [], tmp_path / "further", kept, lambda _: None)
    (data / RECIPE.sources[0].file).unlink()
    with pytest.raises(DatasetError, match=RECIPE.sources[0].file):
        trained_on(data, [], tmp_path / "further", kept, lambda _: None, origin=tmp_path / "embedder")


def test_questions_are_told_from_what_the_embedder_takes_for_likely(data: Path) -> None:
    contexts = ["Bread is baked in an oven.", "Ships cross the sea.", "A bakery sells loaves.", "Rain fell."]
    questions = ["Where is bread baked?", "What crosses the sea?"]
    tokenizer = load_tokenizer(base_model_folder() / "tokenizer.json")
    found = list(contrastive._by_cosine(float_encoder(), tokenizer, RECIPE, questions, contexts))
    assert [sorted(places) for places in found] == [[0, 1, 2, 3]] * 2
    assert [found[0][:2], found[1][0]] == [[0, 2], 1]
    by_words, half, all_of_them = (
        {
            (own.question, own.context.tobytes()): other.context.tobytes()
            for own, other in contrastive._pairs(
                data, [], replace(RECIPE, mined_share=share), float_encoder(), lambda _: None
            )
        }
        for share in (0.0, 0.5, 1.0)
    )
    changed = [sum(by_words.get(own) != other for own, other in made.items()) for made in (half, all_of_them)]
    assert 0 < changed[0] < changed[1]


def test_no_text_stands_twice_in_a_batch(data: Path) -> None:
    pairs = contrastive._pairs(data, [], RECIPE, float_encoder(), lambda _: None)
    texts = {feature.context.tobytes() for pair in pairs for feature in pair}
    batch, rest = contrastive._apart([pair for _ in range(3) for pair in pairs], 4)
    assert len(batch) == 4
    assert len(rest) == 3 * len(pairs) - 4
    assert len({id(feature.context) for pair in batch for feature in pair}) == 8 <= len(texts)


def test_a_passage_holds_the_answer_however_it_is_cut(data: Path) -> None:
    chooser = random.Random(1)
    for own, other in contrastive._pairs(data, [], RECIPE, float_encoder(), lambda _: None):
        assert own.answer
        answer = own.context[own.answer[0] : own.answer[1] + 1].tolist()
        made = contrastive._passage(own, replace(RECIPE, short_share=1.0), chooser)
        assert any(made[i : i + len(answer)] == answer for i in range(len(made)))
        assert other.answer is None


def test_too_few_texts_are_refused(data: Path, tmp_path: Path) -> None:
    assert len(contrastive._pairs(data, [], RECIPE, float_encoder(), lambda _: None)) > 12
    with pytest.raises(DatasetError, match="too few texts for a step of 12 questions"):
        trained_on(data, [], tmp_path / "work", replace(RECIPE, batch=12), lambda _: None)
