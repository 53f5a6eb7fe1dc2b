from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from qa.errors import ModelError
from qa.models.inference import Graph
from qa.models.model_folder import open_model_folder, write_manifest
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import build_input
from qa.reading.passage_tokens import ReaderText
from qa.training.data.features import QuestionFeatures, tokenize_questions
from qa.training.data.passage_examples import PassageExample
from qa.training.data.reader_questions import TrainingQuestion
from qa.training.optim.teachers import add_teachers

pytestmark = pytest.mark.slow

TEXT = "Rules:\n\n- Oil the belt.\n- Wear gloves."


def features(folder: Path, text: str, *, on_document: bool = False) -> list[QuestionFeatures]:
    example = PassageExample("Who oils it?", "Belts.", ReaderText(text), ())
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    return tokenize_questions([TrainingQuestion((example, example), on_document)], tokenizer)


def test_probabilities_are_those_of_the_plain_passage(int8_reader: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(int8_reader / "tokenizer.json")
    (question,) = add_teachers(features(int8_reader, TEXT), [int8_reader] * 2, tokenizer, 1, tmp_path / "taught.npz")
    first, second = question.passages
    assert second.taught is None
    assert first.taught is not None
    assert first.taught.sum(1) == pytest.approx([1, 1], abs=1e-5)
    asked, titles, passage = (
        tokenizer.encode(text, add_special_tokens=False).ids for text in ("Who oils it?", "Belts.", TEXT)
    )
    encoded = build_input(asked, passage, 0, titles)
    (output,) = Graph(int8_reader / "model.xml", 1).run([(encoded.ids, encoded.types)])
    logits = np.stack([part[[0, *range(encoded.offset, len(encoded.ids) - 1)]] for part in output[:2]])
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    is_word = np.concatenate([[True], first.tokens.offsets[:, 0] >= 0])
    np.testing.assert_allclose(first.taught[:, is_word], expected, atol=1e-5)
    # Marks for line ends are added for the student.
    assert not is_word.all()
    assert not first.taught[:, ~is_word].any()


def test_long_passages_and_documents_have_no_teacher(int8_reader: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(int8_reader / "tokenizer.json")
    for name, questions in {
        "long": features(int8_reader, TEXT * 40),
        "document": features(int8_reader, TEXT, on_document=True),
    }.items():
        (question,) = add_teachers(questions, [int8_reader], tokenizer, 1, tmp_path / f"{name}.npz")
        assert [feature.taught for feature in question.passages] == [None, None]


def test_rejects_a_teacher_with_another_vocabulary(int8_reader: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(int8_reader / "tokenizer.json")
    folder = Path(shutil.copytree(int8_reader, tmp_path / "teacher"))
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["vocab"]["surelynotaword"] = 30522
    (folder / "tokenizer.json").write_text(json.dumps(content))
    write_manifest(folder, open_model_folder(int8_reader).name)
    with pytest.raises(ModelError, match="teacher: this teacher has another vocabulary"):
        add_teachers(features(int8_reader, TEXT), [folder], tokenizer, 1, tmp_path / "taught.npz")


def test_a_resumed_training_takes_the_probabilities_from_its_file(int8_reader: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(int8_reader / "tokenizer.json")
    questions = [*features(int8_reader, TEXT, on_document=True), *features(int8_reader, TEXT)]
    cache = tmp_path / "taught.npz"
    _, expected = add_teachers(questions, [int8_reader], tokenizer, 1, cache)
    # The teacher is not opened again.
    document, resumed = add_teachers(questions, [tmp_path / "removed"], tokenizer, 1, cache)
    assert document.passages[0].taught is None
    assert expected.passages[0].taught is not None
    np.testing.assert_array_equal(resumed.passages[0].taught, expected.passages[0].taught)
