"""A path ─► a data set, whichever format it is in; and what is odd about labels without being wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from qa.evaluation.beir import load_beir
from qa.evaluation.datasets import Dataset
from qa.evaluation.squad import load_squad
from qa.evaluation.tables import load_table


def load_dataset(path: Path) -> Dataset:
    """Read a BEIR folder, a table (`.csv`, `.tsv`, `.jsonl`), or else a SQuAD JSON file.

    Raises:
        DatasetError: it is none of them, or has wrong labels: they are named.
    """
    if path.is_dir():
        return load_beir(path)
    return load_table(path) if path.suffix in (".csv", ".tsv", ".jsonl") else load_squad(path)


def summary(dataset: Dataset) -> str:
    """Return what a data set holds, in words."""
    held = f"{dataset.name}: {len(dataset.questions):,} questions, {len(dataset.contexts):,} contexts"
    if not dataset.has_spans:
        return f"{held}, relevance labels only"
    return f"{held}, {sum(not question.answerable for question in dataset.questions):,} unanswerable"


def label_warnings(datasets: Sequence[Dataset]) -> list[str]:
    """Return what makes figures of these sets misleading.

    That are questions asked twice, answers that are parts of words, and contexts that are in several of the sets, as in
    one to train on and one to test with; neither case nor white space makes texts differ.
    """
    found: list[str] = []
    for dataset in datasets:
        asked: dict[tuple[str, int], list[bool]] = defaultdict(list)
        for question in dataset.questions:
            asked[_plain(question.text), question.context].append(question.answerable)
        twice = sum(len(marks) - 1 for marks in asked.values())
        if twice:
            found.append(f"{dataset.name}: {twice} questions are asked again of the same context")
        contrary = sum(len(set(marks)) == 2 for marks in asked.values())
        if contrary:
            found.append(
                f"{dataset.name}: {contrary} questions are both answerable and unanswerable by the same context"
            )
        split = sum(
            any(not span.is_of_whole_words(dataset.contexts[q.context]) for span in q.answers)
            for q in dataset.questions
        )
        if split:
            found.append(f"{dataset.name}: {split} questions have a gold answer that begins or ends inside a word")
    texts = [{_plain(context) for context in dataset.contexts} for dataset in datasets]
    for (one, ours), (other, theirs) in combinations(zip(datasets, texts, strict=True), 2):
        if shared := len(ours & theirs):
            found.append(f"{one.name} and {other.name} share {shared} contexts")
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
