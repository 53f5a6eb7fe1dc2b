"""The share of a question that a passage's best sentence covers (pure).

An answer is usually in a sentence that contains several of the question's terms. BM25 counts terms anywhere in the
passage; sentence coverage counts them sentence by sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from qa.text.sentences import sentences


def coverage(
    weights: Mapping[str, float], text: str, titles: Sequence[str], analyze: Callable[[str], Iterable[str]]
) -> float:
    """Return the share of the question's weight that the best sentence has, from 0.0 to 1.0.

    Args:
        weights: weight of each of the question's terms.
        text: text of the passage.
        titles: titles of the document and section; their terms count for every sentence.
        analyze: returns the terms of a text.
    """
    total = sum(weights.values())
    if not total:
        return 0.0
    title_terms = {term for title in titles for term in analyze(title)}
    term_sets = (title_terms.union(analyze(sentence)) for sentence in sentences(text))
    # Sum in the order of the question: another order can change the last bit of the result.
    return max(sum(w for term, w in weights.items() if term in terms) for terms in term_sets) / total
