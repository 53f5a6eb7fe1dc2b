"""Fit a reader's calibration on questions whose documents it never saw in training.

Questions to an index and questions to a single text have separate parameters. Unanswerable questions are SQuAD's
adversarial ones, those of the caller and, through the index, SQuAD's questions whose context is removed from the
results. The confidence of answers found through the index is fitted without the adversarial ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qa.config import Settings
from qa.documents import splitting
from qa.engine import Engine
from qa.evaluation.metrics import calibration_error, reliability
from qa.factory import build_embedder
from qa.index.catalog import Specification
from qa.index.registry import Indexes
from qa.indexing.indexer import Indexer
from qa.models.embedder import Embedder
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading import early_stopping
from qa.reading.calibration import CALIBRATION, Calibration, Scale
from qa.reading.reader import OpenVINOReader, Reader
from qa.search import fusion
from qa.training.calibration.gathering import (
    HeldOutQuestion,
    ask_documents,
    ask_index,
    ask_texts,
    ask_without_source,
    sample_held_out,
)
from qa.training.calibration.parameters import (
    ASSUMED_UNANSWERABLE,
    RETRIEVAL_WEIGHTS,
    UNFITTED,
    QuestionCandidates,
    choose_retrieval_weight,
    choose_stop_margin,
    cross_validate,
    fit_scale,
    judge_guesses,
    mean_f1,
)
from qa.training.calibration.reliability import DIAGRAM, reliability_svg
from qa.training.calibration.thresholds import measure_shares


@dataclass(frozen=True, slots=True)
class _Mode:
    """A way to ask, with its questions, retrieval weight and fitted scale."""

    name: str
    questions: Sequence[QuestionCandidates]
    weight: float
    scale: Scale


def fit_calibration(
    data: Path, folder: Path, settings: Settings, seed: int = 1, document_questions: Sequence[HeldOutQuestion] = ()
) -> list[str]:
    """Write `calibration.json` and a reliability diagram (`reliability.svg`) to a reader's folder.

    Args:
        data: folder of the training files.
        folder: folder of the int8 reader.
        settings: the embedder and the number of threads.
        seed: decides which questions and distractors of the training files are used.
        document_questions: questions on whole documents, which are all asked in three ways: of an index of these
            documents, of one document in it, and of its text.

    Returns:
        A report of the fitted parameters, one string for each line.
    """
    threads = settings.threads or available_threads()
    reader = OpenVINOReader(open_model_folder(folder), threads, arithmetic=settings.arithmetic)
    embedder = build_embedder(settings, threads)
    identities = (reader.identity, fusion.IDENTITY, splitting.IDENTITY, early_stopping.IDENTITY)
    unfitted = Calibration(*identities, 0.0, 0.0, UNFITTED, UNFITTED)
    complete, single = _ask(data, reader, embedder, unfitted, seed, document_questions)
    weight = choose_retrieval_weight(complete)
    margin = choose_stop_margin(complete, weight)
    indexed = [question.stop_early(weight, margin) for question in complete]
    calibration = Calibration(*identities, weight, margin, fit_scale(indexed, weight), fit_scale(single, 0.0))
    calibration.save(folder / CALIBRATION)
    modes = [
        _Mode("through an index", indexed, weight, calibration.query),
        _Mode("single texts", single, 0.0, calibration.read),
    ]
    validated = {mode.name: cross_validate(mode.questions, mode.weight) for mode in modes}
    diagram = reliability_svg({name: reliability(*pairs) for name, pairs in validated.items()})
    (folder / DIAGRAM).write_text(diagram, encoding="utf-8")
    scores = ", ".join(f"{w:g}: {100 * mean_f1(complete, w):.1f}" for w in RETRIEVAL_WEIGHTS)
    passages = [float(np.mean([len(question.hits) for question in part])) for part in (indexed, complete)]
    lines = [
        f"F1 of answerable questions by retrieval weight: {scores}",
        f"stop margin {margin:g}: {passages[0]:.1f} of {passages[1]:.1f} passages read, "
        f"F1 {100 * mean_f1(indexed, weight):.1f}",
    ]
    for mode in modes:
        confidences, correct = validated[mode.name]
        lines += [
            f"{mode.name}: {len(mode.questions)} questions, {mode.scale}",
            *_describe_shares(mode),
            f"{mode.name}: cross-validated calibration error {calibration_error(confidences, correct):.3f} on "
            f"{len(confidences)} questions, {ASSUMED_UNANSWERABLE:.0%} of them unanswerable",
        ]
    return lines


def _ask(
    data: Path,
    reader: Reader,
    embedder: Embedder,
    unfitted: Calibration,
    seed: int,
    document_questions: Sequence[HeldOutQuestion],
) -> tuple[list[QuestionCandidates], list[QuestionCandidates]]:
    """Return the candidates of questions to an index, without early stopping, and of questions on single texts."""
    specification = Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)
    questions, distractors = sample_held_out(data, seed)
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Indexer(Indexes(Path(temporary) / "contexts", specification), embedder), reader, unfitted)
        with closing(engine), closing(engine.in_folder(Path(temporary) / "documents")) as of_documents:
            indexed = [*ask_index(engine, questions, distractors), *ask_without_source(engine, questions)]
            if document_questions:
                indexed += ask_index(of_documents, document_questions)
                indexed += ask_documents(of_documents, document_questions)
    return indexed, ask_texts(reader, [*questions, *document_questions])


def _describe_shares(mode: _Mode) -> Iterator[str]:
    """Yield a line about the statuses of all questions, and of each group."""
    labelled = [question for question in mode.questions if not question.only_evidence]
    guesses = judge_guesses(labelled, mode.weight, mode.scale.right)
    groups = sorted({guess.group for guess in guesses})
    parts = {mode.name: guesses}
    parts |= {f"{mode.name}, {group}": [guess for guess in guesses if guess.group == group] for group in groups}
    for name, part in parts.items():
        shares = measure_shares(part, mode.scale.answered, mode.scale.unsure)
        yield (
            f"{name}: answers {shares.answered:.0%} of answerable and {shares.wrongly_answered:.0%} of unanswerable "
            f"questions, hides {shares.hidden:.0%} of right guesses"
        )
