"""What it gives that passages are found and read under their documents' titles.

    python -m eval.bench.titles DATA [--limit N]

DATA is the folder of the training files; their held-out questions are asked of their own contexts among others of the
same files, once with the articles' titles and once without. The reader reads each question's own context, and the best
other one that is found.
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
from qa.search.fusion import CANDIDATES
from qa.training.data.examples import article_titles, split
from qa.types import Document, Hit

FILES = ("squad.json", "nq_qed.json")
OTHERS = 900


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
    given = parser.parse_args()
    asked: dict[str, Sequence[_Question]] = {}
    titles: dict[str, str] = {}
    for file in FILES:
        questions, others = _parts(given.data / file)
        asked[file] = random.Random(1).sample(questions, min(given.limit, len(questions)))  # noqa: S311
        wanted = {question.context for question in asked[file]}
        chosen = random.Random(1).sample(sorted(others), min(OTHERS, len(others)))  # noqa: S311
        titles |= {context: others[context] for context in (*wanted, *chosen)}
    print(
        "| file | questions | titles | R@1 | R@5 | R@10 | F1 | own or best other context, AUROC |\n" + "|---" * 8 + "|"
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
            places = {text: str(n) for n, (text, _) in _numbered(titles)}
            for file, asked_of_it in asked.items():
                told = " | ".join(_figures(engine, asked_of_it, places))
                print(f"| {file} | {len(asked_of_it)} | {'with' if with_titles else 'without'} | {told} |", flush=True)
            engine.close()


def _numbered(titles: dict[str, str]) -> Sequence[tuple[int, tuple[str, str]]]:
    return list(enumerate(titles.items()))


def _parts(path: Path) -> tuple[list[_Question], dict[str, str]]:
    """Return the answerable held-out questions of articles that have a title, and every context's title."""
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


def _figures(engine: Engine, questions: Sequence[_Question], places: dict[str, str]) -> list[str]:
    rankings, own, other, f1s = [], [], [], []
    for question in questions:
        hits = engine.search(question.text, top_k=CANDIDATES).hits
        wanted = places[question.context]
        rankings.append(list(dict.fromkeys(int(hit.passage.document_id) for hit in hits)))
        best = {hit.passage.document_id == wanted: hit for hit in reversed(hits)}
        if True in best and False in best:
            right, wrong = (_read(engine, question.text, best[which]) for which in (True, False))
            own.append(right.margin)
            other.append(wrong.margin)
            f1s.append(f1(right.span.of(best[True].passage.text), question.golds))
    relevant = [{int(places[question.context])} for question in questions]
    recalls = [
        sum(recall(ranking, gold, depth) for ranking, gold in zip(rankings, relevant, strict=True)) / len(questions)
        for depth in (1, 5, 10)
    ]
    told_apart = auroc([*own, *other], [True] * len(own) + [False] * len(other))
    return [f"{100 * figure:.1f}" for figure in (*recalls, sum(f1s) / len(f1s))] + [f"{told_apart:.3f}"]


def _read(engine: Engine, question: str, hit: Hit) -> ScoredSpan:
    (logits,) = engine.reader.read_batch([build_pair(question, hit)])
    return best_spans(logits, 1)[0]


if __name__ == "__main__":
    main()
