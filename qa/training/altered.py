"""Questions altered by rule until their passage no longer answers them: an entity, a number, an antonym, a negation.

They stand beside the questions that people wrote to have no answer, of which there are too few. An altered question may
by chance be answered after all; that is rare enough to learn from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from qa.training.examples import Example, normalised

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

Rule = Callable[[Example, random.Random, Sequence[str]], str | None]


def altered_questions(examples: Sequence[Example], count: int, seed: int) -> dict[int, Example]:
    """Return at most `count` answerable examples, by their places: question altered, context kept, no answer."""
    chooser = random.Random(f"{seed}:altered")
    answerable = [place for place, example in enumerate(examples) if example.answer is not None]
    entities = [found for place in answerable for found in _ENTITY.findall(examples[place].question)]
    made: dict[int, Example] = {}
    for place in chooser.sample(answerable, len(answerable)):
        if len(made) == count:
            break
        example = examples[place]
        rules = sorted(_RULES, key=lambda rule: chooser.random() ** (1 / _RULES[rule]), reverse=True)
        question = next(filter(None, (rule(example, chooser, entities) for rule in rules[:3])), None)
        if question:
            made[place] = Example(question, example.context, None, example.title)
    return made


def _other_entity(example: Example, chooser: random.Random, entities: Sequence[str]) -> str | None:
    """Name something else: half of the time what the passage names too, so that words alone do not give it away."""
    found = list(_ENTITY.finditer(example.question))
    if not found:
        return None
    near = list(dict.fromkeys(_ENTITY.findall(example.context))) if chooser.random() < 0.5 else []
    # One that shares a word with the question or the answer may be the same by another name.
    known = set(_words(example.question) + _words(_answer(example)))
    usable = [name for name in near or chooser.choices(entities, k=5) if known.isdisjoint(_words(name))]
    return _replaced(example.question, chooser.choice(found), chooser.choice(usable)) if usable else None


def _other_number(example: Example, chooser: random.Random, _: Sequence[str]) -> str | None:
    """Give another number of the same form, of the passage where it has one."""
    found = list(_NUMBER.finditer(example.question))
    if not found:
        return None
    match = chooser.choice(found)
    form = re.sub(r"\d", "0", match.group())
    near = [n for n in _NUMBER.findall(example.context) if re.sub(r"\d", "0", n) == form]
    usable = [n for n in near if n not in example.question and n not in _answer(example)]
    if not usable:
        last = match.group()[-1]
        usable = [match.group()[:-1] + digit for digit in "123456789" if digit != last]
    return _replaced(example.question, match, chooser.choice(usable))


def _opposite(example: Example, chooser: random.Random, _: Sequence[str]) -> str | None:
    found = [match for match in _WORD.finditer(example.question) if match.group() in _ANTONYM]
    if not found:
        return None
    match = chooser.choice(found)
    return _replaced(example.question, match, _ANTONYM[match.group()])


def _negation(example: Example, _: random.Random, __: Sequence[str]) -> str | None:
    match = _AUXILIARY.search(example.question)
    if match is None:
        return None
    word = match.group()
    return _replaced(example.question, match, f"{word}'t" if word.lower() == "can" else f"{word}n't")


def _words(text: str) -> list[str]:
    return normalised(text).split()


def _answer(example: Example) -> str:
    return example.answer.of(example.context) if example.answer else ""


def _replaced(question: str, match: re.Match[str], text: str) -> str:
    return question[: match.start()] + text + question[match.end() :]


# How often each is tried before the others.
_RULES: dict[Rule, float] = {_other_entity: 4, _opposite: 4, _other_number: 2, _negation: 0.7}
