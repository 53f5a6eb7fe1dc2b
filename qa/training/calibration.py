"""Fit what turns logits into probabilities, on questions whose contexts the reader never saw.

Two ways of asking are fitted apart: through an index that also holds other contexts, and of a single text. Unanswerable
are SQuAD's adversarial questions and, through the index, questions whose own context is taken out of the results.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.assembly import build_embedder
from qa.config import Settings
from qa.documents import splitting
from qa.engine import Engine
from qa.evaluation.metrics import calibration_error, f1, reliability
from qa.evaluation.squad import load_squad
from qa.index import fusion
from qa.index.catalog import Specification
from qa.index.registry import Indexes
from qa.models.inference import available_threads
from qa.models.shipped import open_model
from qa.reading import rounds
from qa.reading.answers import Ranked, candidates, rank_answers
from qa.reading.calibration import Calibration, Evidence, Scale, Weights
from qa.reading.reader import Reader, ShippedReader
from qa.reading.rounds import PASSAGES_READ, Found, passages_needed
from qa.training.examples import split
from qa.training.reliability import reliability_svg
from qa.training.second_opinion import SecondOpinion, second_opinion
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
WEIGHTS_TRIED = (0.0, 4.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0)
MARGINS_TRIED = (0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0)
# In at most one question of 200 may reading on have changed the best answer.
SAME_ANSWERS = 0.995
ANSWERS_FITTED = 3
# Almost none: there are far more questions than weights; it only keeps a weight finite that nothing decides.
_INVERSE_PENALTY = 100.0
_FOLDS = 5

# Gives no probabilities that are used: while fitting, only evidence and scores are looked at.
_EVEN = Weights(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_UNFITTED = Scale(_EVEN, _EVEN, 0.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with what is right, and the passages found for it with the candidates in each."""

    golds: tuple[str, ...]
    hits: Sequence[Hit]
    found: Found

    def until_settled(self, weight: float, margin: float) -> _Asked:
        """Return what is left if reading stops by the rule."""
        count = passages_needed(self.found, self.hits, weight, margin)
        return _Asked(self.golds, self.hits[:count], self.found[:count])


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
    reader = ShippedReader(open_model(folder), threads)
    embedder = build_embedder(settings, threads)
    questions, distractors = _held_out(data, seed)
    identities = (reader.identity, fusion.IDENTITY, splitting.IDENTITY, rounds.IDENTITY)
    empty = Calibration(*identities, 0.0, 0.0, _UNFITTED, _UNFITTED)
    specification = Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)
    with tempfile.TemporaryDirectory() as place:
        engine = Engine(Indexes(Path(place), specification), embedder, reader, empty)
        whole = _query(engine, questions, distractors)
        engine.close()
    read = _read(reader, questions)
    weight = max(WEIGHTS_TRIED, key=lambda w: _mean_f1(whole, w))
    margin = _stop_margin(whole, weight)
    queried = [asked.until_settled(weight, margin) for asked in whole]
    opinion = second_opinion(
        (answer.text, a.golds) for a in queried for answer in _ranked(a, weight).answers if len(a.golds) > 1
    )
    fitted = Calibration(*identities, weight, margin, _scale(queried, weight, opinion), _scale(read, 0.0, opinion))
    fitted.save(folder / "calibration.json")
    judged = {
        "through an index": _cross_validated(queried, weight, opinion),
        "single texts": _cross_validated(read, 0.0, opinion),
    }
    diagram = reliability_svg({name: reliability(*pairs) for name, pairs in judged.items()})
    (folder / "reliability.svg").write_text(diagram, encoding="utf-8")
    tried = ", ".join(f"{w:g}: {100 * _mean_f1(whole, w):.1f}" for w in WEIGHTS_TRIED)
    return [
        f"{len(queried)} questions through the index, {len(read)} of single texts",
        f"F1 of answerable questions by retrieval weight: {tried}",
        f"stop margin {margin:g}: reads {np.mean([len(asked.hits) for asked in queried]):.1f} passages of "
        f"{np.mean([len(asked.hits) for asked in whole]):.1f}, F1 {100 * _mean_f1(queried, weight):.1f}",
        "right by a second person, though not by the first, by F1: "
        + ", ".join(f"{share:.2f}" for share in opinion.shares),
        f"through the index: {fitted.query} {_at_threshold(queried, weight, fitted.query)}",
        f"single texts: {fitted.read} {_at_threshold(read, 0.0, fitted.read)}",
        *(
            f"cross-validated calibration error {name}: {calibration_error(*pairs):.3f}"
            for name, pairs in judged.items()
        ),
    ]


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


def _query(engine: Engine, questions: Sequence[_Question], distractors: Sequence[str]) -> list[_Asked]:
    contexts = list(dict.fromkeys([*(q.context for q in questions), *distractors]))
    number = {context: str(place) for place, context in enumerate(contexts)}
    engine.indexes.get_or_create("default")
    documents = [Document(id, context) for context, id in number.items()]
    for first in range(0, len(documents), 100):
        engine.add(documents[first : first + 100])
    asked = []
    answerable = [q for q in questions if q.golds]
    for question in questions:
        hits = engine.search(question.text, top_k=PASSAGES_READ).hits
        asked.append(_read_hits(engine.reader, question.text, question.golds, hits))
    for question in answerable[:: max(1, len(answerable) // WITHDRAWN)]:
        found = engine.search(question.text, top_k=2 * PASSAGES_READ).hits
        others = [hit for hit in found if hit.passage.document_id != number[question.context]]
        asked.append(_read_hits(engine.reader, question.text, (), others[:PASSAGES_READ]))
    return asked


def _read_hits(reader: Reader, question: str, golds: tuple[str, ...], hits: Sequence[Hit]) -> _Asked:
    logits = reader.read_batch([(question, hit.passage.text) for hit in hits])
    found = [candidates(hit, made, ANSWERS_FITTED) for hit, made in zip(hits, logits, strict=True)]
    return _Asked(golds, hits, found)


def _read(reader: Reader, questions: Sequence[_Question]) -> list[_Asked]:
    hits = [
        Hit(None, Passage("", Span(0, len(q.context)), q.context), None, None, {}, 0.0, 0.0, 0.0) for q in questions
    ]
    logits = reader.read_batch([(q.text, q.context) for q in questions])
    return [
        _Asked(q.golds, [hit], [candidates(hit, made, ANSWERS_FITTED)])
        for q, hit, made in zip(questions, hits, logits, strict=True)
    ]


def _stop_margin(asked: Sequence[_Asked], weight: float) -> float:
    """Return the smallest margin with which stopping nearly never changes the best answer; else the largest tried."""
    whole = [_best_text(_ranked(a, weight)) for a in asked]
    for margin in MARGINS_TRIED:
        stopped = [_best_text(_ranked(a.until_settled(weight, margin), weight)) for a in asked]
        if np.mean([one == other for one, other in zip(whole, stopped, strict=True)]) >= SAME_ANSWERS:
            return margin
    return MARGINS_TRIED[-1]


def _ranked(asked: _Asked, weight: float) -> Ranked:
    return rank_answers(chain.from_iterable(asked.found), weight, _UNFITTED, ANSWERS_FITTED)


def _mean_f1(asked: Sequence[_Asked], weight: float) -> float:
    """Return the mean F1 of the best answer to the questions that have one."""
    return float(np.mean([f1(_best_text(_ranked(a, weight)), a.golds) for a in asked if a.golds]))


def _best_text(ranked: Ranked) -> str:
    return ranked.answers[0].text if ranked.answers else ""


def _scale(asked: Sequence[_Asked], weight: float, opinion: SecondOpinion) -> Scale:
    """Fit both probabilities, then the threshold on confidence."""
    found = [(a, ranked) for a in asked if (ranked := _ranked(a, weight)).answers]
    sure = _right(found, opinion)
    unanswerable = _fitted([ranked.evidence[0] for _, ranked in found], [float(not a.golds) for a, _ in found])
    return Scale(sure, unanswerable, _threshold(found, sure))


def _cross_validated(asked: Sequence[_Asked], weight: float, opinion: SecondOpinion) -> tuple[list[float], list[float]]:
    """Return the best answers' confidences by weights fitted on the other folds, and how right they are."""
    found = [(a, ranked) for a in asked if (ranked := _ranked(a, weight)).answers]
    confidences: list[float] = []
    right: list[float] = []
    for fold in range(_FOLDS):
        others = [row for place, row in enumerate(found) if place % _FOLDS != fold]
        sure = _right(others, opinion)
        for a, ranked in found[fold::_FOLDS]:
            confidences.append(sure.probability(ranked.evidence[0]))
            right.append(opinion.rightness(_best_text(ranked), a.golds))
    return confidences, right


def _right(found: Sequence[tuple[_Asked, Ranked]], opinion: SecondOpinion) -> Weights:
    """Fit the probability that an answer is right, on the best answer and those behind it."""
    marks = [opinion.rightness(answer.text, a.golds) for a, ranked in found for answer in ranked.answers]
    return _fitted([evidence for _, ranked in found for evidence in ranked.evidence], marks)


def _fitted(evidence: Sequence[Evidence], shares: Sequence[float]) -> Weights:
    """Fit probabilities to shares from 0 to 1: each row counts as both outcomes, by its share."""
    rows, outcomes = np.array([*evidence, *evidence]), [True] * len(evidence) + [False] * len(evidence)
    weights = np.array([*shares, *(1 - share for share in shares)])
    regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=10_000)
    fitted = regression.fit(rows, outcomes, sample_weight=weights)
    reader, retrieval, lead, gap, support = fitted.coef_[0].tolist()
    return Weights(reader, retrieval, lead, gap, support, float(fitted.intercept_[0]))


def _threshold(found: Sequence[tuple[_Asked, Ranked]], sure: Weights) -> float:
    """Return the confidence from which on answers are given: best where two of three questions can be answered.

    That is SQuAD 2.0's proportion in its training part.
    """
    points = [(sure.probability(ranked.evidence[0]), a, _best_text(ranked)) for a, ranked in found]
    grid = np.quantile([confidence for confidence, _, _ in points], np.linspace(0, 0.95, 96))

    def worth(threshold: float) -> float:
        given = [f1(text, a.golds) * (c >= threshold) for c, a, text in points if a.golds]
        refused = [float(c < threshold) for c, a, _ in points if not a.golds]
        return float(2 * np.mean(given) + np.mean(refused))

    return round(float(max(grid, key=worth)), 4)


def _at_threshold(asked: Sequence[_Asked], weight: float, scale: Scale) -> str:
    given: dict[bool, list[bool]] = {True: [], False: []}
    for a in asked:
        ranked = _ranked(a, weight)
        sure = bool(ranked.answers) and scale.right.probability(ranked.evidence[0]) >= scale.threshold
        given[bool(a.golds)].append(sure)
    answered, refused = np.mean(given[True]), 1 - np.mean(given[False])
    return f"(gives {answered:.0%} of the answerable an answer, refuses {refused:.0%} of the others)"
