"""Edits that make a question look as people type it: keywords, an introduction, a misspelling (pure).

Questions written for data sets are whole and well spelt. The tokenizer ignores case, so no edit changes it.
"""

from __future__ import annotations

import random

_KEYWORD_SHARE, _INTRODUCED_SHARE, _UNMARKED_SHARE, _MISSPELT_SHARE = 0.1, 0.1, 0.3, 0.12
_INTRODUCTIONS = (
    "I have a question about this.",
    "I looked through the whole document but could not find it.",
    "We are not sure about one point.",
    "Sorry if this is obvious.",
    "My colleague asked me this morning.",
    "I need this for tomorrow.",
    "I am new here and still finding my way around.",
    "This came up while I was working on it.",
)
_WORDS = (
    "a,an,the,of,in,on,at,to,for,from,by,with,as,and,or,is,are,was,were,be,do,does,did,has,have,had,can,could,would,"
    "should,will,what,which,who,when,where,why,how,many,much,i,my,we,our,you,your,it,its,there,that,this"
)
_FUNCTION_WORDS = frozenset(_WORDS.split(","))
# Shorter words have no middle to misspell.
_MIN_MISSPELT = 5


def restyle(question: str, chooser: random.Random, *, rephrase: bool) -> str:
    """Return a question with random edits; many questions have none.

    Args:
        question: text of the question.
        chooser: decides which edits are made.
        rephrase: whether the question may be reduced to keywords or get an introduction.
    """
    choice = chooser.random()
    if rephrase and choice < _KEYWORD_SHARE:
        question = keep_keywords(question)
    elif rephrase and choice < _KEYWORD_SHARE + _INTRODUCED_SHARE:
        question = f"{chooser.choice(_INTRODUCTIONS)} {question}"
    if chooser.random() < _UNMARKED_SHARE:
        question = question.rstrip("?").rstrip()
    return misspell(question, chooser) if chooser.random() < _MISSPELT_SHARE else question


def keep_keywords(question: str) -> str:
    """Return the question's words without function words; the question itself if fewer than two are left."""
    words = [word for word in question.rstrip("?").split() if word.lower() not in _FUNCTION_WORDS]
    return " ".join(words) if len(words) >= 2 else question


def misspell(question: str, chooser: random.Random) -> str:
    """Return the question with two letters of a long word swapped, or one left out or doubled."""
    words = question.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= _MIN_MISSPELT and word.isalpha()]
    if not long:
        return question
    number = chooser.choice(long)
    word = words[number]
    position = chooser.randrange(1, len(word) - 2)
    before, letter, following, after = word[:position], word[position], word[position + 1], word[position + 2 :]
    changed = (following + letter, following, letter + letter + following)
    words[number] = before + chooser.choices(changed, (5, 3, 2))[0] + after
    return " ".join(words)
