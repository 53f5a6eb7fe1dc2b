"""Ask a data set's questions of a system, and put what comes back into a report."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.figures import Scored, figures, scored
from qa.evaluation.outcomes import Outcome
from qa.evaluation.systems import Progress, ReaderAlone, System, own_contexts


class Mode(StrEnum):
    """What is evaluated."""

    END_TO_END = "end-to-end"
    READER = "reader"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one data set in one mode, and every question with what came of it."""

    report: dict[str, Any]
    dataset: Dataset
    rows: tuple[Scored, ...]

    @property
    def predictions(self) -> dict[str, str]:
        """The scored answer of each question by its id, "" for none."""
        return {row.question.id: row.answer for row in self.rows}


def check(dataset: Dataset, mode: Mode) -> None:
    """Refuse what cannot be evaluated, before anything runs.

    Raises:
        DatasetError: answers are wanted, and the data set has none.
    """
    if mode is not Mode.RETRIEVAL and not dataset.has_spans:
        raise DatasetError(f"{dataset.name}: labels no answers, only relevant documents: use --mode retrieval")


@contextmanager
def models(engine: Engine, dataset: Dataset, mode: Mode, progress: Progress = lambda _: None) -> Iterator[System]:
    """Open the engine's models as a system that answers from the data set's own contexts.

    End-to-end: the contexts are the documents of a throw-away index. Reader: each question is asked of its own context.
    Retrieval: documents are ranked by their best passage, and nothing is read.
    """
    if mode is Mode.READER:
        yield ReaderAlone(engine, dataset)
    else:
        with own_contexts(engine, dataset, progress, read=mode is Mode.END_TO_END) as system:
            yield system


def evaluate(
    dataset: Dataset,
    mode: Mode,
    system: System,
    limit: int | None = None,
    progress: Progress = lambda _: None,
    journal: Path | None = None,
) -> Evaluation:
    """Evaluate a system on a data set.

    Args:
        dataset: contexts and questions.
        mode: names what is evaluated; in retrieval nothing but rankings is scored.
        system: answers the questions.
        limit: at most so many questions, spread evenly; all contexts stay.
        progress: is told how many more questions are done.
        journal: outcomes are noted here while it runs, so that a run that was stopped goes on where it was; removed at
            the end.
    """
    asked = dataset.head(limit)
    outcomes = _answered(asked.questions, system, progress, journal, _key(asked, mode, system))
    rows = scored(asked, outcomes)
    report = {
        "dataset": dataset.name,
        "mode": mode.value,
        "n": len(asked.questions),
        **figures(asked, rows, read=mode is not Mode.RETRIEVAL),
        **system.description,
        "versions": versions(),
        "questions": [_record(row) for row in rows],
    }
    if journal:
        journal.unlink(missing_ok=True)
    return Evaluation(report, asked, tuple(rows))


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a result."""
    packages = ("spanlight", "openvino", "faiss-cpu", "tantivy", "tokenizers", "numpy", "langchain-text-splitters")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def _record(row: Scored) -> dict[str, object]:
    confidence = row.outcome.confidence
    return {
        "id": row.question.id,
        "answer": row.answer,
        "exact_match": row.exact,
        "f1": round(row.f1, 4),
        "confidence": None if confidence is None else round(confidence, 4),
        "fault": row.fault and row.fault.value,
    }


def _key(dataset: Dataset, mode: Mode, system: System) -> str:
    """Return a hash of all that decides the outcomes: a journal belongs to exactly one such run."""
    questions = [(q.id, q.text, dataset.contexts[q.context]) for q in dataset.questions]
    content = json.dumps([dataset.name, mode.value, questions, dict(system.description), versions()])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _answered(
    questions: Sequence[LabelledQuestion], system: System, progress: Progress, journal: Path | None, key: str
) -> list[Outcome]:
    done = _noted(journal, key) if journal else {}
    progress(len(done))
    with _notebook(journal, key, done) as note:
        for outcome in system.outcomes([question for question in questions if question.id not in done]):
            note(outcome)
            done[outcome.id] = outcome
            progress(1)
    return [done[question.id] for question in questions]


@contextmanager
def _notebook(journal: Path | None, key: str, done: Mapping[str, Outcome]) -> Iterator[Callable[[Outcome], None]]:
    """Begin a journal with what is known already; yields what notes one more outcome in it."""
    if journal is None:
        yield lambda _: None
        return
    aside = journal.with_name(journal.name + ".new")
    lines = [json.dumps({"run": key}), *(json.dumps(outcome.as_json()) for outcome in done.values())]
    aside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    aside.replace(journal)
    with journal.open("a", encoding="utf-8") as file:

        def note(outcome: Outcome) -> None:
            file.write(json.dumps(outcome.as_json()) + "\n")
            file.flush()

        yield note


def _noted(journal: Path, key: str) -> dict[str, Outcome]:
    """Return the outcomes of a run that was stopped; none if the journal is of another run."""
    if not journal.exists():
        return {}
    done: dict[str, Outcome] = {}
    with journal.open(encoding="utf-8") as file:
        for line in file:
            try:
                content: Mapping[str, Any] = json.loads(line)
                if "run" in content:
                    if content["run"] != key:
                        return {}
                else:
                    outcome = Outcome.from_json(content)
                    done[outcome.id] = outcome
            except (ValueError, KeyError, TypeError):
                break  # the line that was being written when it was stopped
    return done
