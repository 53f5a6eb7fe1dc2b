"""Read SQuAD 1.1 and 2.0 JSON files; exported feedback has this format too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, check_dataset
from qa.evaluation.input_files import read_text
from qa.types import Span


def load_squad(path: Path) -> Dataset:
    """Read a SQuAD 1.1 or 2.0 JSON file; equal contexts become one.

    Raises:
        DatasetError: the file is missing, is not SQuAD JSON, or has wrong labels; the message lists them.
    """
    return parse_squad(path, read_articles(path))


def read_articles(path: Path) -> list[dict[str, Any]]:
    """Read the articles of a SQuAD JSON file.

    Raises:
        DatasetError: the file cannot be read (see `read_text`), or is not SQuAD JSON.
    """
    with _described_errors(path):
        articles = json.loads(read_text(path))["data"]
        if not isinstance(articles, list) or not all(isinstance(article, dict) for article in articles):
            raise TypeError("data must be a list of objects")
        return articles


def parse_squad(path: Path, articles: list[dict[str, Any]]) -> Dataset:
    """Return the data set of the articles of a file; errors are as for `load_squad`."""
    with _described_errors(path):
        entries = list(_iterate_entries(articles))
    contexts: dict[str, int] = {}
    titles: dict[str, str] = {}
    questions: dict[str, LabelledQuestion] = {}
    problems: list[LabelProblem] = []
    for number, (title, context, entry) in enumerate(entries, 1):
        try:
            id, text, spans = str(entry["id"]), entry["question"], _parse_spans(context, entry)
            if not isinstance(context, str) or not isinstance(text, str):
                raise TypeError("context and question must be strings")
            if id in questions:
                raise ValueError("duplicate id")
        except (KeyError, TypeError) as error:
            problems.append(LabelProblem(_question_name(entry, number), f"does not match the SQuAD format ({error!r})"))
        except ValueError as error:
            problems.append(LabelProblem(_question_name(entry, number), str(error)))
        else:
            questions[id] = LabelledQuestion(id, text, contexts.setdefault(context, len(contexts)), spans)
            if title:
                titles.setdefault(context, title.replace("_", " "))
    dataset = Dataset(path.stem, tuple(contexts), tuple(questions.values()), titles=titles)
    return check_dataset(path, problems, dataset)


@contextmanager
def _described_errors(path: Path) -> Iterator[None]:
    """Raise errors in the structure of a file as DatasetError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise DatasetError(f"{path}: not a SQuAD JSON file ({reason})", field="dataset") from error


def _iterate_entries(articles: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                yield str(article.get("title") or ""), paragraph["context"], entry


def _question_name(entry: object, number: int) -> str:
    return f"question {entry['id']!r}" if isinstance(entry, dict) and "id" in entry else f"question number {number}"


def _parse_spans(context: str, entry: dict[str, Any]) -> tuple[Span, ...]:
    if entry.get("is_impossible", False):
        return ()
    if not entry["answers"] and "is_impossible" in entry:
        raise ValueError("has no answers; add one or set is_impossible")
    spans = []
    for answer in entry["answers"]:
        start, text = answer["answer_start"], answer["text"]
        if not text or start < 0 or context[start : start + len(text)] != text:
            raise ValueError(f"answer {text!r} is not at offset {start}")
        spans.append(Span(start, start + len(text)))
    return tuple(spans)
