from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from qa.engine import Engine
from qa.errors import ModelError
from qa.models.inference import padded
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.reading.reader import Pair
from qa.training.artifacts.dequantise import float_embedder
from qa.training.artifacts.pooled_encoder import float_encoder
from tests.conftest import golden_documents

TEXTS = [
    "When does the library open?",
    "",
    "🙂 " * 40,
    *(text for path in golden_documents() for text in path.read_text(encoding="utf-8").split("\n\n")),
]


def test_alone_and_together_are_equal_to_the_bit(shipped: Engine) -> None:
    together = shipped.embedder.encode_passages(TEXTS)
    alone = np.concatenate([shipped.embedder.encode_passages([text]) for text in TEXTS])
    assert (together == alone).all()
    pairs = [Pair("Who said so?", text, "A title" if place % 2 else "") for place, text in enumerate(TEXTS[3:12])]
    for one, (pair, many) in zip(
        [shipped.reader.read_batch([pair])[0] for pair in pairs],
        zip(pairs, shipped.reader.read_batch(pairs), strict=True),
        strict=True,
    ):
        for a, b in zip(one.windows, many.windows, strict=True):
            assert a.null == b.null, pair
            assert (a.start == b.start).all()
            assert (a.end == b.end).all()


def test_vectors_are_of_unit_length(shipped: Engine) -> None:
    np.testing.assert_allclose(np.linalg.norm(shipped.embedder.encode_passages(TEXTS), axis=1), 1, atol=1e-5)
    assert shipped.embedder.encode_questions([]).shape == (0, 384)


@pytest.mark.parametrize("published", [False, True])
def test_the_int8_embedder_is_near_its_weights_in_float_and_the_published_ones(
    shipped: Engine, published: bool
) -> None:
    tokenizer = load_tokenizer(WEIGHTS / "embedder" / "tokenizer.json")
    network = float_encoder() if published else float_embedder(WEIGHTS / "embedder")
    cosines = []
    for text in TEXTS[3:40]:
        ids = torch.tensor([tokenizer.encode(text).ids[:256]])
        with torch.no_grad():
            expected = network(ids, torch.ones_like(ids), torch.zeros_like(ids))[0].numpy()
        cosines.append(float(shipped.embedder.encode_passages([text])[0] @ expected))
    # It was trained on from the published weights, and has half of them.
    assert np.mean(cosines) >= (0.97 if published else 0.999)


def test_token_starts_are_those_of_every_token(shipped: Engine) -> None:
    text = "word " * 1000
    assert list(shipped.embedder.token_starts(text)) == list(range(0, 5000, 5))


def test_inputs_are_padded_to_their_own_length() -> None:
    for length, expected in ((1, 16), (16, 16), (17, 32)):
        made = padded(np.ones(length, np.int64), np.zeros(length, np.int64))
        assert made["input_ids"].shape == (1, expected)
        assert made["attention_mask"].sum() == length


@pytest.mark.parametrize("name", ["embedder", "reader"])
def test_weights_that_were_changed_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(WEIGHTS / name, folder)
    assert open_model_folder(folder) == open_model_folder(folder)
    data = bytearray((folder / "model.bin").read_bytes())
    data[1000] ^= 1
    (folder / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match="not the file that was shipped"):
        open_model_folder(folder)
    (folder / "model.bin").unlink()
    with pytest.raises(ModelError, match="not a model folder"):
        open_model_folder(folder)
