"""Evaluate the answers of another system, saved in a predictions file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.input_files import read_text
from qa.evaluation.outcomes import Candidate, Outcome


class SavedAnswers:
    """A predictions file in the format of the SQuAD scripts: JSON `{question id: answer}`, with "" for no answer."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        """Read the file.

        Raises:
            DatasetError: the file has another format, or lacks a question of the data set.
        """
        try:
            answers = json.loads(read_text(path))
        except ValueError as error:
            raise DatasetError(f"{path}: not JSON ({error})", field="predictions") from error
        if not isinstance(answers, dict) or not all(isinstance(text, str) for text in answers.values()):
            raise DatasetError(f"{path}: expected an object of question ids and answers", field="predictions")
        missing = [question.id for question in dataset.questions if question.id not in answers]
        if missing:
            raise DatasetError(
                f"{path}: no answer for {len(missing)} of {len(dataset.questions)} questions of {dataset.name}, "
                f'such as {missing[0]!r}; use "" where the system gave no answer',
                field="predictions",
            )
        self._answers: dict[str, str] = answers
        self.description: Mapping[str, object] = {"model": {"predictions": path.name}, "index": None}
        self.fingerprint = repr(sorted(answers.items()))

    def outcomes(
        self,
        questions: Sequence[LabelledQuestion],
        timed: Collection[str],  # noqa: ARG002
    ) -> Iterator[Outcome]:
        """Yield outcomes that contain only the answer."""
        for question in questions:
            text = self._answers[question.id]
            yield Outcome(question.id, (Candidate(text),) if text else (), given=bool(text))
