"""The trained reader ─► the shipped int8 graph and its model card."""

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
from qa.training.artifacts.base_model import base_model_folder, quietly
from qa.training.artifacts.dequantise import float_network
from qa.training.artifacts.int8_export import Pair, export_int8
from qa.training.artifacts.model_card import write_card
from qa.training.artifacts.stages import stages, write_stages
from qa.training.calibration.reliability import DIAGRAM
from qa.training.data.examples import HELD_OUT_PERCENT, Source, training_examples
from qa.training.data.features import cut, features

NAME = "spanlight-reader-int8"
SAMPLES = 300


class SpanLogits(torch.nn.Module):
    """The encoder and its head, giving start and end logits."""

    def __init__(self, network: BertForQuestionAnswering) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end logits, each of shape (batch, length)."""
        made = self.network(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return made.start_logits, made.end_logits


def float_reader(folder: Path) -> SpanLogits:
    """Load trained float weights in Hugging Face layout."""
    return SpanLogits(float_network(folder)).eval()


def check_output(folder: Path, start: Path | None) -> None:
    """Make the folder that a model will be written to: better now than after hours of training.

    Raises:
        InvalidInput: it is the one of the model that training starts from.
        OSError: it cannot be made or written to.
    """
    if start and folder.resolve() == start.resolve():
        raise InvalidInput("this is the model that training starts from: name another folder", field="out")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def export_reader(trained: Path, data: Path, folder: Path, seed: int = 1) -> None:
    """Write the int8 reader and its model card to `folder`; activation ranges are taken on inputs made from `data`."""
    tokenizer = base_model_folder() / "tokenizer.json"
    made = stages(trained)
    last = next(stage for stage in reversed(made) if "mixture" in stage)
    sources = [Source(source["file"], 200) for source in last["mixture"]]
    # Older stages do not tell.
    percent = last.get("held_out_percent", HELD_OUT_PERCENT)
    samples = _samples(data, sources, percent, tokenizer, seed)
    with quietly():
        export_int8(float_reader(trained), ["start", "end"], samples, tokenizer, folder, NAME)
    write_stages(folder, made)
    for fitted in (CALIBRATION, DIAGRAM):
        # With another reader, which the folder held before.
        (folder / fitted).unlink(missing_ok=True)
    write_card(folder)


def _samples(data: Path, sources: Sequence[Source], percent: int, tokenizer: Path, seed: int) -> list[Pair]:
    examples = training_examples(data, sources, forbidden="", seed=seed, percent=percent)
    chooser = random.Random(seed)
    chosen = chooser.sample(examples, min(len(examples), SAMPLES))
    groups = features([(example,) for example in chosen], load_tokenizer(tokenizer))
    inputs = [cut(feature, chooser, MAX_INPUT_TOKENS).made for group in groups for feature in group]
    return [(made.ids, made.types) for made in inputs]
