"""How people make a question one that its passage does not answer, learnt from the questions of a data set.

Most of SQuAD 2.0's unanswerable questions are an answerable one of the same passage with a word changed.
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

# Words that say how the others belong together: replacing one seldom asks for something else.
_FUNCTION_WORDS = (
    "a an the of in on at to for from by with as and or but not no than that this these those there it its their his "
    "her they he she we you i be been being am is are was were do does did done has have had having can could would "
    "should will shall may might must what who whom whose which when where why how many much about into over under "
    "between through during other such some any all each only also very so if while because s"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
WORD = re.compile(r"\d[\d.,]*\d|\w+(?:['’]t\b)?")
# Of the words of both questions, how many at least are the same where one was made of the other.
_ALIKE = 0.7
_ENDINGS = ("est", "ing", "ion", "ed", "er", "ly", "al", "s")


@dataclass(frozen=True, slots=True)
class Edits:
    """Single words that were put in the place of others, all in lower case.

    Attributes:
        of_word: what stood in the place of a word, as often as it did.
        of_form: the same for all words that look alike, by `form`: for words that were never replaced. Those without
            an ending that tells have none.
    """

    of_word: Mapping[str, Sequence[str]]
    of_form: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Self:
        """Learn from each unanswerable question and the answerable one of its context that it is most like."""
        of_word: dict[str, list[str]] = defaultdict(list)
        of_form: dict[str, list[str]] = defaultdict(list)
        answerable: dict[str, list[list[str]]] = defaultdict(list)
        for example in examples:
            if example.answer is not None:
                answerable[example.context].append(WORD.findall(example.question.lower()))
        for example in examples:
            if example.answer is None and (near := answerable.get(example.context)):
                replaced = _replaced(WORD.findall(example.question.lower()), near)
                if replaced:
                    of_word[replaced[0]].append(replaced[1])
                    if form(replaced[0]) == form(replaced[1]) != "":
                        of_form[form(replaced[0])].append(replaced[1])
        return cls(of_word, of_form)

    def replacement(self, word: str, chooser: random.Random) -> str | None:
        """Return what may stand in the word's place; words never replaced get one of their form's."""
        usable = self.of_word.get(word) or [w for w in self.of_form.get(form(word), ()) if w != word]
        return chooser.choice(usable) if usable else None


def form(word: str) -> str:
    """Return what a word looks like: its ending, that it is a number, or nothing that tells."""
    return "0" if word[:1].isdigit() else next(filter(word.endswith, _ENDINGS), "")


def _replaced(made: Sequence[str], answerable: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """Return the one word that was replaced, and by what; None where more was changed, or a function word."""
    alike, nearest = max(
        ((difflib.SequenceMatcher(None, words, made, autojunk=False), words) for words in answerable),
        key=lambda candidate: candidate[0].ratio(),
    )
    changes = [change for change in alike.get_opcodes() if change[0] != "equal"]
    if alike.ratio() < _ALIKE or len(changes) != 1:
        return None
    kind, start, end, begin, stop = changes[0]
    if kind != "replace" or end - start != 1 or stop - begin != 1:
        return None
    old, new = nearest[start], made[begin]
    return None if {old, new} & FUNCTION_WORDS or new.endswith(("n't", "n’t")) else (old, new)
