"""Single-word edits that turn an answerable question into an unanswerable one, learned from a data set.

Most unanswerable questions of SQuAD 2.0 are an answerable question on the same passage with one word changed.
"""

from __future__ import annotations

import difflib
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from qa.training.data.examples import Example

# Replacing one of these words seldom changes what the question is about.
_FUNCTION_WORDS = (
    "a,an,the,of,in,on,at,to,for,from,by,with,as,and,or,but,not,no,than,that,this,these,those,there,it,its,their,"
    "his,her,they,he,she,we,you,i,be,been,being,am,is,are,was,were,do,does,did,done,has,have,had,having,can,could,"
    "would,should,will,shall,may,might,must,what,who,whom,whose,which,when,where,why,how,many,much,about,into,"
    "over,under,between,through,during,other,such,some,any,all,each,only,also,very,so,if,while,because,s"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split(","))
WORD = re.compile(r"\d[\d.,]*\d|\w+(?:['’]t\b)?")
# Minimum similarity of two questions for one to count as an edit of the other.
_MIN_SIMILARITY = 0.7
_ENDINGS = ("est", "ing", "ion", "ed", "er", "ly", "al", "s")


@dataclass(frozen=True, slots=True)
class WordEdits:
    """Replacements of single words, in lower case.

    Attributes:
        by_word: the replacements of each word, once for each time they were seen.
        by_shape: the replacements of all words of a shape by words of the same shape, for words that were never
            replaced themselves. Words without a known ending have no shape; see `word_shape`.
    """

    by_word: Mapping[str, Sequence[str]]
    by_shape: Mapping[str, Sequence[str]]

    @classmethod
    def learn(cls, examples: Sequence[Example]) -> Self:
        """Compare each unanswerable question with the most similar answerable one on the same context."""
        by_word: dict[str, list[str]] = defaultdict(list)
        by_shape: dict[str, list[str]] = defaultdict(list)
        answerable: dict[str, list[list[str]]] = defaultdict(list)
        for example in examples:
            if example.answer is not None:
                answerable[example.context].append(WORD.findall(example.question.lower()))
        for example in examples:
            if example.answer is None and (questions := answerable.get(example.context)):
                edit = _find_edit(WORD.findall(example.question.lower()), questions)
                if edit:
                    old, new = edit
                    by_word[old].append(new)
                    if word_shape(old) == word_shape(new) != "":
                        by_shape[word_shape(old)].append(new)
        return cls(by_word, by_shape)

    def replacement(self, word: str, chooser: random.Random) -> str | None:
        """Return a replacement of the word, or of its shape if the word was never replaced; None if there is none."""
        usable = self.by_word.get(word) or [w for w in self.by_shape.get(word_shape(word), ()) if w != word]
        return chooser.choice(usable) if usable else None


def word_shape(word: str) -> str:
    """Return the shape of a word: its ending, "0" for a number, or an empty string for any other word."""
    return "0" if word[:1].isdigit() else next(filter(word.endswith, _ENDINGS), "")


def _find_edit(words: Sequence[str], answerable: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """Return the old and the new word of a single-word edit.

    None if no answerable question is similar, if more than one word differs, or if either is a function word.
    """
    matcher, nearest = max(
        ((difflib.SequenceMatcher(None, question, words, autojunk=False), question) for question in answerable),
        key=lambda candidate: candidate[0].ratio(),
    )
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    if matcher.ratio() < _MIN_SIMILARITY or len(changes) != 1:
        return None
    kind, old_start, old_end, new_start, new_end = changes[0]
    if kind != "replace" or old_end - old_start != 1 or new_end - new_start != 1:
        return None
    old, new = nearest[old_start], words[new_start]
    return None if {old, new} & FUNCTION_WORDS or new.endswith(("n't", "n’t")) else (old, new)
