"""Read BEIR folders (`corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`) as questions with relevance grades."""

from __future__ import annotations

from pathlib import Path

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, check_dataset
from qa.evaluation.input_files import read_json_lines, read_text

_QRELS = ("test", "dev", "train")


def load_corpus(folder: Path) -> tuple[list[str], dict[str, int]]:
    """Read the texts of a BEIR folder, each with its title in front; equal texts become one.

    Returns:
        The texts, and the position of each document's text by document id.

    Raises:
        DatasetError: the file is missing or breaks the layout; the message names file and line.
    """
    contexts: dict[str, int] = {}
    positions: dict[str, int] = {}
    path = folder / "corpus.jsonl"
    for line, entry in read_json_lines(path):
        id, text = _field(path, line, entry, "_id"), _field(path, line, entry, "text")
        title = entry.get("title")
        titled = f"{title}\n\n{text}" if title else text
        if id in positions:
            raise DatasetError(f"{path}: line {line}: duplicate id {id!r}", field="dataset")
        positions[id] = contexts.setdefault(titled, len(contexts))
    return list(contexts), positions


def load_beir(folder: Path) -> Dataset:
    """Read a folder in BEIR's layout; queries without relevance judgements are skipped.

    Raises:
        DatasetError: a file is missing or breaks the layout; the message names file and line.
    """
    contexts, positions = load_corpus(folder)
    texts: dict[str, str] = {}
    path = folder / "queries.jsonl"
    for line, entry in read_json_lines(path):
        id = _field(path, line, entry, "_id")
        if id in texts:
            raise DatasetError(f"{path}: line {line}: duplicate id {id!r}", field="dataset")
        texts[id] = _field(path, line, entry, "text")
    qrels = next((p for name in _QRELS if (p := folder / "qrels" / f"{name}.tsv").is_file()), None)
    if qrels is None:
        raise DatasetError(f"{folder}: qrels/test.tsv not found", field="dataset")
    grades, problems = _read_grades(qrels, texts, positions)
    questions = tuple(
        LabelledQuestion(id, texts[id], max(graded, key=lambda position: (graded[position], -position)), (), graded)
        for id, graded in grades.items()
    )
    return check_dataset(qrels, problems, Dataset(folder.name, tuple(contexts), questions, has_spans=False))


def _read_grades(
    path: Path, texts: dict[str, str], positions: dict[str, int]
) -> tuple[dict[str, dict[int, int]], list[LabelProblem]]:
    """Return the grades above 0 of each query, by context position, and the lines that cannot be used."""
    grades: dict[str, dict[int, int]] = {}
    problems: list[LabelProblem] = []
    for line, row in enumerate(read_text(path).splitlines(), 1):
        cells = row.split("\t")
        if line == 1 and cells[-1] == "score":
            continue
        try:
            query, document, grade = cells[0], cells[1], int(cells[2])
        except (IndexError, ValueError):
            problems.append(LabelProblem(f"line {line}", "expected query-id, corpus-id and score"))
            continue
        if query not in texts or document not in positions:
            missing = f"query {query!r}" if query not in texts else f"document {document!r}"
            problems.append(LabelProblem(f"line {line}", f"{missing} not found"))
        elif grade > 0:
            graded = grades.setdefault(query, {})
            position = positions[document]
            graded[position] = max(grade, graded.get(position, 0))
    return grades, problems


def _field(path: Path, line: int, entry: dict[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise DatasetError(f"{path}: line {line}: {name!r} is missing or not a string", field="dataset")
    return value
