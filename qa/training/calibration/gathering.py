"""Ask questions that a reader never saw in training, and gather the candidates that a calibration is fitted to.

There are three ways to ask: of a whole index, of one document in it, and of a single text without an index.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qa.engine import Engine
from qa.evaluation.labelled_documents import LabelledDocument
from qa.evaluation.squad import load_squad
from qa.reading.answers import find_candidates
from qa.reading.early_stopping import MAX_PASSAGES_READ, build_pair
from qa.reading.evidence import find_units
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair, Reader
from qa.reading.spans import PassageLogits
from qa.results import Hit, SearchResult
from qa.search.fusion import CANDIDATES
from qa.training.calibration.parameters import ANSWERS_FITTED, QuestionCandidates
from qa.training.calibration.unit_scale import QuestionUnits
from qa.training.data.examples import split
from qa.training.data.passage_examples import is_held_out_file
from qa.types import Document, Passage, Span

FILES = ("squad.json", "nq_qed.json", "squadshifts_reddit.json", "squadshifts_amazon.json")
# Answerable questions of each file.
_ANSWERABLE = {
    "squad.json": 200,
    "nq_qed.json": 100,
    "squadshifts_reddit.json": 50,
    "squadshifts_amazon.json": 50,
}
# Unanswerable questions of each file, at most.
_UNANSWERABLE = 100
# Questions whose source document is removed, about.
_SOURCE_REMOVED = 80
# Contexts of other questions in the index.
_DISTRACTORS = 900
_DOCUMENTS_PER_WRITE = 100
# Questions of each file of labelled documents, at most.
_LABELLED = 400


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question on a document that the reader was not trained on.

    Attributes:
        text: the question.
        golds: gold answers; empty if no document answers it.
        document: the document; questions on the same document share its id.
        group: data set or kind of document; limits on wrong answers hold for each group.
        adversarial: whether it is unanswerable and was written with the document in view, to mislead a reader.
        evidence: all spans of the document that answer; None if they are not labelled.
        lenient: as in `QuestionCandidates`.
        items: as in `QuestionCandidates`.
        only_evidence: as in `QuestionCandidates`.
    """

    text: str
    golds: tuple[str, ...]
    document: Document
    group: str
    adversarial: bool = False
    evidence: tuple[Span, ...] | None = None
    lenient: bool = False
    items: tuple[str, ...] = ()
    only_evidence: bool = False


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


def held_out_documents(documents: Sequence[LabelledDocument], percent: int, seed: int) -> list[HeldOutQuestion]:
    """Return at most 400 questions on the documents of the held-out part; the files' names decide which are held out.

    Questions of which only evidence is labelled have no gold answer, and only units are fitted on them.
    """
    questions = []
    for labelled in documents:
        if not is_held_out_file(labelled.file, percent):
            continue
        for question in labelled.questions:
            golds = tuple(span.of(labelled.document.text) for span in question.answers)
            evidence = question.evidence if question.evidence or not question.answerable else None
            items = tuple(span.of(labelled.document.text) for span in question.items or question.answers[:1])
            questions.append(
                HeldOutQuestion(
                    question.text,
                    golds,
                    labelled.document,
                    labelled.genre,
                    evidence=evidence,
                    lenient=True,
                    items=items,
                    only_evidence=bool(question.evidence and not question.answers),
                )
            )
    return random.Random(seed).sample(questions, min(len(questions), _LABELLED))


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
        search = engine.search(question.text, top_k=MAX_PASSAGES_READ, by_sentence=False)
        results.append(_read_hits(engine.reader, _as_searched(question, search), search.hits))
    return results


def ask_without_source(engine: Engine, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask some answerable questions of the index that `ask_index` made, with their document removed from the results.

    They count as unanswerable, so no other document may answer them.
    """
    results = []
    answerable = [q for q in questions if q.golds]
    for question in answerable[:: max(1, len(answerable) // _SOURCE_REMOVED)]:
        search = engine.search(question.text, top_k=CANDIDATES, by_sentence=False)
        others = [hit for hit in search.hits if hit.document_id != question.document.id]
        without = replace(
            _as_searched(question, search), golds=(), items=(), evidence=None if question.evidence is None else ()
        )
        results.append(_read_hits(engine.reader, without, others[:MAX_PASSAGES_READ]))
    return results


def ask_documents(engine: Engine, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask each question of the document that it is on, in the index that `ask_index` made."""
    results = []
    for question in questions:
        only = {"document_id": question.document.id}
        search = engine.search(question.text, top_k=MAX_PASSAGES_READ, filters=only, by_sentence=False)
        named = replace(_as_searched(question, search), group=f"{question.group}, one document")
        results.append(_read_hits(engine.reader, named, search.hits))
    return results


def ask_texts(reader: Reader, questions: Sequence[HeldOutQuestion]) -> list[QuestionCandidates]:
    """Ask each question of the text of its document alone, without an index.

    The author of a question on a single paragraph had it in view: its unanswerable questions count as adversarial.
    """
    hits = [Hit(None, _whole(question.document), None, None, {}, 0.0, 0.0, 0.0) for question in questions]
    logits = reader.read_batch(
        [Pair(q.text, ReaderText.of(hit.passage)) for q, hit in zip(questions, hits, strict=True)]
    )
    return [
        _gather(
            replace(question, adversarial=not question.golds and not question.lenient), [hit], [of_text], document_id=""
        )
        for question, hit, of_text in zip(questions, hits, logits, strict=True)
    ]


def _whole(document: Document) -> Passage:
    """Return a document as a text that is not in an index."""
    return Passage("", Span(0, len(document.text)), document.text, tables=document.tables)


def _as_searched(question: HeldOutQuestion, search: SearchResult) -> HeldOutQuestion:
    """Return the question with its spelling corrected, as it is read."""
    return replace(question, text=search.corrected or question.text)


def _read_hits(reader: Reader, question: HeldOutQuestion, hits: Sequence[Hit]) -> QuestionCandidates:
    passages = reader.read_batch([build_pair(question.text, hit) for hit in hits])
    return _gather(question, hits, passages, question.document.id)


def _gather(
    question: HeldOutQuestion, hits: Sequence[Hit], passages: Sequence[PassageLogits], document_id: str
) -> QuestionCandidates:
    read = list(zip(hits, passages, strict=True))
    units = None
    if question.evidence is not None:
        found = [find_units(hit, logits) for hit, logits in read]
        units = QuestionUnits(found, document_id, question.evidence)
    return QuestionCandidates(
        question.golds,
        hits,
        [find_candidates(hit, logits, ANSWERS_FITTED) for hit, logits in read],
        adversarial=question.adversarial,
        group=question.group,
        lenient=question.lenient,
        items=question.items,
        only_evidence=question.only_evidence,
        units=units,
    )
