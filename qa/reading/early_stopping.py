"""Decide how many retrieved passages to read: best first, in rounds, until no unread passage can win.

The rule assumes that an unread passage reaches at most its retrieval score plus `stop_margin`. That margin is fitted to
exceed almost everything the reader adds to a best answer. The rule looks only at the question's own passages, and the
rounds are the same on every machine. The same passages are therefore read for a question, alone or in a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from qa.reading.answers import Candidate, PassageCandidates, find_candidates
from qa.reading.evidence import UnitCandidate, find_units
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair, Reader
from qa.results import Hit
from qa.search.long_questions import lead_with_asking
from qa.text.headings import headings_above

# Two passages keep two cores busy and are enough for most questions. Most of the others need all ten.
ROUND_SIZES = (2, 4, 4)
MAX_PASSAGES_READ = sum(ROUND_SIZES)
# Names the rule that selects the passages to read, apart from the margin. It is part of a calibration.
IDENTITY = "rounds-" + "-".join(map(str, ROUND_SIZES)) + "-v2"


class Reading(NamedTuple):
    """What the passages that were read for a question contain: for each of them, its candidates and its units."""

    candidates: PassageCandidates
    units: Sequence[Sequence[UnitCandidate]]


def read_passages(
    reader: Reader,
    questions: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    retrieval_weight: float,
    stop_margin: float,
    count: int,
) -> list[Reading]:
    """Read as many passages as each question needs.

    Args:
        reader: the reader.
        questions: the questions.
        hits: the passages retrieved for each question, best first.
        retrieval_weight: logits that a fused retrieval score of 1 is worth.
        stop_margin: logits that the reader can add to the retrieval score.
        count: number of answers to rank for each question.

    Returns:
        For each question, what the passages contain that were read, which are the first of its hits.
    """
    candidates: list[list[list[Candidate]]] = [[] for _ in questions]
    units: list[list[list[UnitCandidate]]] = [[] for _ in questions]
    active = list(range(len(questions)))
    for size in ROUND_SIZES:
        if not active:
            break
        batch = [(index, hit) for index in active for hit in hits[index][len(candidates[index]) :][:size]]
        logits = reader.read_batch([build_pair(questions[index], hit) for index, hit in batch])
        for (index, hit), passage_logits in zip(batch, logits, strict=True):
            candidates[index].append(find_candidates(hit, passage_logits, count))
            units[index].append(find_units(hit, passage_logits))
        active = [i for i in active if not should_stop(candidates[i], hits[i], retrieval_weight, stop_margin)]
    return [Reading(*parts) for parts in zip(candidates, units, strict=True)]


def build_pair(question: str, hit: Hit) -> Pair:
    """Return the reader's input for a hit: its passage, with the headings that are indexed with it.

    Each title ends in a full stop, because the reader was trained on running text.
    """
    passage = hit.passage
    titles = headings_above(passage.text, hit.title, passage.marks)
    return Pair(lead_with_asking(question), ReaderText.of(passage), " ".join(f"{title}." for title in titles))


def count_passages_needed(
    candidates: PassageCandidates, hits: Sequence[Hit], retrieval_weight: float, stop_margin: float
) -> int:
    """Return how many passages the rule would have read, given the candidates of all of them (pure)."""
    count = 0
    for size in ROUND_SIZES:
        count = min(count + size, len(hits))
        if should_stop(candidates[:count], hits, retrieval_weight, stop_margin):
            break
    return count


def should_stop(
    candidates: PassageCandidates, hits: Sequence[Hit], retrieval_weight: float, stop_margin: float
) -> bool:
    """Return whether no unread passage can beat the best candidate of the passages read (pure)."""
    unread = hits[len(candidates) :]
    if not unread:
        return True
    best = max((c.score(retrieval_weight) for c in chain.from_iterable(candidates)), default=float("-inf"))
    return best >= retrieval_weight * unread[0].retrieval + stop_margin
