"""How much of a question the best sentence of a passage covers (pure).

An answer stands where the question's words stand together. BM25 counts them in the whole passage, however far apart;
this counts them sentence by sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from qa.text.sentences import sentences


def coverage(
    weights: Mapping[str, float], text: str, titles: Sequence[str], stems: Callable[[str], Iterable[str]]
) -> float:
    """Return which share of the question's weight the best sentence has, from 0.0 to 1.0.

    Args:
        weights: of the question's stems.
        text: of the passage.
        titles: of its document and section; every sentence stands under them.
        stems: of a text.
    """
    whole = sum(weights.values())
    if not whole:
        return 0.0
    above = {stem for title in titles for stem in stems(title)}
    found = (above.union(stems(sentence)) for sentence in sentences(text))
    # In the order of the question: sums in another one differ in the last bit.
    return max(sum(w for stem, w in weights.items() if stem in one) for one in found) / whole
