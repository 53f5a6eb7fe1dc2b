"""Test the embedder with a tiny sentence-transformers model that is built and saved here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel, BertTokenizerFast

from qa.config import Settings
from qa.errors import Conflict, ModelError
from qa.factory import build_engine
from qa.models.sentence_transformers_embedder import SentenceTransformerEmbedder
from qa.types import Document
from tests.conftest import golden_documents


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = BertWordPieceTokenizer(lowercase=True)
    vocabulary.train([str(path) for path in golden_documents()], vocab_size=800, show_progress=False)
    vocabulary.save_model(str(folder))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    config = BertConfig(
        vocab_size=vocabulary.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"))
    model = SentenceTransformer(
        modules=[transformer, Pooling(32)], prompts={"query": "question: ", "document": "passage: "}
    )
    model.save(str(folder / "model"))
    return folder / "model"


def test_encodes_questions_and_passages_with_their_prompts(tiny: Path) -> None:
    embedder = SentenceTransformerEmbedder(str(tiny), 1)
    texts = ["The library opens at nine.", "Trains"]
    questions, passages = embedder.encode_questions(texts), embedder.encode_passages(texts)
    assert questions.shape == passages.shape == (2, embedder.dimension) == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(questions, axis=1), 1, atol=1e-5)
    model = SentenceTransformer(str(tiny), device="cpu")
    np.testing.assert_allclose(
        questions, model.encode(texts, prompt="question: ", normalize_embeddings=True), atol=1e-5
    )
    np.testing.assert_allclose(passages, model.encode(texts, prompt="passage: ", normalize_embeddings=True), atol=1e-5)
    assert np.abs(questions - passages).max() > 1e-3


def test_token_starts_are_offsets_in_the_text(tiny: Path) -> None:
    embedder = SentenceTransformerEmbedder(str(tiny), 1)
    assert list(embedder.token_starts("the  library"))[:2] == [0, 5]
    assert len(embedder.token_starts("the " * 1000)) == 1000


def test_engine_uses_it_for_a_new_index_but_not_for_one_of_another_embedder(tiny: Path, tmp_path: Path) -> None:
    engine = build_engine(Settings(index_dir=tmp_path, embedder=str(tiny)))
    engine.indexes.get_or_create("default")
    text = "The library opens at nine in the morning."
    engine.add([Document("hours", text)])
    (answer,) = engine.ask("When does the library open?", top_k=1, min_confidence=0.0).answers
    assert answer.span.of(text) == answer.text
    engine.close()
    shipped = build_engine(Settings(index_dir=tmp_path))
    with pytest.raises(Conflict, match="was built with embedder"):
        shipped.ask("When does the library open?")
    assert len(shipped.indexes._open) == 0


def test_names_the_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot load embedder .*nothing-here"):
        SentenceTransformerEmbedder(str(tmp_path / "nothing-here"), 1)


@pytest.mark.parametrize("package", ["sentence_transformers", "torch"])
def test_names_the_extra_when_sentence_transformers_is_not_installed(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    expected = (
        r"^the embedder 'some/model' needs sentence-transformers; "
        r"install it with: pip install 'spanlight\[models\]'$"
    )
    with pytest.raises(ModelError, match=expected):
        SentenceTransformerEmbedder("some/model", 1)
