"""Questions altered by rule until their passage no longer answers them.

Another entity, number or phrase is asked for, an antonym, a negation, or a word as people replace it. They stand beside
the questions that people wrote to have no answer, of which there are too few. An altered question may by chance be
answered after all; that is rare enough to learn from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa.training.data.examples import Example, normalised
from qa.training.data.question_edits import FUNCTION_WORDS, WORD, Edits, form

_ENTITY = re.compile(r"(?<=[\w,'’] )[A-Z][\w'’-]+(?: (?:of |the |de |von )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d(?![\w.,])")
_OPPOSITES = (
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
_ANTONYM = {
    one: other for pair in _OPPOSITES.split(", ") for one, other in (tuple(pair.split()), tuple(reversed(pair.split())))
}
_WORD = re.compile(r"\b[a-z]+\b")
_AUXILIARY = re.compile(r"(?i)\b(did|does|was|were|is|are|can|could|would|should|has|have|had)\b(?! not|['’]t)")


@dataclass(frozen=True, slots=True)
class _Known:
    """What other questions say: their entities, and how people alter a word."""

    entities: Sequence[str]
    edits: Edits


# How often a question is altered at most.
_ROUNDS = 4
Rule = Callable[[Example, random.Random, _Known], str | None]


def altered_questions(examples: Sequence[Example], count: int, seed: int) -> list[tuple[Example, Example]]:
    """Return at most `count` answerable examples, each with one whose question is altered and has no answer.

    None is altered again before all have been tried; the same alteration is made once only.
    """
    if not count:
        return []
    chooser = random.Random(f"{seed}:altered")
    answerable = [example for example in examples if example.answer is not None]
    known = _Known([e for example in answerable for e in _ENTITY.findall(example.question)], Edits.of(examples))
    # What was asked of the same text anyway may have an answer, or be there twice.
    seen = {(normalised(example.question), example.context) for example in examples}
    made: list[tuple[Example, Example]] = []
    for example in (e for _ in range(_ROUNDS) for e in chooser.sample(answerable, len(answerable))):
        if len(made) >= count:
            break
        question = next(filter(None, (rule(example, chooser, known) for rule in _in_turn(chooser))), None)
        if question and (key := (normalised(question), example.context)) not in seen:
            seen.add(key)
            made.append((example, Example(question, example.context, None, example.title)))
    return made


def _in_turn(chooser: random.Random) -> list[Rule]:
    return sorted(_RULES, key=lambda rule: chooser.random() ** (1 / _RULES[rule]), reverse=True)[:3]


def _other_entity(example: Example, chooser: random.Random, known: _Known) -> str | None:
    """Name something else: half of the time what the passage names too, so that words alone do not give it away."""
    found = list(_ENTITY.finditer(example.question))
    if not found:
        return None
    near = list(dict.fromkeys(_ENTITY.findall(example.context))) if chooser.random() < 0.5 else []
    taken = _taken(example)
    usable = [name for name in near or chooser.choices(known.entities, k=5) if taken.isdisjoint(_words(name))]
    return _replaced(example.question, chooser.choice(found), chooser.choice(usable)) if usable else None


def _other_number(example: Example, chooser: random.Random, _: _Known) -> str | None:
    """Give another number of the same form, of the passage where it has one."""
    found = list(_NUMBER.finditer(example.question))
    if not found:
        return None
    match = chooser.choice(found)
    digits = re.sub(r"\d", "0", match.group())
    near = [n for n in _NUMBER.findall(example.context) if re.sub(r"\d", "0", n) == digits]
    usable = [n for n in near if n not in example.question and n not in _answer(example)]
    if not usable:
        last = match.group()[-1]
        usable = [match.group()[:-1] + digit for digit in "123456789" if digit != last]
    return _replaced(example.question, match, chooser.choice(usable))


def _opposite(example: Example, chooser: random.Random, _: _Known) -> str | None:
    found = [match for match in _WORD.finditer(example.question) if match.group() in _ANTONYM]
    if not found:
        return None
    match = chooser.choice(found)
    return _replaced(example.question, match, _ANTONYM[match.group()])


def _negation(example: Example, _: random.Random, __: _Known) -> str | None:
    match = _AUXILIARY.search(example.question)
    if match is None:
        return None
    word = match.group()
    return _replaced(example.question, match, f"{word}'t" if word.lower() == "can" else f"{word}n't")


def _as_people_do(example: Example, chooser: random.Random, known: _Known) -> str | None:
    """Replace a word as those did who wrote such questions."""
    found = [match for match in WORD.finditer(example.question) if match.group().lower() not in FUNCTION_WORDS]
    for match in chooser.sample(found, len(found)):
        new = known.edits.replacement(match.group().lower(), chooser)
        if new and new not in _taken(example):
            return _replaced(example.question, match, new)
    return None


def _phrase_of_passage(example: Example, chooser: random.Random, _: _Known) -> str | None:
    """Ask the same of something else that the passage speaks of: as many words, with like endings.

    A word alone without an ending that tells is not replaced: nothing says what kind of word it is.
    """
    found = [
        run for run in _runs(example.question) if run[0].start() > 0 and (len(run) > 1 or form(run[0].group().lower()))
    ]
    if not found:
        return None
    run = chooser.choice(found)
    shape, taken = [form(match.group().lower()) for match in run], _taken(example)
    near = {
        example.context[other[0].start() : other[-1].end()]
        for other in _runs(example.context)
        if [form(match.group().lower()) for match in other] == shape
        and taken.isdisjoint(match.group().lower() for match in other)
    }
    if not near:
        return None
    question = example.question
    return question[: run[0].start()] + chooser.choice(sorted(near)) + question[run[-1].end() :]


def _runs(text: str) -> list[list[re.Match[str]]]:
    """Return the phrases of a text: one to three words that follow one another, none of them a function word."""
    runs: list[list[re.Match[str]]] = []
    for match in WORD.finditer(text):
        if match.group().lower() in FUNCTION_WORDS:
            runs.append([])
        elif runs and runs[-1] and text[runs[-1][-1].end() : match.start()] == " ":
            runs[-1].append(match)
        else:
            runs.append([match])
    return [run for run in runs if 1 <= len(run) <= 3]


def _taken(example: Example) -> set[str]:
    """Return the words of question and answer: what shares one with them may be the same by another name."""
    return set(_words(example.question) + _words(_answer(example)))


def _words(text: str) -> list[str]:
    return normalised(text).split()


def _answer(example: Example) -> str:
    return example.answer.of(example.context) if example.answer else ""


def _replaced(question: str, match: re.Match[str], text: str) -> str:
    return question[: match.start()] + text + question[match.end() :]


# How often each is tried before the others.
_RULES: dict[Rule, float] = {
    _as_people_do: 4,
    _phrase_of_passage: 3,
    _other_entity: 3,
    _opposite: 3,
    _other_number: 2,
    _negation: 0.7,
}
