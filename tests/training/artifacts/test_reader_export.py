from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import InvalidInput
from qa.models.model_folder import open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import OpenVINOReader, Pair
from qa.training.artifacts import reader_export
from qa.training.artifacts.reader_export import check_output, export_reader
from qa.training.artifacts.stages import load_stages
from tests.training.labelled_files import CONTEXTS, FILES, document_text

pytestmark = pytest.mark.slow


def test_exported_reader_can_be_used(int8_reader: Path, float_reader: Path) -> None:
    reader = OpenVINOReader(open_model_folder(int8_reader), 1)
    texts = [CONTEXTS[7], document_text(FILES[0])]
    for logits in reader.read_batch([Pair("Who opened a shop?", ReaderText(text)) for text in texts]):
        (window,) = logits.windows
        assert len(window.start) == len(window.end) == len(window.evidence) == len(logits.offsets)
    assert load_stages(int8_reader) == load_stages(float_reader)
    card = (int8_reader / "README.md").read_text()
    assert "- Base model: small-base, 2 layers, 64 dimensions, with a span head and an evidence head." in card
    assert "`labels.json` (on documents, passes: 1)" in card


def test_samples_are_from_documents_and_plain_contexts(
    float_reader: Path, reader_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_tokenizer(float_reader / "tokenizer.json")

    def sample() -> list[str]:
        pairs = reader_export._make_samples(reader_data, load_stages(float_reader), tokenizer, seed=1)
        return [tokenizer.decode(ids.tolist()) for ids, _ in pairs]

    samples = sample()
    assert any("oil the belt" in text for text in samples)
    assert any("opened shop number" in text for text in samples)
    monkeypatch.setattr(reader_export, "SAMPLES", 5)
    assert len(sample()) == 5


def test_earlier_calibration_is_deleted(float_reader: Path, reader_data: Path, tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text("{}")
    export_reader(float_reader, reader_data, tmp_path)
    assert not (tmp_path / "calibration.json").exists()


def test_rejects_the_folder_of_the_starting_reader(float_reader: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="this is the folder of the starting model"):
        check_output(float_reader, float_reader)
    check_output(tmp_path / "new", float_reader)
    assert (tmp_path / "new").is_dir()
