"""BEIR folders (`corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`) ─► questions with the contexts that matter to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, checked, content_of

_QRELS = ("test", "dev", "train")


def load_beir(folder: Path) -> Dataset:
    """Read a folder in BEIR's layout; titles stand before their texts, and what nothing is judged for is left out.

    Raises:
        DatasetError: a file is missing or is not what the layout says; names file and line.
    """
    contexts: dict[str, int] = {}
    places: dict[str, int] = {}
    for path, line, entry in _entries(folder / "corpus.jsonl"):
        id, text = _field(path, line, entry, "_id"), _field(path, line, entry, "text")
        title = entry.get("title")
        whole = f"{title}\n\n{text}" if title else text
        if id in places:
            raise DatasetError(f"{path}: line {line}: id {id!r} occurs twice", field="dataset")
        places[id] = contexts.setdefault(whole, len(contexts))
    texts: dict[str, str] = {}
    for path, line, entry in _entries(folder / "queries.jsonl"):
        texts[_field(path, line, entry, "_id")] = _field(path, line, entry, "text")
    qrels = next((p for name in _QRELS if (p := folder / "qrels" / f"{name}.tsv").is_file()), None)
    if qrels is None:
        raise DatasetError(f"{folder}: no qrels/test.tsv", field="dataset")
    grades, problems = _grades(qrels, texts, places)
    questions = tuple(
        LabelledQuestion(id, texts[id], max(graded, key=lambda place: (graded[place], -place)), (), graded)
        for id, graded in grades.items()
    )
    return checked(qrels, problems, Dataset(folder.name, tuple(contexts), questions, has_spans=False))


def _grades(
    path: Path, texts: dict[str, str], places: dict[str, int]
) -> tuple[dict[str, dict[int, int]], list[LabelProblem]]:
    grades: dict[str, dict[int, int]] = {}
    problems: list[LabelProblem] = []
    for line, row in enumerate(content_of(path).splitlines(), 1):
        cells = row.split("\t")
        if line == 1 and cells[-1] == "score":
            continue
        try:
            query, document, grade = cells[0], cells[1], int(cells[2])
        except (IndexError, ValueError):
            problems.append(LabelProblem(f"line {line}", "not query-id, corpus-id and score"))
            continue
        if query not in texts or document not in places:
            missing = f"query {query!r}" if query not in texts else f"document {document!r}"
            problems.append(LabelProblem(f"line {line}", f"there is no {missing}"))
        elif grade > 0:
            graded = grades.setdefault(query, {})
            graded[places[document]] = max(grade, graded.get(places[document], 0))
    return grades, problems


def _entries(path: Path) -> Iterator[tuple[Path, int, dict[str, object]]]:
    for line, text in enumerate(content_of(path).split("\n"), 1):
        if text.strip():
            try:
                entry = json.loads(text)
            except ValueError as error:
                raise DatasetError(f"{path}: line {line}: not JSON ({error})", field="dataset") from error
            if not isinstance(entry, dict):
                raise DatasetError(f"{path}: line {line}: not a JSON object", field="dataset")
            yield path, line, entry


def _field(path: Path, line: int, entry: dict[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise DatasetError(f"{path}: line {line}: {name!r} is missing or is not a text", field="dataset")
    return value
