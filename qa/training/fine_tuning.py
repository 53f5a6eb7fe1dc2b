"""A reader that was trained on, against the one it started from: on labels that were held back."""

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
from qa.evaluation.runner import Evaluation, check, evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.factory import build_engine, reader_folder
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration, Scale
from qa.reading.reader import Pair, ShippedReader
from qa.training.data.examples import Source, split

# With fewer questions, chance decides.
FEW = 50
# About so many questions: a mean needs no more.
_FOR_LEVEL = 200


def held_back(folder: Path, sources: Sequence[Source], percent: int) -> Dataset:
    """Return the held-out questions of training files as one data set.

    Raises:
        DatasetError: a file cannot be read or has wrong labels; or nothing is held out.
    """
    contexts: dict[str, int] = {}
    questions: list[LabelledQuestion] = []
    for file in dict.fromkeys(source.file for source in sources):
        _, part = split(load_squad(folder / file), percent)
        for question in part.questions:
            place = contexts.setdefault(part.contexts[question.context], len(contexts))
            questions.append(replace(question, id=f"{file}: {question.id}", context=place))
    dataset = Dataset("held back", tuple(contexts), tuple(questions))
    if not questions:
        raise DatasetError(
            f"{folder}: none of the contexts is held back, as there are too few: label questions on more texts",
            field="data",
        )
    check(dataset, Mode.READER)
    return dataset


def take_over_calibration(start: Settings, folder: Path, dataset: Dataset) -> None:
    """Give a reader the calibration of the one it started from: a few labels move logits little, and fit nothing.

    The logit of no answer counts for confidence, for how it differs from question to question. What it is on the mean
    no training aims at, and no two have in common: by how much it has moved on the labels held back is taken back.
    """
    calibration = Calibration.load(reader_folder(start) / CALIBRATION)
    step = max(1, len(dataset.questions) // _FOR_LEVEL)
    pairs = [Pair(question.text, dataset.contexts[question.context]) for question in dataset.questions[::step]]
    threads = start.threads or available_threads()
    moved = _level(folder, pairs, threads) - _level(reader_folder(start), pairs, threads)
    taken = replace(
        calibration,
        reader=open_model_folder(folder).identity,
        query=_levelled(calibration.query, moved),
        read=_levelled(calibration.read, moved),
        taken_over_from=calibration.taken_over_from or calibration.reader,
    )
    taken.save(folder / CALIBRATION)


def _levelled(scale: Scale, moved: float) -> Scale:
    right = scale.right
    return replace(scale, right=replace(right, bias=right.bias - right.null * moved))


def _level(folder: Path, pairs: Sequence[Pair], threads: int) -> float:
    """Return the mean logit of no answer."""
    read = ShippedReader(open_model_folder(folder), threads).read_batch(pairs)
    return fmean(window.null for logits in read for window in logits.windows)


def evaluated(dataset: Dataset, settings: Settings) -> Evaluation:
    """Return what the reader that the settings name makes of questions, each asked of its own context."""
    with closing(build_engine(settings)) as engine:
        return evaluate(dataset, Mode.READER, ReaderSystem(engine, dataset))
