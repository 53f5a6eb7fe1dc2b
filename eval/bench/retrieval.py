"""Compare lexical, dense and hybrid retrieval.

    python -m eval.bench.retrieval SET... [--limit N]

SET is a SQuAD file or a BEIR folder. Its contexts are the documents, ranked by their best passage.
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
from qa.results import Hit
from qa.search.fusion import CANDIDATES
from qa.types import Document

_BATCH = 64
_SCORES: dict[str, Callable[[Hit], float]] = {
    "BM25": lambda hit: hit.lexical,
    "dense": lambda hit: hit.dense,
    "both": lambda hit: hit.retrieval,
}


def main() -> None:
    """Print a row for each set and retrieval method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, help="questions of each set")
    arguments = parser.parse_args()
    print("| set | questions | method | R@1 | R@5 | R@10 | nDCG@10 |\n|---|---|---|---|---|---|---|")
    for path in arguments.sets:
        dataset = load_dataset(path)
        with tempfile.TemporaryDirectory() as folder:
            engine = build_engine(Settings(index_dir=Path(folder)))
            _index_contexts(engine, dataset)
            for line in _rows(engine, dataset.head(arguments.limit)):
                print(line, flush=True)
            engine.close()


def _index_contexts(engine: Engine, dataset: Dataset) -> None:
    engine.indexes.get_or_create("default")
    documents = [Document(str(position), text) for position, text in enumerate(dataset.contexts) if text.strip()]
    for first in range(0, len(documents), _BATCH):
        engine.add(documents[first : first + _BATCH])


def _rows(engine: Engine, dataset: Dataset) -> Sequence[str]:
    index = engine.indexes.get("default")
    questions = [question for question in dataset.questions if question.relevant]
    vectors = engine.embedder.encode_questions([question.text for question in questions])
    # Twice the candidates of one method, so that the union of both is complete.
    results = [
        index.search(q.text, vector, 2 * CANDIDATES, by_sentence=True).hits
        for q, vector in zip(questions, vectors, strict=True)
    ]
    rows = []
    for method, score in _SCORES.items():
        rankings = [_rank(hits, score) for hits in results]
        pairs = list(zip(rankings, (question.relevant for question in questions), strict=True))
        recalls = [sum(recall(r, relevant, depth) for r, relevant in pairs) / len(pairs) for depth in (1, 5, 10)]
        gain = sum(ndcg(r, relevant, 10) for r, relevant in pairs) / len(pairs)
        cells = " | ".join(f"{100 * figure:.1f}" for figure in (*recalls, gain))
        rows.append(f"| {dataset.name} | {len(questions):,} | {method} | {cells} |")
    return rows


def _rank(hits: Sequence[Hit], score: Callable[[Hit], float]) -> list[int]:
    best = sorted(hits, key=lambda hit: (-score(hit), hit.passage_id))
    return list(dict.fromkeys(int(hit.passage.document_id) for hit in best))


if __name__ == "__main__":
    main()
