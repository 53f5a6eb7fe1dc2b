"""Fit what turns logits into probabilities, on questions whose contexts the reader never saw.

Two ways of asking are fitted apart: through an index that also holds other contexts, and of a single text. Unanswerable
are SQuAD's adversarial questions and, through the index, questions whose own context is taken out of the results; these
alone for the confidence of what is found there.
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
from qa.models.inference import available_threads
from qa.models.model_folder import open_model_folder
from qa.reading import early_stopping
from qa.reading.answers import candidates
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.early_stopping import PASSAGES_READ, pair_of
from qa.reading.reader import Pair, Reader, ShippedReader
from qa.search import fusion
from qa.search.fusion import CANDIDATES
from qa.training.calibration.parameters import (
    ANSWERS_FITTED,
    ASSUMED_UNANSWERABLE,
    UNFITTED,
    WEIGHTS_TRIED,
    Asked,
    best_weight,
    cross_validated,
    fitted_scale,
    mean_f1,
    shares_at_refusal,
    smallest_margin,
)
from qa.training.calibration.reliability import DIAGRAM, reliability_svg
from qa.training.data.examples import split
from qa.types import Document, Hit, Passage, Span

FILES = ("squad.json", "nq_qed.json", "squadshifts_reddit.json", "squadshifts_amazon.json")
QUESTIONS_A_FILE = {
    "squad.json": 500,
    "nq_qed.json": 200,
    "squadshifts_reddit.json": 150,
    "squadshifts_amazon.json": 150,
}
UNANSWERABLE = 300
WITHDRAWN = 200
DISTRACTORS = 900


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    golds: tuple[str, ...]
    context: str


def fit_calibration(data: Path, folder: Path, settings: Settings, seed: int = 1) -> list[str]:
    """Write `calibration.json` and a reliability diagram (`reliability.svg`) to a reader's folder.

    Args:
        data: folder of the training files.
        folder: of the int8 reader.
        settings: which embedder, how many threads.
        seed: chooses questions and distractors.

    Returns:
        What was fitted, in lines.
    """
    threads = settings.threads or available_threads()
    reader = ShippedReader(open_model_folder(folder), threads)
    embedder = build_embedder(settings, threads)
    questions, distractors = _held_out(data, seed)
    identities = (reader.identity, fusion.IDENTITY, splitting.IDENTITY, early_stopping.IDENTITY)
    empty = Calibration(*identities, 0.0, 0.0, UNFITTED, UNFITTED)
    specification = Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)
    with tempfile.TemporaryDirectory() as place:
        engine = Engine(Indexes(Path(place), specification), embedder, reader, empty)
        whole = _query(engine, questions, distractors)
        engine.close()
    read = _read(reader, questions)
    weight = best_weight(whole)
    margin = smallest_margin(whole, weight)
    queried = [asked.until_settled(weight, margin) for asked in whole]
    fitted = Calibration(*identities, weight, margin, fitted_scale(queried, weight), fitted_scale(read, 0.0))
    fitted.save(folder / CALIBRATION)
    ways = {"through an index": (queried, weight, fitted.query), "single texts": (read, 0.0, fitted.read)}
    judged = {name: cross_validated(asked, w) for name, (asked, w, _) in ways.items()}
    diagram = reliability_svg({name: reliability(*pairs) for name, pairs in judged.items()})
    (folder / DIAGRAM).write_text(diagram, encoding="utf-8")
    tried = ", ".join(f"{w:g}: {100 * mean_f1(whole, w):.1f}" for w in WEIGHTS_TRIED)
    passages = [float(np.mean([len(asked.hits) for asked in part])) for part in (queried, whole)]
    told = [
        f"F1 of answerable questions by retrieval weight: {tried}",
        f"stop margin {margin:g}: {passages[0]:.1f} of {passages[1]:.1f} passages read, "
        f"F1 {100 * mean_f1(queried, weight):.1f}",
    ]
    for name, (asked, w, scale) in ways.items():
        answered, refused = shares_at_refusal(asked, w, scale)
        told += [
            f"{name}: {len(asked)} questions, {scale}",
            f"{name}: gives {answered:.0%} of the answerable an answer, refuses {refused:.0%} of the others",
            f"{name}: cross-validated calibration error {calibration_error(*judged[name]):.3f} on "
            f"{len(judged[name][0])} questions, {ASSUMED_UNANSWERABLE:.0%} of them unanswerable",
        ]
    return told


def _held_out(data: Path, seed: int) -> tuple[list[_Question], list[str]]:
    chooser = random.Random(seed)
    questions: list[_Question] = []
    distractors: list[str] = []
    for file in FILES:
        kept, held_out = split(load_squad(data / file))
        made = [_Question(q.text, held_out.gold_texts(q), held_out.contexts[q.context]) for q in held_out.questions]
        answerable, unanswerable = [q for q in made if q.golds], [q for q in made if not q.golds]
        questions += chooser.sample(answerable, min(len(answerable), QUESTIONS_A_FILE[file]))
        questions += chooser.sample(unanswerable, min(len(unanswerable), UNANSWERABLE))
        distractors += sorted({kept.contexts[q.context] for q in kept.questions})
    return questions, chooser.sample(distractors, DISTRACTORS)


def _query(engine: Engine, questions: Sequence[_Question], distractors: Sequence[str]) -> list[Asked]:
    contexts = list(dict.fromkeys([*(q.context for q in questions), *distractors]))
    number = {context: str(place) for place, context in enumerate(contexts)}
    engine.indexes.get_or_create("default")
    documents = [Document(id, context) for context, id in number.items()]
    for first in range(0, len(documents), 100):
        engine.add(documents[first : first + 100])
    asked = []
    answerable = [q for q in questions if q.golds]
    for question in questions:
        hits = engine.search(question.text, top_k=PASSAGES_READ, by_sentence=False).hits
        asked.append(_read_hits(engine.reader, question.text, question.golds, hits))
    for question in answerable[:: max(1, len(answerable) // WITHDRAWN)]:
        found = engine.search(question.text, top_k=CANDIDATES, by_sentence=False).hits
        others = [hit for hit in found if hit.passage.document_id != number[question.context]]
        asked.append(replace(_read_hits(engine.reader, question.text, (), others[:PASSAGES_READ]), withdrawn=True))
    return asked


def _read_hits(reader: Reader, question: str, golds: tuple[str, ...], hits: Sequence[Hit]) -> Asked:
    logits = reader.read_batch([pair_of(question, hit) for hit in hits])
    found = [candidates(hit, made, ANSWERS_FITTED) for hit, made in zip(hits, logits, strict=True)]
    return Asked(golds, hits, found)


def _read(reader: Reader, questions: Sequence[_Question]) -> list[Asked]:
    hits = [
        Hit(None, Passage("", Span(0, len(q.context)), q.context), None, None, {}, 0.0, 0.0, 0.0) for q in questions
    ]
    logits = reader.read_batch([Pair(q.text, q.context) for q in questions])
    return [
        Asked(q.golds, [hit], [candidates(hit, made, ANSWERS_FITTED)])
        for q, hit, made in zip(questions, hits, logits, strict=True)
    ]
