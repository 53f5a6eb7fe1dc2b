"""Export of a trained reader to the shipped form: a static int8 graph with its training history and model card."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertForQuestionAnswering

from qa.errors import InvalidInput
from qa.models.tokenization import load_tokenizer
from qa.reading.calibration import CALIBRATION
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.training.artifacts.base_model import base_model_folder, silence_transformers
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.int8_export import Pair, export_int8
from qa.training.artifacts.model_card import write_card
from qa.training.artifacts.stages import load_stages, write_stages
from qa.training.calibration.reliability import DIAGRAM
from qa.training.data.examples import HELD_OUT_PERCENT, Source, load_training_examples
from qa.training.data.features import make_input, tokenize_examples

NAME = "spanlight-reader-int8"
SAMPLES = 300


class SpanLogits(torch.nn.Module):
    """A reader as a module that returns start and end logits as a tuple."""

    def __init__(self, network: BertForQuestionAnswering) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end logits, each of shape (batch, length)."""
        output = self.network(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return output.start_logits, output.end_logits


def load_span_logits(folder: Path) -> SpanLogits:
    """Load a trained reader from a folder with float weights in Hugging Face layout.

    Raises:
        ModelError: the folder has no reader that can be loaded.
    """
    return SpanLogits(load_float_reader(folder)).eval()


def check_output(folder: Path, start: Path | None) -> None:
    """Create the folder for a model and check that it is writable, before hours of training.

    Args:
        folder: folder of the new model.
        start: folder of the model that the training starts from.

    Raises:
        InvalidInput: both folders are the same.
        OSError: the folder cannot be created or is not writable.
    """
    if start and folder.resolve() == start.resolve():
        raise InvalidInput("this is the folder of the starting model; use another folder", field="out")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def export_reader(trained: Path, data: Path, folder: Path, seed: int = 1) -> None:
    """Write a reader as static int8, with its model card, to `folder`.

    The calibration and the reliability diagram of an earlier reader in the folder are deleted.

    Args:
        trained: folder of the float weights.
        data: folder of the training files, whose examples calibrate the activation ranges.
        folder: folder of the int8 reader.
        seed: decides which examples are used.
    """
    tokenizer = base_model_folder() / "tokenizer.json"
    stages = load_stages(trained)
    last = next(stage for stage in reversed(stages) if "mixture" in stage)
    sources = [Source(source["file"], 200) for source in last["mixture"]]
    # Older stages have no such setting.
    percent = last.get("held_out_percent", HELD_OUT_PERCENT)
    samples = _make_samples(data, sources, percent, tokenizer, seed)
    with silence_transformers():
        export_int8(load_span_logits(trained), ["start", "end"], samples, tokenizer, folder, NAME)
    write_stages(folder, stages)
    for name in (CALIBRATION, DIAGRAM):
        (folder / name).unlink(missing_ok=True)
    write_card(folder)


def _make_samples(data: Path, sources: Sequence[Source], percent: int, tokenizer: Path, seed: int) -> list[Pair]:
    examples = load_training_examples(data, sources, excluded="", seed=seed, percent=percent)
    chooser = random.Random(seed)
    chosen = chooser.sample(examples, min(len(examples), SAMPLES))
    groups = tokenize_examples([(example,) for example in chosen], load_tokenizer(tokenizer))
    inputs = [make_input(feature, chooser, MAX_INPUT_TOKENS).encoded for group in groups for feature in group]
    return [(encoded.ids, encoded.types) for encoded in inputs]
