from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from qa.engine import Engine
from qa.errors import ModelError
from qa.models.inference import pad
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair
from qa.training.artifacts.dequantise import load_float_embedder
from qa.training.artifacts.pooled_encoder import load_float_encoder
from tests.conftest import golden_documents

TEXTS = [
    "When does the library open?",
    "",
    "🙂 " * 40,
    *(text for path in golden_documents() for text in path.read_text(encoding="utf-8").split("\n\n")),
]


def test_batching_does_not_change_a_bit(shipped: Engine) -> None:
    batched = shipped.embedder.encode_passages(TEXTS)
    single = np.concatenate([shipped.embedder.encode_passages([text]) for text in TEXTS])
    assert (batched == single).all()
    pairs = [
        Pair("Who said so?", ReaderText(text), "A title" if number % 2 else "")
        for number, text in enumerate(TEXTS[3:12])
    ]
    for single_logits, (pair, batched_logits) in zip(
        [shipped.reader.read_batch([pair])[0] for pair in pairs],
        zip(pairs, shipped.reader.read_batch(pairs), strict=True),
        strict=True,
    ):
        for a, b in zip(single_logits.windows, batched_logits.windows, strict=True):
            assert a.null == b.null, pair
            assert (a.start == b.start).all()
            assert (a.end == b.end).all()


def test_vectors_have_unit_length(shipped: Engine) -> None:
    np.testing.assert_allclose(np.linalg.norm(shipped.embedder.encode_passages(TEXTS), axis=1), 1, atol=1e-5)
    assert shipped.embedder.encode_questions([]).shape == (0, 384)


@pytest.mark.parametrize("published", [False, True])
def test_int8_embedder_is_close_to_its_float_weights_and_to_the_published_ones(
    shipped: Engine, published: bool
) -> None:
    tokenizer = load_tokenizer(WEIGHTS / "embedder" / "tokenizer.json")
    network = load_float_encoder() if published else load_float_embedder(WEIGHTS / "embedder")
    cosines = []
    for text in TEXTS[3:40:4]:
        ids = torch.tensor([tokenizer.encode(text).ids[:256]])
        with torch.no_grad():
            expected = network(ids, torch.ones_like(ids), torch.zeros_like(ids))[0].numpy()
        cosines.append(float(shipped.embedder.encode_passages([text])[0] @ expected))
    # The shipped weights are the mean of the published ones and of ones fine-tuned from them.
    assert np.mean(cosines) >= (0.97 if published else 0.999)


def test_token_starts_covers_every_token(shipped: Engine) -> None:
    text = "word " * 1000
    assert list(shipped.embedder.token_starts(text)) == list(range(0, 5000, 5))


def test_pads_to_the_next_multiple_of_16() -> None:
    for length, expected in ((1, 16), (16, 16), (17, 32)):
        inputs = pad(np.ones(length, np.int64), np.zeros(length, np.int64))
        assert inputs["input_ids"].shape == (1, expected)
        assert inputs["attention_mask"].sum() == length


@pytest.mark.parametrize("name", ["embedder", "reader"])
def test_rejects_changed_or_missing_weights(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(WEIGHTS / name, folder)
    assert open_model_folder(folder) == open_model_folder(folder)
    data = bytearray((folder / "model.bin").read_bytes())
    data[1000] ^= 1
    (folder / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.bin: its SHA-256 differs from manifest\.json"):
        open_model_folder(folder)
    (folder / "model.bin").unlink()
    with pytest.raises(ModelError, match="not a model folder"):
        open_model_folder(folder)
