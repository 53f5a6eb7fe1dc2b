"""Correct misspelt words of a question from the vocabulary of the index (pure).

No dictionary is at hand, so a correct word that the documents do not contain must not be taken for an error. Two rules
protect it. A word is known if it, or its parts, are in the vocabulary of the embedder's tokeniser. Any other word is
corrected only by errors that people make: letters swapped, doubled or left out, and letters confused by sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from typing import Protocol

from qa.search.analysis import QUESTION_WORDS

# Shorter words have too many neighbours. A word of this length that lacks a letter is corrected to question words only.
_MIN_LETTERS = 4
# In a shorter word a letter that is confused by sound is no likely error.
_MIN_LETTERS_FOR_SOUND = 6
# Costs of errors. An unlikely one costs more than a word may have.
_DOUBLING, _SLIP, _SOUND, _UNLIKELY = 0.8, 1.0, 1.2, 3.0
# The most that the errors of a word may cost: two in a long word. Names are often near to other names.
_MAX_COST, _MAX_COST_OF_NAME, _MAX_COST_OF_LONG = 1.2, 1.0, 2.2
_LONG = 8
# A word with two errors is compared with the most frequent words that begin with the same letters.
_PREFIX, _MAX_COMPARED = 3, 1_000
# The best word must be in this many times as many passages as an unrelated one that costs the same.
_DOMINANCE = 2
# A question with more unknown words is hardly English.
_MAX_CORRECTIONS = 10
_SOUNDS_ALIKE = ("aeiouy", "cksxz", "gj", "dt", "bp", "fv", "mn", "vw", "st")
_CONFUSED_WITH = {
    letter: {other for alike in _SOUNDS_ALIKE if letter in alike for other in alike} for letter in ascii_lowercase
}
# Words of letters, apart from those in names such as `e-mail.example` and in contractions.
_WORD = re.compile(r"(?<![\w\-./:@'’])[A-Za-z]+(?![\w\-/:@]|\.\w|['’](?!s\b))")
_CONTRACTION = re.compile(
    "(is|are|was|were|do|does|did|has|have|had|ca|could|wo|would|should|must|need)nt"
    "|(who|what|that|where|how|there|here|when)s|(you|they|we)[rv]e"
)
_PREFIXES = ("", "un", "re", "dis", "over", "under", "non", "mis", "pre", "sub", "out")
_ENDINGS = (
    *("", "s", "es", "d", "ed", "r", "er", "rs", "ers", "ing", "ings", "ly", "y", "ier", "iest", "st", "est", "ster"),
    *("less", "ness", "ful", "able", "ment", "ise", "ises", "ised", "ising"),
)
_MIN_LETTERS_OF_STEM = 4


class Vocabulary(Protocol):
    """The words of an index."""

    def occurs(self, word: str) -> bool:
        """Return whether a passage contains a word in any inflection; true for words that are not indexed."""

    def frequency(self, word: str) -> int:
        """Return the number of passages that contain a lower-case word in this spelling."""

    def words_with_prefix(self, prefix: str, limit: int) -> Sequence[str]:
        """Return the most frequent words that begin with a prefix, at most `limit`."""

    def stem(self, word: str) -> str:
        """Return the part of a word that its inflections share."""


def correct_spelling(question: str, vocabulary: Vocabulary, token_starts: Callable[[str], Sequence[int]]) -> str | None:
    """Return the question with its misspelt words corrected; None if none is.

    A word is misspelt if it has four letters or more, no passage contains it, it is not a known English word, and one
    word of the passages stands out as the likely one.

    Args:
        question: plain text.
        vocabulary: the words of the passages.
        token_starts: returns where the embedder's tokens of a text start. A common English word is one token.
    """

    def is_common(word: str) -> bool:
        return len(token_starts(word)) == 1

    corrections: dict[str, str] = {}
    for typed in dict.fromkeys(_WORD.findall(question)):
        word = typed.lower()
        if len(word) < _MIN_LETTERS or vocabulary.occurs(word) or is_known(word, is_common):
            continue
        max_cost = _MAX_COST_OF_NAME if word != typed else _MAX_COST_OF_LONG if len(word) >= _LONG else _MAX_COST
        corrections[typed] = _match_case(_best_correction(word, max_cost, vocabulary), typed)
        if len(corrections) == _MAX_CORRECTIONS:
            break
    corrected = _WORD.sub(lambda match: corrections.get(match[0], match[0]), question)
    return corrected if corrected != question else None


def is_known(word: str, is_common: Callable[[str], bool]) -> bool:
    """Return whether a word is English: common, formed from a common word, or joined from two.

    Args:
        word: a lower-case word.
        is_common: returns whether a lower-case word is common.
    """
    if is_common(word) or _CONTRACTION.fullmatch(word) or is_common(word.replace("is", "iz")):
        return True
    stems = (
        word[len(prefix) : len(word) - len(ending)]
        for prefix in _PREFIXES
        if word.startswith(prefix)
        for ending in _ENDINGS
        if word.endswith(ending)
    )
    if any(len(stem) >= _MIN_LETTERS_OF_STEM and is_common(stem) for stem in stems):
        return True
    return any(is_common(word[:i]) and is_common(word[i:]) for i in range(3, len(word) - 3))


def error_cost(typed: str, intended: str) -> float:
    """Return the cost of the errors that lead from one word to another; 1.0 for a likely one.

    This is the optimal string alignment distance, with weights.
    """
    rows = [[0.0]]
    for j in range(len(intended)):
        rows[0].append(rows[0][j] + _cost_of_letter(intended, j, _SLIP))
    for i, letter in enumerate(typed):
        row = [rows[i][0] + _cost_of_letter(typed, i, _UNLIKELY)]
        for j, other in enumerate(intended):
            cost = min(
                rows[i][j] + _cost_of_confusion(letter, other, i),
                rows[i][j + 1] + _cost_of_letter(typed, i, _UNLIKELY),
                row[j] + _cost_of_letter(intended, j, _SLIP),
            )
            if i and j and letter == intended[j - 1] and typed[i - 1] == other:
                cost = min(cost, rows[i - 1][j - 1] + _SLIP)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _cost_of_letter(word: str, i: int, otherwise: float) -> float:
    """Return the cost of a letter that one of the words has and the other has not."""
    if word[i] in (word[i - 1 : i], word[i + 1 : i + 2]):
        return _DOUBLING
    return otherwise if i else _UNLIKELY


def _cost_of_confusion(letter: str, other: str, i: int) -> float:
    if letter == other:
        return 0.0
    return _SOUND if i and other in _CONFUSED_WITH.get(letter, ()) else _UNLIKELY


def _best_correction(word: str, max_cost: float, vocabulary: Vocabulary) -> str | None:
    costs = {near: error_cost(word, near) for near in _neighbours(word) if vocabulary.frequency(near)}
    if not costs and max_cost == _MAX_COST_OF_LONG:
        letters = set(word)
        for near in vocabulary.words_with_prefix(word[:_PREFIX], _MAX_COMPARED):
            # Quicker than the cost. Only letters that sound alike add one to the word.
            if abs(len(near) - len(word)) <= 2 and len(letters.difference(near)) <= 1:
                costs[near] = error_cost(word, near)
    lowest = min(costs.values(), default=_UNLIKELY)
    if lowest > max_cost or (lowest >= _SOUND and len(word) < _MIN_LETTERS_FOR_SOUND):
        return None
    best = _dominant([near for near, cost in costs.items() if cost == lowest], vocabulary)
    lacks_letter = lowest >= _SLIP and len(best or "") > len(word)
    return best if len(word) > _MIN_LETTERS or not lacks_letter or best in QUESTION_WORDS else None


def _dominant(words: Sequence[str], vocabulary: Vocabulary) -> str | None:
    """Return the most frequent word, if no unrelated word is nearly as frequent."""
    frequencies = {word: vocabulary.frequency(word) for word in words}
    best = min(frequencies, key=lambda word: (-frequencies[word], word))
    stem = vocabulary.stem(best)
    rival = max((n for word, n in frequencies.items() if vocabulary.stem(word) != stem), default=0)
    return best if frequencies[best] and frequencies[best] >= _DOMINANCE * rival else None


def _neighbours(word: str) -> set[str]:
    """Return the strings from which a word comes by one likely error."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    edits = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    edits |= {a + b[1:] for a, b in splits if b and b[0] == a[-1:]}
    edits |= {a + letter + b for a, b in splits for letter in ascii_lowercase}
    edits |= {a + letter + b[1:] for a, b in splits if a and b for letter in _CONFUSED_WITH[b[0]]}
    return edits - {word}


def _match_case(word: str | None, typed: str) -> str:
    if word is None:
        return typed
    return word.upper() if typed.isupper() else word.capitalize() if typed[0].isupper() else word
