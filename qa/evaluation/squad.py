"""SQuAD 1.1 and 2.0 JSON files ─► labelled questions; what feedback is exported as has the same form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.evaluation.datasets import Dataset, LabelledQuestion, LabelProblem, checked
from qa.evaluation.input_files import content_of
from qa.types import Span


def load_squad(path: Path) -> Dataset:
    """Read a SQuAD 1.1 or 2.0 JSON file; equal contexts become one.

    Raises:
        DatasetError: the file is missing or not SQuAD JSON, or has wrong labels: every one of them is named.
    """
    try:
        articles = json.loads(content_of(path))["data"]
        entries = list(_entries(articles))
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not a SQuAD JSON file ({error})", field="dataset") from error
    contexts: dict[str, int] = {}
    titles: dict[str, str] = {}
    questions: dict[str, LabelledQuestion] = {}
    problems: list[LabelProblem] = []
    for number, (title, context, entry) in enumerate(entries, 1):
        try:
            id, text, spans = str(entry["id"]), entry["question"], _spans(context, entry)
            if not isinstance(context, str) or not isinstance(text, str):
                raise TypeError("a context and a question are texts")
            if id in questions:
                raise ValueError("this id occurs twice")
        except (KeyError, TypeError) as error:
            problems.append(LabelProblem(_place(entry, number), f"not in the SQuAD layout ({error!r})"))
        except ValueError as error:
            problems.append(LabelProblem(_place(entry, number), str(error)))
        else:
            questions[id] = LabelledQuestion(id, text, contexts.setdefault(context, len(contexts)), spans)
            if title:
                titles.setdefault(context, title.replace("_", " "))
    dataset = Dataset(path.stem, tuple(contexts), tuple(questions.values()), titles=titles)
    return checked(path, problems, dataset)


def _entries(articles: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                yield str(article.get("title") or ""), paragraph["context"], entry


def _place(entry: object, number: int) -> str:
    return f"question {entry['id']!r}" if isinstance(entry, dict) and "id" in entry else f"question no. {number}"


def _spans(context: str, entry: dict[str, Any]) -> tuple[Span, ...]:
    if entry.get("is_impossible", False):
        return ()
    if not entry["answers"] and "is_impossible" in entry:
        raise ValueError("it has no answers, and is not marked as impossible")
    spans = []
    for answer in entry["answers"]:
        start, text = answer["answer_start"], answer["text"]
        if not text or start < 0 or context[start : start + len(text)] != text:
            raise ValueError(f"answer {text!r} is not at offset {start}")
        spans.append(Span(start, start + len(text)))
    return tuple(spans)
