"""Ask a data set's questions of a system, and put what comes back into a report."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qa.engine import Engine
from qa.errors import DatasetError, InvalidInput
from qa.evaluation.datasets import Dataset
from qa.evaluation.local_systems import ReaderSystem, own_contexts
from qa.evaluation.metrics import reciprocal_rank
from qa.evaluation.outcomes import Outcome
from qa.evaluation.scoring import RANKED, Scored, figures, scored
from qa.evaluation.systems import Mode, Progress, System
from qa.validation import MAX_READ_TEXT, check_text

# Latencies are those of so many questions, spread evenly.
TIMED = 200


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
        DatasetError: answers are wanted, and the data set has none; or a context is too long to be read, or blank.
    """
    if mode.gives_answers and not dataset.has_spans:
        raise DatasetError(
            f"{dataset.name}: labels no answers, only relevant documents: use --mode retrieval or reranked"
        )
    if mode is Mode.READER:
        for question in dataset.questions:
            try:
                check_text(dataset.contexts[question.context], "context", MAX_READ_TEXT)
            except InvalidInput as error:
                raise DatasetError(
                    f"{dataset.name}: question {question.id!r}: context: {error.message}", field="dataset"
                ) from error


@contextmanager
def models(engine: Engine, dataset: Dataset, mode: Mode, progress: Progress = lambda _: None) -> Iterator[System]:
    """Open the engine's models as a system that answers from the data set's own contexts.

    End-to-end: the contexts are the documents of a throw-away index. Reader: each question is asked of its own context.
    Retrieval: documents are ranked by their best passage, and nothing is read. Reranked: likewise, once the reader has
    put the first passages in order.
    """
    if mode is Mode.READER:
        yield ReaderSystem(engine, dataset)
    else:
        with own_contexts(engine, dataset, mode, progress) as system:
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
        mode: names what is evaluated; where no answers are given nothing but rankings is scored.
        system: answers the questions.
        limit: at most so many questions, spread evenly; all contexts stay.
        progress: is told how many more questions are done.
        journal: outcomes are noted here while it runs, so that a run that was stopped goes on where it was.
    """
    asked = dataset.head(limit)
    outcomes = _answered(asked, system, progress, journal, _key(asked, mode, system))
    read, forced = mode.gives_answers, not dataset.has_unanswerable
    rows = scored(asked, outcomes, read=read, forced=forced)
    report = {
        "dataset": dataset.name,
        "mode": mode.value,
        "n": len(asked.questions),
        "forced": forced,
        **figures(asked, rows, read=read),
        **system.description,
        "versions": versions(),
        "questions": [_record(row, read=read) for row in rows],
    }
    return Evaluation(report, asked, tuple(rows))


def versions() -> dict[str, str]:
    """Return the versions of everything that can change a result."""
    packages = ("spanlight", "openvino", "faiss-cpu", "tantivy", "tokenizers", "numpy", "langchain-text-splitters")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def _record(row: Scored, *, read: bool) -> dict[str, object]:
    relevant, confidence = row.question.relevant, row.outcome.confidence
    known = row.outcome.ranking is not None and relevant
    ranked = {"reciprocal_rank": reciprocal_rank(row.outcome.ranking or (), relevant, RANKED)} if known else {}
    if not read:
        return {"id": row.question.id, **ranked}
    return {
        "id": row.question.id,
        **ranked,
        "answer": row.answer,
        "exact_match": row.exact,
        "f1": round(row.f1, 4),
        "confidence": None if confidence is None else round(confidence, 4),
        "fault": row.fault and row.fault.value,
    }


def _key(dataset: Dataset, mode: Mode, system: System) -> str:
    """Return a hash of all that decides the outcomes: a journal belongs to exactly one such run."""
    questions = [(q.id, q.text, q.context) for q in dataset.questions]
    content = json.dumps(
        [dataset.name, dataset.contexts, mode.value, questions, dict(system.description), system.fingerprint]
    )
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _answered(dataset: Dataset, system: System, progress: Progress, journal: Path | None, key: str) -> list[Outcome]:
    timed = {question.id for question in dataset.head(TIMED).questions}
    done = _noted(journal, key) if journal else {}
    progress(len(done))
    with _notebook(journal, key, done) as note:
        left = [question for question in dataset.questions if question.id not in done]
        for outcome in system.outcomes(left, timed):
            note(outcome)
            done[outcome.id] = outcome
            progress(1)
    return [done[question.id] for question in dataset.questions]


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
    first, *lines = journal.read_bytes().split(b"\n")
    done: dict[str, Outcome] = {}
    try:
        if json.loads(first) != {"run": key}:
            return {}
        for line in lines:
            outcome = Outcome.from_json(json.loads(line))
            done[outcome.id] = outcome
    except (ValueError, KeyError, TypeError):
        pass  # the line that was being written when it was stopped, or the empty one behind the last
    return done
