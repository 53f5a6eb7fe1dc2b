"""How much of a question the best sentence of a passage covers (pure).

An answer stands where the question's words stand together. BM25 counts them in the whole passage, however far apart;
this counts them sentence by sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

_SENTENCE_END = re.compile(r"[.!?…][.!?…\"'”’»)\]]*\s+")
# Runs of letters and digits, as the postings' tokenizer has them.
_WORD = re.compile(r"[^\W_]+")
# Characters; what is longer is a table or a list, whose lines are looked at one by one.
_LONGEST_SENTENCE = 400


def coverage(weights: Mapping[str, float], text: str, titles: Sequence[str], stem: Callable[[str], str]) -> float:
    """Return which share of the question's weight the best sentence has, from 0.0 to 1.0.

    Args:
        weights: of the question's stems.
        text: of the passage.
        titles: of its document and section; every sentence stands under them.
        stem: of a word in lower case.
    """
    whole = sum(weights.values())
    if not whole:
        return 0.0
    above = _WORD.findall("\n".join(titles).lower())
    sentences = [[*above, *_WORD.findall(sentence)] for sentence in _sentences(text.lower())]
    stems = {word: stem(word) for word in {word for sentence in sentences for word in sentence}}
    asked = {word: found for word, found in stems.items() if found in weights}
    return max(_weight(weights, {asked[word] for word in s if word in asked}) for s in sentences) / whole


def _weight(weights: Mapping[str, float], found: set[str]) -> float:
    # In the order of the question: sums in another one differ in the last bit.
    return sum(weight for term, weight in weights.items() if term in found)


def _sentences(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        for piece in _SENTENCE_END.split(paragraph):
            yield from piece.split("\n") if len(piece) > _LONGEST_SENTENCE else (piece,)
