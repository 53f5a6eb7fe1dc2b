"""Questions altered by rule so that their passage no longer answers them.

A rule replaces an entity, a number, a phrase or a word, uses an antonym, or negates the question. These questions add
to the unanswerable ones that people wrote, of which there are too few. The passage may still answer an altered question
by chance, which is rare enough for training.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa.training.data.examples import Example, normalise
from qa.training.data.question_edits import FUNCTION_WORDS, WORD, WordEdits, word_shape

_ENTITY = re.compile(r"(?<=[\w,'’] )[A-Z][\w'’-]+(?: (?:of |the |de |von )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d(?![\w.,])")
_ANTONYM_PAIRS = (
    "first last, earliest latest, early late, before after, begin end, began ended, start finish, started finished, "
    "largest smallest, larger smaller, large small, biggest smallest, big little, highest lowest, higher lower, "
    "high low, longest shortest, longer shorter, long short, most least, more less, best worst, better worse, "
    "good bad, oldest youngest, older younger, old new, oldest newest, increase decrease, increased decreased, "
    "increases decreases, rise fall, rose fell, north south, northern southern, east west, eastern western, "
    "win lose, won lost, winner loser, victory defeat, attack defend, attacked defended, support oppose, "
    "supported opposed, accept reject, accepted rejected, allow forbid, allowed forbidden, join leave, "
    "import export, imports exports, buy sell, bought sold, open closed, opened closed, founded dissolved, "
    "created destroyed, build destroy, built destroyed, enter leave, arrive depart, arrived departed, "
    "born buried, male female, man woman, men women, mother father, son daughter, brother sister, king queen, "
    "husband wife, inside outside, above below, upper lower, front back, strong weak, "
    "strongest weakest, fast slow, fastest slowest, rich poor, richest poorest, hot cold, hottest coldest, "
    "common rare, positive negative, public private, internal external, domestic foreign, modern ancient, "
    "major minor, majority minority, maximum minimum, always never, similar different, gained lost, legal illegal, "
    "urban rural, success failure, successful unsuccessful, advantage disadvantage, benefit drawback, cause prevent, "
    "caused prevented, reward punishment, teacher student, employer employee, ally enemy, allies enemies"
)
_ANTONYMS = {
    word: antonym
    for pair in _ANTONYM_PAIRS.split(", ")
    for word, antonym in (tuple(pair.split()), tuple(reversed(pair.split())))
}
_WORD = re.compile(r"\b[a-z]+\b")
_AUXILIARY = re.compile(r"(?i)\b(did|does|was|were|is|are|can|could|would|should|has|have|had)\b(?! not|['’]t)")


@dataclass(frozen=True, slots=True)
class _Corpus:
    """Entities of all questions, and the word edits that people made."""

    entities: Sequence[str]
    edits: WordEdits


# Maximum number of attempts per question.
_ROUNDS = 4
Rule = Callable[[Example, random.Random, _Corpus], str | None]
"""Returns the altered question; None if the rule does not apply."""


def alter_questions(examples: Sequence[Example], count: int, seed: int) -> list[tuple[Example, Example]]:
    """Return at most `count` answerable examples, each with an unanswerable one whose question is altered.

    Every example is tried before any is altered a second time. No two altered questions on a context are the same.
    """
    if not count:
        return []
    chooser = random.Random(f"{seed}:altered")
    answerable = [example for example in examples if example.answer is not None]
    entities = [entity for example in answerable for entity in _ENTITY.findall(example.question)]
    corpus = _Corpus(entities, WordEdits.learn(examples))
    # A question that the data set already asks of the same context may have an answer, or would be a duplicate.
    seen = {(normalise(example.question), example.context) for example in examples}
    altered: list[tuple[Example, Example]] = []
    for example in (e for _ in range(_ROUNDS) for e in chooser.sample(answerable, len(answerable))):
        if len(altered) >= count:
            break
        question = next(filter(None, (rule(example, chooser, corpus) for rule in _choose_rules(chooser))), None)
        if question and (key := (normalise(question), example.context)) not in seen:
            seen.add(key)
            altered.append((example, Example(question, example.context, None, example.title)))
    return altered


def _choose_rules(chooser: random.Random) -> list[Rule]:
    """Return three rules in random order; rules with a higher weight tend to come first."""
    return sorted(_RULES, key=lambda rule: chooser.random() ** (1 / _RULES[rule]), reverse=True)[:3]


def _replace_entity(example: Example, chooser: random.Random, corpus: _Corpus) -> str | None:
    """Replace an entity, half of the time with one of the passage, so that its words alone give nothing away."""
    matches = list(_ENTITY.finditer(example.question))
    if not matches:
        return None
    in_context = list(dict.fromkeys(_ENTITY.findall(example.context))) if chooser.random() < 0.5 else []
    used = _used_words(example)
    usable = [name for name in in_context or chooser.choices(corpus.entities, k=5) if used.isdisjoint(_words(name))]
    return _replace(example.question, chooser.choice(matches), chooser.choice(usable)) if usable else None


def _replace_number(example: Example, chooser: random.Random, _: _Corpus) -> str | None:
    """Replace a number with one of the same format, from the passage if possible."""
    matches = list(_NUMBER.finditer(example.question))
    if not matches:
        return None
    match = chooser.choice(matches)
    number_format = re.sub(r"\d", "0", match.group())
    in_context = [n for n in _NUMBER.findall(example.context) if re.sub(r"\d", "0", n) == number_format]
    usable = [n for n in in_context if n not in example.question and n not in _answer(example)]
    if not usable:
        last = match.group()[-1]
        usable = [match.group()[:-1] + digit for digit in "123456789" if digit != last]
    return _replace(example.question, match, chooser.choice(usable))


def _replace_with_antonym(example: Example, chooser: random.Random, _: _Corpus) -> str | None:
    matches = [match for match in _WORD.finditer(example.question) if match.group() in _ANTONYMS]
    if not matches:
        return None
    match = chooser.choice(matches)
    return _replace(example.question, match, _ANTONYMS[match.group()])


def _negate(example: Example, _: random.Random, __: _Corpus) -> str | None:
    match = _AUXILIARY.search(example.question)
    if match is None:
        return None
    word = match.group()
    return _replace(example.question, match, f"{word}'t" if word.lower() == "can" else f"{word}n't")


def _edit_word(example: Example, chooser: random.Random, corpus: _Corpus) -> str | None:
    """Replace a word as the authors of unanswerable questions did."""
    matches = [match for match in WORD.finditer(example.question) if match.group().lower() not in FUNCTION_WORDS]
    for match in chooser.sample(matches, len(matches)):
        new = corpus.edits.replacement(match.group().lower(), chooser)
        if new and new not in _used_words(example):
            return _replace(example.question, match, new)
    return None


def _replace_phrase(example: Example, chooser: random.Random, _: _Corpus) -> str | None:
    """Replace a phrase with one of the passage that has as many words of the same shapes.

    A single word without a shape is not replaced: nothing indicates its part of speech.
    """
    phrases = [
        phrase
        for phrase in _phrases(example.question)
        if phrase[0].start() > 0 and (len(phrase) > 1 or word_shape(phrase[0].group().lower()))
    ]
    if not phrases:
        return None
    phrase = chooser.choice(phrases)
    shapes, used = [word_shape(match.group().lower()) for match in phrase], _used_words(example)
    replacements = {
        example.context[candidate[0].start() : candidate[-1].end()]
        for candidate in _phrases(example.context)
        if [word_shape(match.group().lower()) for match in candidate] == shapes
        and used.isdisjoint(match.group().lower() for match in candidate)
    }
    if not replacements:
        return None
    question = example.question
    return question[: phrase[0].start()] + chooser.choice(sorted(replacements)) + question[phrase[-1].end() :]


def _phrases(text: str) -> list[list[re.Match[str]]]:
    """Return the phrases of a text: one to three consecutive words between function words."""
    phrases: list[list[re.Match[str]]] = []
    for match in WORD.finditer(text):
        if match.group().lower() in FUNCTION_WORDS:
            phrases.append([])
        elif phrases and phrases[-1] and text[phrases[-1][-1].end() : match.start()] == " ":
            phrases[-1].append(match)
        else:
            phrases.append([match])
    return [phrase for phrase in phrases if 1 <= len(phrase) <= 3]


def _used_words(example: Example) -> set[str]:
    """Return the words of question and answer: a replacement that shares a word may mean the same thing."""
    return set(_words(example.question) + _words(_answer(example)))


def _words(text: str) -> list[str]:
    return normalise(text).split()


def _answer(example: Example) -> str:
    return example.answer.of(example.context) if example.answer else ""


def _replace(question: str, match: re.Match[str], text: str) -> str:
    return question[: match.start()] + text + question[match.end() :]


# Rules with their weights: a rule with a higher weight is tried before the others more often.
_RULES: dict[Rule, float] = {
    _edit_word: 4,
    _replace_phrase: 3,
    _replace_entity: 3,
    _replace_with_antonym: 3,
    _replace_number: 2,
    _negate: 0.7,
}
