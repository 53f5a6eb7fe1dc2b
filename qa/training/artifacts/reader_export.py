"""Export of a trained reader to the shipped form: a static int8 graph with its training history and model card."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from qa.errors import InvalidInput
from qa.models.tokenization import load_tokenizer
from qa.reading.calibration import CALIBRATION
from qa.training.artifacts.base_model import silence_transformers
from qa.training.artifacts.int8_export import Pair, export_int8
from qa.training.artifacts.model_card import write_card
from qa.training.artifacts.reader_network import CONFIG_FILE, OUTPUTS, TOKENIZER_FILE, load_network
from qa.training.artifacts.stages import load_stages, write_stages
from qa.training.calibration.reliability import DIAGRAM
from qa.training.data.examples import Source
from qa.training.data.features import make_inputs, tokenize_questions
from qa.training.data.reader_questions import Sampling, load_questions

NAME = "spanlight-reader-int8"
SAMPLES = 300
_QUESTIONS_OF_A_FILE = 200


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
    """Write a reader as static int8, with its size and model card, to `folder`.

    The calibration and the reliability diagram of an earlier reader in the folder are deleted.

    Args:
        trained: folder of the float weights.
        data: folder of the training files, whose examples calibrate the activation ranges.
        folder: folder of the int8 reader.
        seed: decides which examples are used.
    """
    stages = load_stages(trained)
    tokenizer = trained / TOKENIZER_FILE
    samples = _make_samples(data, stages, load_tokenizer(tokenizer), seed)
    with silence_transformers():
        export_int8(load_network(trained).eval(), OUTPUTS, samples, tokenizer, folder, NAME)
    shutil.copyfile(trained / CONFIG_FILE, folder / CONFIG_FILE)
    write_stages(folder, stages)
    for name in (CALIBRATION, DIAGRAM):
        (folder / name).unlink(missing_ok=True)
    write_card(folder)


def _make_samples(data: Path, stages: Sequence[dict[str, Any]], tokenizer: Tokenizer, seed: int) -> list[Pair]:
    """Return inputs of the files of the last training, documents and plain contexts alike."""
    last = next(stage for stage in reversed(stages) if "mixture" in stage)
    sources = [replace(Source(**source), limit=_QUESTIONS_OF_A_FILE, passes=1.0) for source in last["mixture"]]
    sampling = Sampling(seed, last["held_out_percent"], negatives=0, wrong_share=0.5, titled_share=0.5)
    questions = load_questions(data, sources, [], tokenizer, sampling)
    chooser = random.Random(seed)
    chosen = chooser.sample(questions, min(len(questions), SAMPLES))
    inputs = [make_inputs(question, tokenizer, chooser)[-1] for question in tokenize_questions(chosen, tokenizer)]
    return [(passage.encoded.ids, passage.encoded.types) for passage in inputs]
