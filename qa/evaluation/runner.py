"""Run a data set's questions through a system and build the report."""

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
from qa.evaluation.evidence_scoring import score_evidence
from qa.evaluation.lenient import score_results
from qa.evaluation.local_systems import ReaderSystem, temporary_index
from qa.evaluation.metrics import reciprocal_rank
from qa.evaluation.outcomes import Outcome
from qa.evaluation.scoring import RANKING_DEPTH, ScoredQuestion, compute_figures, score_outcomes
from qa.evaluation.systems import Mode, Progress, System, sample
from qa.validation import MAX_READ_TEXT, check_text

# Latencies are measured on this number of evenly spaced questions.
TIMED_QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The report on one data set in one mode, and every scored question."""

    report: dict[str, Any]
    dataset: Dataset
    rows: tuple[ScoredQuestion, ...]

    @property
    def predictions(self) -> dict[str, str]:
        """The scored answer by question id; "" for no answer."""
        return {row.question.id: row.answer for row in self.rows}


def check_mode(dataset: Dataset, mode: Mode) -> None:
    """Check before the run that a data set can be evaluated in a mode.

    Raises:
        DatasetError: the data set lacks the labels that the mode needs, or a context is blank or too long to read.
    """
    if not mode.ranks and not dataset.has_spans:
        raise DatasetError(f"{dataset.name}: has relevance labels only, no answers; use --mode retrieval or reranked")
    asked = sample(dataset, mode, None).questions
    if mode.gives_answers and not any(q.answers for q in asked) and any(q.evidence for q in dataset.questions):
        raise DatasetError(f"{dataset.name}: has no short answers; use --mode evidence", field="dataset")
    if mode is Mode.EVIDENCE and not (dataset.documents and any(question.evidence for question in asked)):
        raise DatasetError(f"{dataset.name}: no document has labelled evidence; use another mode", field="dataset")
    if mode is Mode.READER:
        for question in dataset.questions:
            try:
                check_text(dataset.contexts[question.context], "context", MAX_READ_TEXT)
            except InvalidInput as error:
                raise DatasetError(
                    f"{dataset.name}: question {question.id!r}: context: {error.message}", field="dataset"
                ) from error


@contextmanager
def open_local_system(
    engine: Engine, dataset: Dataset, mode: Mode, progress: Progress = lambda _: None
) -> Iterator[System]:
    """Open the engine's models as a system that answers from the data set's own contexts.

    - End-to-end: the contexts are indexed in a temporary folder and the engine answers from there.
    - Reader: the reader gets each question with its own context.
    - Retrieval: documents are ranked by their best passage, without the reader.
    - Reranked: as retrieval, with the first passages reordered by the reader.
    """
    if mode is Mode.READER:
        yield ReaderSystem(engine, dataset)
    else:
        with temporary_index(engine, dataset, mode, progress) as system:
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
        mode: what to evaluate; in modes without answers only the rankings are scored.
        system: answers the questions.
        limit: maximum number of questions, evenly spaced; all contexts are kept.
        progress: called with the number of questions just finished.
        journal: file for the outcomes so far; an interrupted run resumes from it.
    """
    asked = sample(dataset, mode, limit)
    outcomes = _collect_outcomes(asked, system, progress, journal, _run_key(asked, mode, system))
    with_answers, forced = mode.gives_answers, not dataset.has_unanswerable
    rows = score_outcomes(asked, outcomes, with_answers=with_answers, forced=forced)
    figures = compute_figures(asked, rows, with_answers=with_answers)
    records = [_question_record(row, with_answers=with_answers) for row in rows]
    if dataset.documents and mode.scores_results:
        score = score_evidence if mode is Mode.EVIDENCE else score_results
        more, judged = score(asked, outcomes)
        figures |= more | {name: figures[name] | more[name] for name in ("metrics", "intervals")}
        records = [record | judgement for record, judgement in zip(records, judged, strict=True)]
    report = {
        "dataset": dataset.name,
        "mode": mode.value,
        "n": len(asked.questions),
        "forced": forced,
        **figures,
        **system.description,
        "versions": versions(),
        "questions": records,
    }
    return Evaluation(report, asked, tuple(rows))


def versions() -> dict[str, str]:
    """Return the version of Python and of each package that can change a result."""
    packages = ("spanlight", "openvino", "faiss-cpu", "tantivy", "tokenizers", "numpy", "langchain-text-splitters")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def _question_record(row: ScoredQuestion, *, with_answers: bool) -> dict[str, object]:
    relevant, confidence, ranking = row.question.relevant, row.outcome.confidence, row.outcome.ranking
    has_rank = ranking is not None and relevant
    ranked = {"reciprocal_rank": reciprocal_rank(ranking or (), relevant, RANKING_DEPTH)} if has_rank else {}
    if not with_answers:
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


def _run_key(dataset: Dataset, mode: Mode, system: System) -> str:
    """Return a hash of everything that determines the outcomes; it ties a journal to one run."""
    questions = [(q.id, q.text, q.context) for q in dataset.questions]
    content = json.dumps(
        [dataset.name, dataset.contexts, mode.value, questions, dict(system.description), system.fingerprint]
    )
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _collect_outcomes(
    dataset: Dataset, system: System, progress: Progress, journal: Path | None, key: str
) -> list[Outcome]:
    timed = {question.id for question in dataset.head(TIMED_QUESTIONS).questions}
    done = _read_journal(journal, key) if journal else {}
    progress(len(done))
    with _open_journal(journal, key, done) as append:
        remaining = [question for question in dataset.questions if question.id not in done]
        for outcome in system.outcomes(remaining, timed):
            append(outcome)
            done[outcome.id] = outcome
            progress(1)
    return [done[question.id] for question in dataset.questions]


@contextmanager
def _open_journal(journal: Path | None, key: str, done: Mapping[str, Outcome]) -> Iterator[Callable[[Outcome], None]]:
    """Write a journal with the outcomes so far; yield a function that appends one outcome."""
    if journal is None:
        yield lambda _: None
        return
    temporary = journal.with_name(journal.name + ".new")
    lines = [json.dumps({"run": key}), *(json.dumps(outcome.as_json()) for outcome in done.values())]
    temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    temporary.replace(journal)
    with journal.open("a", encoding="utf-8") as file:

        def append(outcome: Outcome) -> None:
            file.write(json.dumps(outcome.as_json()) + "\n")
            file.flush()

        yield append


def _read_journal(journal: Path, key: str) -> dict[str, Outcome]:
    """Return the outcomes of an interrupted run; none if the journal belongs to another run."""
    if not journal.exists():
        return {}
    header, *lines = journal.read_bytes().split(b"\n")
    done: dict[str, Outcome] = {}
    try:
        if json.loads(header) != {"run": key}:
            return {}
        for line in lines:
            outcome = Outcome.from_json(json.loads(line))
            done[outcome.id] = outcome
    except (ValueError, KeyError, TypeError):
        pass  # The last line is empty, or incomplete after an interruption.
    return done
