"""A path ─► a data set, whichever format it is in; and what is odd about labels without being wrong."""

from __future__ import annotations

from collections import Counter
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


def label_warnings(datasets: Sequence[Dataset]) -> list[str]:
    """Return what makes figures of these sets misleading: questions asked twice, contexts that sets share."""
    found: list[str] = []
    for dataset in datasets:
        asked = Counter((q.text.strip().casefold(), q.context) for q in dataset.questions)
        twice = sum(count - 1 for count in asked.values())
        if twice:
            found.append(f"{dataset.name}: {twice} questions are asked again of the same context")
        split = sum(
            any(not span.is_of_whole_words(dataset.contexts[q.context]) for span in q.answers)
            for q in dataset.questions
        )
        if split:
            found.append(f"{dataset.name}: {split} questions have a gold answer that begins or ends inside a word")
    for one, other in combinations(datasets, 2):
        shared = len(set(one.contexts) & set(other.contexts))
        if shared:
            found.append(f"{one.name} and {other.name} share {shared} contexts")
    return found
