"""Measure the effect of document titles on retrieval and reading.

    python -m eval.bench.titles DATA [--limit N]

DATA is the folder of the training files. The documents are the contexts of their held-out questions, and other contexts
of the same files as distractors, once with article titles and once without. The reader reads the gold context of each
question, and the best distractor that is retrieved.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.config import Settings
from qa.engine import Engine
from qa.evaluation.metrics import auroc, f1, recall
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.reading.early_stopping import build_pair
from qa.reading.spans import ScoredSpan, best_spans
from qa.results import Hit
from qa.search.fusion import CANDIDATES
from qa.training.data.examples import article_titles, split
from qa.types import Document

FILES = ("squad.json", "nq_qed.json")
DISTRACTORS = 900


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    golds: tuple[str, ...]
    context: str


def main() -> None:
    """Print a row for each file, without and with titles."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=500, help="questions of each file")
    arguments = parser.parse_args()
    samples: dict[str, Sequence[_Question]] = {}
    titles: dict[str, str] = {}
    for file in FILES:
        candidates, file_titles = _titled_questions(arguments.data / file)
        samples[file] = random.Random(1).sample(candidates, min(arguments.limit, len(candidates)))  # noqa: S311
        gold = {question.context for question in samples[file]}
        distractors = random.Random(1).sample(sorted(file_titles), min(DISTRACTORS, len(file_titles)))  # noqa: S311
        titles |= {context: file_titles[context] for context in (*gold, *distractors)}
    print(
        "| file | questions | titles | R@1 | R@5 | R@10 | F1 | gold or best other context, AUROC |\n" + "|---" * 8 + "|"
    )
    for with_titles in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            engine = build_engine(Settings(index_dir=Path(folder)))
            engine.indexes.get_or_create("default")
            documents = [
                Document(str(n), text, title if with_titles else None) for n, (text, title) in _numbered(titles)
            ]
            for first in range(0, len(documents), 100):
                engine.add(documents[first : first + 100])
            ids = {text: str(n) for n, (text, _) in _numbered(titles)}
            for file, questions in samples.items():
                cells = " | ".join(_figures(engine, questions, ids))
                print(f"| {file} | {len(questions)} | {'with' if with_titles else 'without'} | {cells} |", flush=True)
            engine.close()


def _numbered(titles: dict[str, str]) -> Sequence[tuple[int, tuple[str, str]]]:
    return list(enumerate(titles.items()))


def _titled_questions(path: Path) -> tuple[list[_Question], dict[str, str]]:
    """Return the answerable held-out questions on articles with a title, and the title of each context."""
    dataset = load_squad(path)
    titles = article_titles(dataset)
    _, held_out = split(dataset)
    questions = [
        _Question(q.text, dataset.gold_texts(q), context)
        for q in held_out.questions
        for context in (dataset.contexts[q.context],)
        if q.answers and context in titles
    ]
    return questions, titles


def _figures(engine: Engine, questions: Sequence[_Question], ids: dict[str, str]) -> list[str]:
    rankings, gold_margins, distractor_margins, f1s = [], [], [], []
    for question in questions:
        hits = engine.search(question.text, top_k=CANDIDATES).hits
        gold_id = ids[question.context]
        rankings.append(list(dict.fromkeys(int(hit.passage.document_id) for hit in hits)))
        best_hits = {hit.passage.document_id == gold_id: hit for hit in reversed(hits)}
        if True in best_hits and False in best_hits:
            gold, distractor = (_read(engine, question.text, best_hits[is_gold]) for is_gold in (True, False))
            gold_margins.append(gold.margin)
            distractor_margins.append(distractor.margin)
            f1s.append(f1(gold.span.of(best_hits[True].passage.text), question.golds))
    relevant = [{int(ids[question.context])} for question in questions]
    recalls = [
        sum(recall(ranking, contexts, depth) for ranking, contexts in zip(rankings, relevant, strict=True))
        / len(questions)
        for depth in (1, 5, 10)
    ]
    separation = auroc(
        [*gold_margins, *distractor_margins], [True] * len(gold_margins) + [False] * len(distractor_margins)
    )
    return [f"{100 * figure:.1f}" for figure in (*recalls, sum(f1s) / len(f1s))] + [f"{separation:.3f}"]


def _read(engine: Engine, question: str, hit: Hit) -> ScoredSpan:
    (logits,) = engine.reader.read_batch([build_pair(question, hit)])
    return best_spans(logits, 1)[0]


if __name__ == "__main__":
    main()
