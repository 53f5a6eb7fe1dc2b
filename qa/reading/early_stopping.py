"""How many of the passages that were found are read: in rounds, the most promising first, until the rest cannot win.

An unread passage is taken to reach at most what its retrieval score gives it plus `stop_margin`, which was fitted to be
more than the reader nearly ever adds to a best answer. The rule looks at the question's own passages only, and rounds
do not depend on the machine: whatever is asked beside a question, the same of its passages are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from qa.reading.answers import Candidate, Found, candidates
from qa.reading.reader import Pair, Reader
from qa.text.headings import headings_above
from qa.types import Hit

# Two keep two cores busy, and settle most questions; what they leave open is mostly read to the end.
ROUNDS = (2, 4, 4)
PASSAGES_READ = sum(ROUNDS)
# Names what decides which passages are read, beside the margin; part of the calibration's specification.
IDENTITY = "rounds-" + "-".join(map(str, ROUNDS)) + "-v1"


def read_until_settled(
    reader: Reader,
    questions: Sequence[str],
    hits: Sequence[Sequence[Hit]],
    retrieval_weight: float,
    stop_margin: float,
    count: int,
) -> list[Found]:
    """Read for each question the passages it needs; questions that are settled are not read on.

    Args:
        reader: reads.
        questions: what is asked.
        hits: the passages found for each question, best first.
        retrieval_weight: what the fused retrieval score of 1 is worth in logits.
        stop_margin: how much the reader may add to that, in logits.
        count: how many answers are wanted.

    Returns:
        For each question, the candidates of its first passages, as many as were read.
    """
    read: list[list[list[Candidate]]] = [[] for _ in questions]
    unsettled = list(range(len(questions)))
    for size in ROUNDS:
        if not unsettled:
            break
        asked = [(place, hit) for place in unsettled for hit in hits[place][len(read[place]) :][:size]]
        logits = reader.read_batch([pair_of(questions[place], hit) for place, hit in asked])
        for (place, hit), made in zip(asked, logits, strict=True):
            read[place].append(candidates(hit, made, count))
        unsettled = [p for p in unsettled if not is_settled(read[p], hits[p], retrieval_weight, stop_margin)]
    return list(read)


def pair_of(question: str, hit: Hit) -> Pair:
    """Return what the reader is asked of a hit: its passage, under the titles that it was found by, too.

    They stand there as sentences: the reader was taught on running text.
    """
    passage = hit.passage
    titles = headings_above(passage.text, hit.title, passage.marks)
    return Pair(question, passage.text, " ".join(f"{title}." for title in titles))


def passages_needed(found: Found, hits: Sequence[Hit], retrieval_weight: float, stop_margin: float) -> int:
    """Return how many passages would have been read, where all of them were (pure)."""
    count = 0
    for size in ROUNDS:
        count = min(count + size, len(hits))
        if is_settled(found[:count], hits, retrieval_weight, stop_margin):
            break
    return count


def is_settled(found: Found, hits: Sequence[Hit], retrieval_weight: float, stop_margin: float) -> bool:
    """Tell whether no passage is left that may beat the best candidate of the first ones (pure)."""
    unread = hits[len(found) :]
    if not unread:
        return True
    best = max((c.score(retrieval_weight) for c in chain.from_iterable(found)), default=float("-inf"))
    return best >= retrieval_weight * unread[0].retrieval + stop_margin
