"""Hard negatives: passages that retrieval ranks high for a question and that do not contain its answer."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from qa.index.lexical import LexicalIndex
from qa.training.data.examples import Example, normalise

# Ranked contexts of a question to choose its negatives from.
CANDIDATES = 8

Ranker = Callable[[Sequence[str], Sequence[str]], Iterator[list[int]]]
"""Takes questions and contexts; yields for each question the indices of the best-ranked contexts, best first."""


def rank_by_bm25(questions: Sequence[str], contexts: Sequence[str]) -> Iterator[list[int]]:
    """Yield for each question the indices of the contexts with the highest BM25 scores, best first."""
    with tempfile.TemporaryDirectory() as folder:
        index = LexicalIndex(Path(folder) / "lexical", create=True)
        index.apply((), enumerate(contexts), 1, "-")
        searcher = index.searcher()
        for question in questions:
            yield [position for position, _ in searcher.search(question, CANDIDATES)]


def mine_hard_negatives(
    examples: Sequence[Example], count: int, seed: int, per_question: int = 1, rank: Ranker = rank_by_bm25
) -> dict[int, list[Example]]:
    """Return unanswerable examples for `count` answerable ones: the same question with a high-ranked wrong context.

    A context that contains the words of the answer is never used: it may answer the question too.

    Args:
        examples: answerable and unanswerable examples; their contexts are the pool of negatives.
        count: maximum number of examples that get negatives.
        seed: decides which examples get negatives, and which of the ranked contexts they get.
        per_question: maximum number of negatives of an example.
        rank: ranks the contexts for each question.

    Returns:
        One to `per_question` negatives by index of the example.
    """
    titles = {example.context: example.title for example in examples}
    contexts = list(titles)
    normalised_contexts = [normalise(context) for context in contexts]
    chooser = random.Random(f"{seed}:negatives")
    answerable = [index for index, example in enumerate(examples) if example.answer is not None]
    order = chooser.sample(answerable, len(answerable))
    negatives: dict[int, list[Example]] = {}
    for index, ranked in zip(order, rank([examples[index].question for index in order], contexts), strict=True):
        if len(negatives) == count:
            break
        example = examples[index]
        assert example.answer is not None
        answer = normalise(example.answer.of(example.context))
        wrong = [
            position
            for position in ranked
            if contexts[position] != example.context and f" {answer} " not in f" {normalised_contexts[position]} "
        ]
        chosen: list[Example] = []
        while wrong and len(chosen) < per_question:
            # Mostly the highest-ranked contexts: those are what the reader sees in use.
            context = contexts[wrong.pop(min(int(chooser.expovariate(0.7)), len(wrong) - 1))]
            chosen.append(Example(example.question, context, None, titles[context]))
        if chosen:
            negatives[index] = chosen
    return negatives
