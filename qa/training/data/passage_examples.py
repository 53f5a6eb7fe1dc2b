"""Training examples from labelled documents: each question with a passage as the product reads it, and with others.

Passages are split, titled and led in as in an index, so the reader sees in training what it sees in use.
"""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from qa.documents.splitting import TokenStarts, split
from qa.evaluation.labelled_documents import DocumentQuestion, LabelledDocument
from qa.index.lexical import LexicalIndex
from qa.reading.passage_tokens import ReaderText, units_of
from qa.text.headings import headings_above, search_text
from qa.training.data.examples import normalise
from qa.types import Passage, Span

# Passages that are ranked for a question, and those of its document and of others that may become its negatives.
_RANKED, _CANDIDATES = 60, 6
# An answer of fewer characters, such as "3" or "no", also stands where it answers nothing.
_MIN_TELLING = 5


@dataclass(frozen=True, slots=True)
class PassageExample:
    """A question with one passage.

    Attributes:
        question: text of the question.
        titles: headings above the passage, as the reader sees them.
        passage: the passage.
        answers: the answer in the passage, or each of several things that answer together; empty if it has none; None
            if it is not labelled.
        evidence: unit spans of the passage that answer (true) or do not (false); units of unknown use are missing.
    """

    question: str
    titles: str
    passage: ReaderText
    answers: tuple[Span, ...] | None
    evidence: tuple[tuple[Span, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A passage of a document, and what is needed to read and rank it."""

    passage: Passage
    text: ReaderText
    titles: str
    units: tuple[Span, ...]
    normalised: str
    searchable: str = field(repr=False)


def is_held_out_file(file: str, percent: int) -> bool:
    """Return whether a document belongs to the held-out part.

    The first two words of the file's name decide, so that versions and sister documents are on the same side.
    """
    stem = "-".join(re.split(r"[-_. ]", Path(file).stem.lower())[:2])
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big") % 100 < percent


def titles_above(passage: Passage, title: str | None) -> str:
    """Return the headings above a passage as the reader sees them; each ends in a full stop."""
    return " ".join(f"{heading}." for heading in headings_above(passage.text, title, passage.marks))


def passage_groups(
    documents: Sequence[LabelledDocument], token_starts: TokenStarts, seed: int, negatives: float
) -> list[tuple[PassageExample, ...]]:
    """Return for each question its passages: first one with the answer, if there is one, then ones without.

    Args:
        documents: the documents with their questions.
        token_starts: the embedder's tokeniser, which decides where passages end.
        seed: decides which passages are used.
        negatives: share of the answerable questions that also get a passage without the answer.
    """
    places = [
        [_place(passage, labelled) for passage in split(labelled.document, token_starts)] for labelled in documents
    ]
    everywhere = list(chain.from_iterable(places))
    chooser = random.Random(f"{seed}:passages")
    groups = []
    with tempfile.TemporaryDirectory() as folder:
        index = LexicalIndex(Path(folder) / "lexical", create=True)
        index.apply((), enumerate(place.searchable for place in everywhere), 1, "-")
        searcher = index.searcher()
        for labelled, own in zip(documents, places, strict=True):
            for question in labelled.questions:
                ranked = [everywhere[id] for id, _ in searcher.search(question.text, _RANKED)]
                groups.append(_group(question, labelled, own, ranked, chooser, negatives))
    return [group for group in groups if group]


def _place(passage: Passage, labelled: LabelledDocument) -> _Place:
    text = ReaderText.of(passage)
    title = labelled.document.title
    searchable = search_text(passage.text, title, passage.marks, passage.lead_in)
    return _Place(
        passage,
        text,
        titles_above(passage, title),
        units_of(text, text.structure()),
        f" {normalise(passage.text)} ",
        searchable,
    )


def _group(
    question: DocumentQuestion,
    labelled: LabelledDocument,
    own: Sequence[_Place],
    ranked: Sequence[_Place],
    chooser: random.Random,
    negatives: float,
) -> tuple[PassageExample, ...]:
    labels = (*question.answers[:1], *question.items, *question.evidence)
    texts = [f" {normalise(span.of(labelled.document.text))} " for span in question.answers]
    telling = [text for text in texts if len(text) >= _MIN_TELLING + 2]
    own_ids = {id(place) for place in own}
    wrong = [
        place
        for place in ranked
        if not any(text in place.normalised for text in telling)
        and not (id(place) in own_ids and any(label.overlaps(place.passage.span) for label in labels))
    ]
    wrong_own = [place for place in wrong if id(place) in own_ids][:_CANDIDATES]
    wrong_other = [place for place in wrong if id(place) not in own_ids][:_CANDIDATES]
    if not question.answerable:
        return tuple(_negative(question, place) for place in wrong_own[: chooser.choice((1, 2))])
    target = question.answers[:1] or question.evidence
    holding = [place for place in own if any(_contains(place.passage.span, span) for span in target)]
    if not holding:
        return ()
    # Mostly the passage with the most of the evidence, as retrieval would rank it.
    holding.sort(key=lambda place: -sum(_contains(place.passage.span, span) for span in labels))
    place = holding[0] if chooser.random() < 0.7 else chooser.choice(holding)
    group = [_positive(question, place)]
    pool = wrong_own if wrong_own and (chooser.random() < 0.65 or not wrong_other) else wrong_other
    if pool and chooser.random() < negatives:
        group.append(_negative(question, pool[min(int(chooser.expovariate(0.8)), len(pool) - 1)]))
    return tuple(group)


def _positive(question: DocumentQuestion, place: _Place) -> PassageExample:
    span = place.passage.span
    items = _within(question.items, span) if len(question.items) > 1 else ()
    answers = items or _within(question.answers[:1], span) or None
    evidence = _within(question.evidence, span, whole=False)
    if question.evidence:
        marks = tuple((unit, _is_marked(unit, evidence)) for unit in place.units)
    else:
        marks = weak_evidence(place.units, answers or ())
    return PassageExample(question.text, place.titles, place.text, answers, marks)


def _negative(question: DocumentQuestion, place: _Place) -> PassageExample:
    marks = tuple((unit, False) for unit in place.units)
    return PassageExample(question.text, place.titles, place.text, (), marks)


def weak_evidence(found: Sequence[Span], answers: Sequence[Span]) -> tuple[tuple[Span, bool], ...]:
    """Return labels of units where only the answer is known.

    The unit with the answer answers. Its neighbours may help, so they are left out.
    """
    positive = {number for number, unit in enumerate(found) if any(unit.overlaps(answer) for answer in answers)}
    near = {neighbour for number in positive for neighbour in (number - 1, number + 1)} - positive
    return tuple((unit, number in positive) for number, unit in enumerate(found) if number not in near)


def _is_marked(unit: Span, evidence: Iterable[Span]) -> bool:
    """Return whether evidence covers most of a unit, or is a good part of it."""
    shared = sum(max(0, min(unit.end, span.end) - max(unit.start, span.start)) for span in evidence)
    return 2 * shared >= len(unit) or any(unit.start <= span.start and span.end <= unit.end for span in evidence)


def _within(spans: Sequence[Span], passage: Span, *, whole: bool = True) -> tuple[Span, ...]:
    """Return the spans of a document that are in a passage, with offsets that count in the passage."""
    if whole:
        return tuple(span.shift(-passage.start) for span in spans if _contains(passage, span))
    clipped = ((max(span.start, passage.start), min(span.end, passage.end)) for span in spans)
    return tuple(Span(start - passage.start, end - passage.start) for start, end in clipped if start < end)


def _contains(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
