"""A reader that was trained on, against the one it started from: on labels that were held back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from qa.assembly import build_engine, reader_folder
from qa.config import Settings
from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.own_models import ReaderAlone
from qa.evaluation.runner import Evaluation, check, evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.models.shipped import open_model
from qa.reading.calibration import CALIBRATION, Calibration
from qa.training.examples import Source, split

# With fewer questions, chance decides.
FEW = 50


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


def take_over_calibration(start: Settings, folder: Path) -> None:
    """Give a reader the calibration of the one it started from: a few labels move logits little, and fit nothing."""
    calibration = Calibration.load(reader_folder(start) / CALIBRATION)
    fitted_with = calibration.taken_over_from or calibration.reader
    taken = replace(calibration, reader=open_model(folder).identity, taken_over_from=fitted_with)
    taken.save(folder / CALIBRATION)


def evaluated(dataset: Dataset, settings: Settings) -> Evaluation:
    """Return what the reader that the settings name makes of questions, each asked of its own context."""
    with closing(build_engine(settings)) as engine:
        return evaluate(dataset, Mode.READER, ReaderAlone(engine, dataset))
