"""Hard negatives: passages that retrieval ranks high for a question and that do not hold its answer."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from qa.index.lexical import LexicalIndex
from qa.training.data.examples import Example, normalised

# Of a question, to choose from.
CANDIDATES = 8

Likely = Callable[[Sequence[str], Sequence[str]], Iterator[list[int]]]
"""Questions and contexts ─► for each question places of contexts, the likeliest first."""


def by_words(questions: Sequence[str], contexts: Sequence[str]) -> Iterator[list[int]]:
    """Yield for each question the places of contexts that BM25 takes for likely, the likeliest first."""
    with tempfile.TemporaryDirectory() as folder:
        index = LexicalIndex(Path(folder) / "lexical", create=True)
        index.apply((), enumerate(contexts), 1, "-")
        searcher = index.searcher()
        for question in questions:
            yield [place for place, _ in searcher.search(question, CANDIDATES)]


def hard_negatives(
    examples: Sequence[Example], count: int, seed: int, each: int = 1, likely: Likely = by_words
) -> dict[int, list[Example]]:
    """Return for `count` answerable examples, by place, the question with 1 to `each` contexts that do not answer it.

    Contexts that rank high are taken, but none that has the answer's words: it may answer, too.

    Args:
        examples: their contexts are what is chosen from.
        count: of examples, at most.
        seed: chooses the examples, and which of the likely contexts they are given.
        each: contexts of an example, at most.
        likely: ranks contexts for questions.
    """
    titles = {example.context: example.title for example in examples}
    contexts = list(titles)
    flat = [normalised(context) for context in contexts]
    chooser = random.Random(f"{seed}:negatives")
    answerable = [place for place, example in enumerate(examples) if example.answer is not None]
    order = chooser.sample(answerable, len(answerable))
    made: dict[int, list[Example]] = {}
    for own, found in zip(order, likely([examples[place].question for place in order], contexts), strict=True):
        if len(made) == count:
            break
        example = examples[own]
        assert example.answer is not None
        answer = normalised(example.answer.of(example.context))
        wrong = [p for p in found if contexts[p] != example.context and f" {answer} " not in f" {flat[p]} "]
        taken: list[Example] = []
        while wrong and len(taken) < each:
            # Mostly the highest ranked: those are the ones that will be shown.
            place = wrong.pop(min(int(chooser.expovariate(0.7)), len(wrong) - 1))
            taken.append(Example(example.question, contexts[place], None, titles[contexts[place]]))
        if taken:
            made[own] = taken
    return made
