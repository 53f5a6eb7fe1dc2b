"""Ask questions that a reader never saw in training, and gather the candidates that a calibration is fitted to.

There are three ways to ask: of a whole index, of one document of it, and of a single text without an index.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qa.engine import Engine
from qa.evaluation.squad import load_squad
from qa.reading.answers import find_candidates
from qa.reading.early_stopping import MAX_PASSAGES_READ, build_pair
from qa.reading.reader import Pair, Reader
from qa.results import Hit
from qa.search.fusion import CANDIDATES
from qa.training.calibration.parameters import ANSWERS_FITTED, QuestionCandidates
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
# Questions whose source document is removed, about.
_SOURCE_REMOVED = 200
# Contexts of other questions in the index.
_DISTRACTORS = 900
_DOCUMENTS_PER_WRITE = 100


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question on a document that the reader was not trained on.

    Attributes:
        text: the question.
        golds: gold answers; empty if no document answers it.
        document: the document; questions on the same document share its id.
        group: data set or kind of document; limits on wrong answers hold for each group.
        adversarial: whether it is unanswerable and was written with the document in view, to mislead a reader.
    """

    text: str
    golds: tuple[str, ...]
    document: Document
    group: str
    adversarial: bool = False


def sample_held_out(data: Path, seed: int) -> tuple[list[HeldOutQuestion], list[Document]]:
    """Return questions of the held-out part of the training files, and distractors: contexts of the other part."""
    chooser = random.Random(seed)
    questions: list[HeldOutQuestion] = []
    documents: dict[str, Document] = {}
    distractors: list[str] = []
    for file in FILES:
        kept, held_out = split(load_squad(data / file))
        group = Path(file).stem
        pool = []
        for q in held_out.questions:
            golds, context = held_out.gold_texts(q), held_out.contexts[q.context]
            document = documents.setdefault(context, Document(f"context-{len(documents)}", context))
            pool.append(HeldOutQuestion(q.text, golds, document, group, adversarial=not golds))
        answerable, unanswerable = [q for q in pool if q.golds], [q for q in pool if not q.golds]
        questions += chooser.sample(answerable, min(len(answerable), _ANSWERABLE[file]))
        questions += chooser.sample(unanswerable, min(len(unanswerable), _UNANSWERABLE))
        distractors += sorted({kept.contexts[q.context] for q in kept.questions})
    sampled = chooser.sample(distractors, min(len(distractors), _DISTRACTORS))
    return questions, [Document(f"distractor-{number}", text) for number, text in enumerate(sampled)]


def ask_index(
    engine: Engine, questions: Sequence[HeldOutQuestion], distractors: Sequence[Document] = ()
) -> list[QuestionCandidates]:
    """Index all documents, then ask each question.

    Args:
        engine: an engine whose default index does not exist yet.
        questions: the questions.
        distractors: further documents to index.
    """
    documents = list({d.id: d for d in (*(q.document for q in questions), *distractors)}.values())
    engine.indexes.get_or_create("default")
    for first in range(0, len(documents), _DOCUMENTS_PER_WRITE):
        engine.add(documents[first : first + _DOCUMENTS_PER_WRITE])
    results = []
    for question in questions:
        hits = engine.search(question.text, top_k=MAX_PASSAGES_READ, by_sentence=False).hits
        results.append(_read_hits(engine.reader, question, hits))
    return results


def ask_without_source(engine: Engine, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask some answerable questions of the index that `ask_index` made, with their document removed from the results.

    They count as unanswerable, so no other document may answer them.
    """
    results = []
    answerable = [q for q in questions if q.golds]
    for question in answerable[:: max(1, len(answerable) // _SOURCE_REMOVED)]:
        hits = engine.search(question.text, top_k=CANDIDATES, by_sentence=False).hits
        others = [hit for hit in hits if hit.document_id != question.document.id]
        results.append(_read_hits(engine.reader, replace(question, golds=()), others[:MAX_PASSAGES_READ]))
    return results


def ask_documents(engine: Engine, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask each question of its own document in the index that `ask_index` made."""
    results = []
    for question in questions:
        only = {"document_id": question.document.id}
        hits = engine.search(question.text, top_k=MAX_PASSAGES_READ, filters=only, by_sentence=False).hits
        named = replace(question, group=f"{question.group}, one document")
        results.append(_read_hits(engine.reader, named, hits))
    return results


def ask_texts(reader: Reader, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask each question of the text of its document alone, without an index.

    The author of a question on a single text may have it in view: unanswerable questions count as adversarial.
    """
    texts = [question.document.text for question in questions]
    hits = [Hit(None, Passage("", Span(0, len(text)), text), None, None, {}, 0.0, 0.0, 0.0) for text in texts]
    logits = reader.read_batch([Pair(q.text, text) for q, text in zip(questions, texts, strict=True)])
    return [
        QuestionCandidates(
            q.golds, [hit], [find_candidates(hit, of_text, ANSWERS_FITTED)], adversarial=not q.golds, group=q.group
        )
        for q, hit, of_text in zip(questions, hits, logits, strict=True)
    ]


def _read_hits(reader: Reader, question: HeldOutQuestion, hits: Sequence[Hit]) -> QuestionCandidates:
    passages = reader.read_batch([build_pair(question.text, hit) for hit in hits])
    candidates = [find_candidates(hit, logits, ANSWERS_FITTED) for hit, logits in zip(hits, passages, strict=True)]
    return QuestionCandidates(question.golds, hits, candidates, adversarial=question.adversarial, group=question.group)
