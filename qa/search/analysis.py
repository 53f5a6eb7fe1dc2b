"""Query analysis: which terms of a question count, and how much (pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise

# BM25's term saturation; tantivy's is fixed at this value.
_K1 = 1.2
# These words say what type of answer is expected. They are rare in documents, so BM25 would weight them heavily.
# As names (May, the Who) they count.
QUESTION_WORDS = (
    *("what", "which", "who", "whom", "whose", "when", "where", "why", "how"),
    *("do", "does", "did", "done", "has", "have", "had", "was", "were", "been", "being", "am"),
    *("can", "could", "will", "would", "shall", "should", "may", "might", "must"),
)
_WORD = re.compile(r"\w+")
_MARK = re.compile(r"[-./:_]\w")
# Words joined by marks, with the dashes of an option before them.
_JOINED = re.compile(r"(?:(?<![\w-])--?(?=[^\W_]))?\w+(?:[-./:]\w+)*")
_IDENTIFIER_MARK = re.compile(r"^-|\d.*[-./:]|[-./:].*\d|[^\W_]_+[^\W_]|\w\w\.\w\w")
_MAX_IDENTIFIER = 80
_SENTENCE_START = re.compile(r"(^|[.?!:])[\s\"'“‘(]*$")


def question_terms(question: str, analyze: Callable[[str], Sequence[str]]) -> list[str]:
    """Return a question's distinct terms in order, without question words unless it has no others.

    Args:
        question: plain text.
        analyze: returns the terms of a text: stemmed, without stop words.
    """
    return list(dict.fromkeys(analyze(_drop_question_words(question)) or analyze(question)))


def identifiers(text: str) -> list[str]:
    """Return the identifiers in a text, in lower case, such as `4.6.1`, `max_connections`, `--no-cache` or `e-17`.

    They are terms besides the words that they consist of. A single word or number is none, as it is a term anyway.
    """
    # Most words are letters only, which is quicker to see than to search.
    marked = (word for word in text.lower().split() if not word.isalnum() and _MARK.search(word))
    joined = chain.from_iterable(map(_JOINED.findall, marked))
    return [name for name in joined if len(name) <= _MAX_IDENTIFIER and _IDENTIFIER_MARK.search(name)]


def term_pairs(terms: Sequence[str]) -> list[str]:
    """Return the terms for neighbouring words, such as `steam_engin`."""
    return [f"{first}_{second}" for first, second in pairwise(terms)]


def term_weights(document_frequencies: Mapping[str, int], passages: int) -> dict[str, float]:
    """Return the inverse document frequency of each term, as BM25 defines it.

    Args:
        document_frequencies: for each term the number of passages that contain it; may be 0.
        passages: the number of passages in the index.
    """
    return {term: math.log(1 + (passages - n + 0.5) / (n + 0.5)) for term, n in document_frequencies.items()}


def bm25_ceiling(weights: Mapping[str, float]) -> float:
    """Return the BM25 score of a passage that repeats a question's terms without end."""
    return (1 + _K1) * sum(weights.values())


def _drop_question_words(question: str) -> str:
    later_words = _WORD.findall(question)[1:]
    # In a question typed in title case or capitals, a capital letter does not mark a name.
    capitals_mark_names = 2 * sum(word.islower() for word in later_words) >= len(later_words)

    def keep(match: re.Match[str]) -> str:
        is_name = (
            capitals_mark_names and match[0][0].isupper() and not _SENTENCE_START.search(question[: match.start()])
        )
        return match[0] if is_name or match[0].casefold() not in QUESTION_WORDS else ""

    return _WORD.sub(keep, question)
