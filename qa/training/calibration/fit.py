"""Fit a reader's calibration on questions whose contexts it never saw in training.

Questions to an index, which also contains other contexts, and questions to a single text have separate parameters.
Unanswerable questions are SQuAD's adversarial ones and, through the index, questions whose source passage is removed
from the results. The confidence of answers found through the index is fitted on the latter alone.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qa.config import Settings
from qa.documents import splitting
from qa.engine import Engine
from qa.evaluation.metrics import calibration_error, reliability
from qa.evaluation.squad import load_squad
from qa.factory import build_embedder
from qa.index.catalog import Specification
from qa.index.registry import Indexes
from qa.indexing.indexer import Indexer
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading import early_stopping
from qa.reading.answers import find_candidates
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.early_stopping import MAX_PASSAGES_READ, build_pair
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import OpenVINOReader, Pair, Reader
from qa.results import Hit
from qa.search import fusion
from qa.search.fusion import CANDIDATES
from qa.training.calibration.parameters import (
    ANSWERS_FITTED,
    ASSUMED_UNANSWERABLE,
    RETRIEVAL_WEIGHTS,
    UNFITTED,
    QuestionCandidates,
    answered_and_refused,
    choose_retrieval_weight,
    choose_stop_margin,
    cross_validate,
    fit_scale,
    mean_f1,
)
from qa.training.calibration.reliability import DIAGRAM, reliability_svg
from qa.training.data.examples import split
from qa.types import Document, Passage, Span

FILES = ("squad.json", "nq_qed.json", "squadshifts_reddit.json", "squadshifts_amazon.json")
# Answerable questions of each file.
_ANSWERABLE = {
    "squad.json": 500,
    "nq_qed.json": 200,
    "squadshifts_reddit.json": 150,
    "squadshifts_amazon.json": 150,
}
# Unanswerable questions of each file, at most.
_UNANSWERABLE = 300
# Questions whose source passage is removed, about.
_SOURCE_REMOVED = 200
# Contexts of other questions in the index.
_DISTRACTORS = 900
_DOCUMENTS_PER_WRITE = 100


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    golds: tuple[str, ...]
    context: str


def fit_calibration(data: Path, folder: Path, settings: Settings, seed: int = 1) -> list[str]:
    """Write `calibration.json` and a reliability diagram (`reliability.svg`) to a reader's folder.

    Args:
        data: folder of the training files.
        folder: folder of the int8 reader.
        settings: the embedder and the number of threads.
        seed: decides which questions and distractors are used.

    Returns:
        A report of the fitted parameters, one string for each line.
    """
    threads = settings.threads or available_threads()
    reader = OpenVINOReader(open_model_folder(folder), threads, arithmetic=settings.arithmetic)
    embedder = build_embedder(settings, threads)
    questions, distractors = _sample_held_out(data, seed)
    identities = (reader.identity, fusion.IDENTITY, splitting.IDENTITY, early_stopping.IDENTITY)
    unfitted = Calibration(*identities, 0.0, 0.0, UNFITTED, UNFITTED)
    specification = Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Indexer(Indexes(Path(temporary), specification), embedder), reader, unfitted)
        complete = _ask_index(engine, questions, distractors)
        engine.close()
    single = _ask_texts(reader, questions)
    weight = choose_retrieval_weight(complete)
    margin = choose_stop_margin(complete, weight)
    indexed = [question.stop_early(weight, margin) for question in complete]
    calibration = Calibration(*identities, weight, margin, fit_scale(indexed, weight), fit_scale(single, 0.0))
    calibration.save(folder / CALIBRATION)
    modes = {
        "through an index": (indexed, weight, calibration.query),
        "single texts": (single, 0.0, calibration.read),
    }
    validated = {name: cross_validate(part, mode_weight) for name, (part, mode_weight, _) in modes.items()}
    diagram = reliability_svg({name: reliability(*pairs) for name, pairs in validated.items()})
    (folder / DIAGRAM).write_text(diagram, encoding="utf-8")
    scores = ", ".join(f"{w:g}: {100 * mean_f1(complete, w):.1f}" for w in RETRIEVAL_WEIGHTS)
    passages = [float(np.mean([len(question.hits) for question in part])) for part in (indexed, complete)]
    lines = [
        f"F1 of answerable questions by retrieval weight: {scores}",
        f"stop margin {margin:g}: {passages[0]:.1f} of {passages[1]:.1f} passages read, "
        f"F1 {100 * mean_f1(indexed, weight):.1f}",
    ]
    for name, (part, mode_weight, scale) in modes.items():
        answered, refused = answered_and_refused(part, mode_weight, scale)
        lines += [
            f"{name}: {len(part)} questions, {scale}",
            f"{name}: answers {answered:.0%} of answerable questions, refuses {refused:.0%} of unanswerable ones",
            f"{name}: cross-validated calibration error {calibration_error(*validated[name]):.3f} on "
            f"{len(validated[name][0])} questions, {ASSUMED_UNANSWERABLE:.0%} of them unanswerable",
        ]
    return lines


def _sample_held_out(data: Path, seed: int) -> tuple[list[_Question], list[str]]:
    """Return questions of the held-out part, and distractors: contexts of the training part."""
    chooser = random.Random(seed)
    questions: list[_Question] = []
    distractors: list[str] = []
    for file in FILES:
        kept, held_out = split(load_squad(data / file))
        pool = [_Question(q.text, held_out.gold_texts(q), held_out.contexts[q.context]) for q in held_out.questions]
        answerable, unanswerable = [q for q in pool if q.golds], [q for q in pool if not q.golds]
        questions += chooser.sample(answerable, min(len(answerable), _ANSWERABLE[file]))
        questions += chooser.sample(unanswerable, min(len(unanswerable), _UNANSWERABLE))
        distractors += sorted({kept.contexts[q.context] for q in kept.questions})
    return questions, chooser.sample(distractors, min(len(distractors), _DISTRACTORS))


def _ask_index(engine: Engine, questions: Sequence[_Question], distractors: Sequence[str]) -> list[QuestionCandidates]:
    """Index all contexts, then ask each question, and some answerable ones again without their source passage."""
    contexts = list(dict.fromkeys([*(q.context for q in questions), *distractors]))
    document_ids = {context: str(number) for number, context in enumerate(contexts)}
    engine.indexes.get_or_create("default")
    documents = [Document(id, context) for context, id in document_ids.items()]
    for first in range(0, len(documents), _DOCUMENTS_PER_WRITE):
        engine.add(documents[first : first + _DOCUMENTS_PER_WRITE])
    results = []
    answerable = [q for q in questions if q.golds]
    for question in questions:
        hits = engine.search(question.text, top_k=MAX_PASSAGES_READ, by_sentence=False).hits
        results.append(_read_hits(engine.reader, question.text, question.golds, hits))
    for question in answerable[:: max(1, len(answerable) // _SOURCE_REMOVED)]:
        hits = engine.search(question.text, top_k=CANDIDATES, by_sentence=False).hits
        others = [hit for hit in hits if hit.passage.document_id != document_ids[question.context]]
        result = _read_hits(engine.reader, question.text, (), others[:MAX_PASSAGES_READ])
        results.append(replace(result, source_removed=True))
    return results


def _read_hits(reader: Reader, question: str, golds: tuple[str, ...], hits: Sequence[Hit]) -> QuestionCandidates:
    passages = reader.read_batch([build_pair(question, hit) for hit in hits])
    candidates = [find_candidates(hit, logits, ANSWERS_FITTED) for hit, logits in zip(hits, passages, strict=True)]
    return QuestionCandidates(golds, hits, candidates)


def _ask_texts(reader: Reader, questions: Sequence[_Question]) -> list[QuestionCandidates]:
    """Ask each question on its context alone, without an index."""
    hits = [
        Hit(None, Passage("", Span(0, len(q.context)), q.context), None, None, {}, 0.0, 0.0, 0.0) for q in questions
    ]
    passages = reader.read_batch([Pair(q.text, ReaderText(q.context)) for q in questions])
    return [
        QuestionCandidates(q.golds, [hit], [find_candidates(hit, logits, ANSWERS_FITTED)])
        for q, hit, logits in zip(questions, hits, passages, strict=True)
    ]
