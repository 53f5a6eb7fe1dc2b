"""Evaluation and calibration of a fine-tuned reader, compared with the reader it started from on held-out labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from qa.config import Settings
from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.runner import Evaluation, check_mode, evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.factory import build_engine, reader_folder
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration, Scale
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import OpenVINOReader, Pair
from qa.training.data.examples import Source, split

# With fewer questions, the comparison is mostly noise.
MIN_QUESTIONS = 50
# About this many questions are enough to estimate a mean null logit.
_QUESTIONS_FOR_MEAN = 200


def load_held_out(folder: Path, sources: Sequence[Source], percent: int) -> Dataset:
    """Load the held-out questions of training files as one data set.

    Raises:
        DatasetError: a file cannot be read or has wrong labels, or no context is held out.
    """
    contexts: dict[str, int] = {}
    questions: list[LabelledQuestion] = []
    for file in dict.fromkeys(source.file for source in sources):
        _, part = split(load_squad(folder / file), percent)
        for question in part.questions:
            context = contexts.setdefault(part.contexts[question.context], len(contexts))
            questions.append(replace(question, id=f"{file}: {question.id}", context=context))
    dataset = Dataset("held out", tuple(contexts), tuple(questions))
    if not questions:
        raise DatasetError(f"{folder}: too few contexts to hold any out; label questions on more texts", field="data")
    check_mode(dataset, Mode.READER)
    return dataset


def transfer_calibration(start: Settings, folder: Path, dataset: Dataset) -> None:
    """Write the calibration of the starting reader to the fine-tuned reader's folder.

    A few labels change the logits little and are too few to fit a new calibration. The null logit is an exception.
    Confidence depends on how it differs between questions, but its mean is arbitrary and drifts during training. The
    drift is measured on the held-out questions and subtracted from the bias.

    Args:
        start: settings that name the starting reader.
        folder: folder of the fine-tuned reader.
        dataset: held-out questions.
    """
    calibration = Calibration.load(reader_folder(start) / CALIBRATION)
    step = max(1, len(dataset.questions) // _QUESTIONS_FOR_MEAN)
    pairs = [
        Pair(question.text, ReaderText(dataset.contexts[question.context])) for question in dataset.questions[::step]
    ]
    drift = _mean_null_logit(folder, pairs, start) - _mean_null_logit(reader_folder(start), pairs, start)
    transferred = replace(
        calibration,
        reader=open_model_folder(folder).identity,
        query=_correct_drift(calibration.query, drift),
        read=_correct_drift(calibration.read, drift),
        taken_over_from=calibration.taken_over_from or calibration.reader,
    )
    transferred.save(folder / CALIBRATION)


def _correct_drift(scale: Scale, drift: float) -> Scale:
    right = scale.right
    return replace(scale, right=replace(right, bias=right.bias - right.null * drift))


def _mean_null_logit(folder: Path, pairs: Sequence[Pair], settings: Settings) -> float:
    threads = settings.threads or available_threads()
    passages = OpenVINOReader(open_model_folder(folder), threads, arithmetic=settings.arithmetic).read_batch(pairs)
    return fmean(window.null for logits in passages for window in logits.windows)


def evaluate_reader(dataset: Dataset, settings: Settings) -> Evaluation:
    """Evaluate the reader that the settings name on questions, each with its own context."""
    with closing(build_engine(settings)) as engine:
        return evaluate(dataset, Mode.READER, ReaderSystem(engine, dataset))
