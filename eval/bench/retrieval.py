"""What each side of retrieval finds by itself, and what both find together.

    python -m eval.bench.retrieval SET... [--limit N]

SET is a SQuAD file or a BEIR folder; its contexts are the documents, ranked by their best passage.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.dataset_loading import load_dataset
from qa.evaluation.datasets import Dataset
from qa.evaluation.metrics import ndcg, recall
from qa.factory import build_engine
from qa.search.fusion import CANDIDATES
from qa.types import Document, Hit

_TOGETHER = 64
_SIDES: dict[str, Callable[[Hit], float]] = {
    "BM25": lambda hit: hit.lexical,
    "dense": lambda hit: hit.dense,
    "both": lambda hit: hit.retrieval,
}


def main() -> None:
    """Print a row for each set and side."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, help="questions of each set")
    arguments = parser.parse_args()
    print("| set | questions | side | R@1 | R@5 | R@10 | nDCG@10 |\n|---|---|---|---|---|---|---|")
    for path in arguments.sets:
        dataset = load_dataset(path)
        with tempfile.TemporaryDirectory() as folder:
            engine = build_engine(Settings(index_dir=Path(folder)))
            _fill(engine, dataset)
            for line in _rows(engine, dataset.head(arguments.limit)):
                print(line, flush=True)
            engine.close()


def _fill(engine: Engine, dataset: Dataset) -> None:
    engine.indexes.get_or_create("default")
    documents = [Document(str(place), text) for place, text in enumerate(dataset.contexts) if text.strip()]
    for first in range(0, len(documents), _TOGETHER):
        engine.add(documents[first : first + _TOGETHER])


def _rows(engine: Engine, dataset: Dataset) -> Sequence[str]:
    index = engine.indexes.get("default")
    asked = [question for question in dataset.questions if question.relevant]
    vectors = engine.embedder.encode_questions([question.text for question in asked])
    # Both sides' candidates, none of them left out.
    found = [
        index.search(q.text, vector, 2 * CANDIDATES, by_sentence=True).hits
        for q, vector in zip(asked, vectors, strict=True)
    ]
    made = []
    for side, score in _SIDES.items():
        rankings = [_ranking(hits, score) for hits in found]
        pairs = list(zip(rankings, (question.relevant for question in asked), strict=True))
        recalls = [sum(recall(r, relevant, depth) for r, relevant in pairs) / len(pairs) for depth in (1, 5, 10)]
        gain = sum(ndcg(r, relevant, 10) for r, relevant in pairs) / len(pairs)
        told = " | ".join(f"{100 * figure:.1f}" for figure in (*recalls, gain))
        made.append(f"| {dataset.name} | {len(asked):,} | {side} | {told} |")
    return made


def _ranking(hits: Sequence[Hit], score: Callable[[Hit], float]) -> list[int]:
    best = sorted(hits, key=lambda hit: (-score(hit), hit.passage_id))
    return list(dict.fromkeys(int(hit.passage.document_id) for hit in best))


if __name__ == "__main__":
    main()
