"""BEIR folders (`corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`) ─► questions with the contexts that matter to them."""

from __future__ import annotations

from pathlib import Path

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, checked
from qa.evaluation.input_files import content_of, json_lines

_QRELS = ("test", "dev", "train")


def corpus(folder: Path) -> tuple[list[str], dict[str, int]]:
    """Read the texts of such a folder, each once, with its title before it, and at which place that of each id is.

    Raises:
        DatasetError: the file is missing or is not what the layout says; names file and line.
    """
    contexts: dict[str, int] = {}
    places: dict[str, int] = {}
    path = folder / "corpus.jsonl"
    for line, entry in json_lines(path):
        id, text = _field(path, line, entry, "_id"), _field(path, line, entry, "text")
        title = entry.get("title")
        whole = f"{title}\n\n{text}" if title else text
        if id in places:
            raise DatasetError(f"{path}: line {line}: id {id!r} occurs twice", field="dataset")
        places[id] = contexts.setdefault(whole, len(contexts))
    return list(contexts), places


def load_beir(folder: Path) -> Dataset:
    """Read a folder in BEIR's layout; what nothing is judged for is left out.

    Raises:
        DatasetError: a file is missing or is not what the layout says; names file and line.
    """
    contexts, places = corpus(folder)
    texts: dict[str, str] = {}
    path = folder / "queries.jsonl"
    for line, entry in json_lines(path):
        id = _field(path, line, entry, "_id")
        if id in texts:
            raise DatasetError(f"{path}: line {line}: id {id!r} occurs twice", field="dataset")
        texts[id] = _field(path, line, entry, "text")
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


def _field(path: Path, line: int, entry: dict[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise DatasetError(f"{path}: line {line}: {name!r} is missing or is not a text", field="dataset")
    return value
