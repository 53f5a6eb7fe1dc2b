"""Labelled questions from SQuAD 1.1 / 2.0 JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.types import Span


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with its gold spans in `contexts[context]`; no spans means unanswerable."""

    id: str
    text: str
    context: int
    answers: tuple[Span, ...]

    @property
    def answerable(self) -> bool:
        """Tell whether the context holds an answer."""
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Contexts, and the questions on them."""

    name: str
    contexts: tuple[str, ...]
    questions: tuple[LabelledQuestion, ...]

    def gold_texts(self, question: LabelledQuestion) -> tuple[str, ...]:
        """Return the accepted answers of a question; empty when it is unanswerable."""
        return tuple(span.of(self.contexts[question.context]) for span in question.answers)

    @property
    def has_unanswerable(self) -> bool:
        """Tell whether any question has no answer."""
        return any(not question.answerable for question in self.questions)

    def head(self, limit: int | None) -> Dataset:
        """Return the data set with `limit` questions, spread evenly, and every context kept."""
        if limit is None or limit >= len(self.questions):
            return self
        step = len(self.questions) / limit
        chosen = tuple(self.questions[int(i * step)] for i in range(limit))
        return Dataset(self.name, self.contexts, chosen)


def load_squad(path: Path) -> Dataset:
    """Read a SQuAD 1.1 or 2.0 JSON file; equal contexts become one.

    Raises:
        DatasetError: the file is missing or not SQuAD JSON, or a gold answer is not at its offset.
    """
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}", field="dataset") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: not a SQuAD JSON file ({error})", field="dataset") from error
    contexts: dict[str, int] = {}
    questions: list[LabelledQuestion] = []
    seen: set[str] = set()
    try:
        for context, entry in _entries(articles):
            place = contexts.setdefault(context, len(contexts))
            question = LabelledQuestion(str(entry["id"]), entry["question"], place, _spans(path, context, entry))
            if question.id in seen:
                raise DatasetError(f"{path}: question id {question.id!r} occurs twice", field="dataset")
            seen.add(question.id)
            questions.append(question)
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: not in the SQuAD layout ({error!r})", field="dataset") from error
    if not questions:
        raise DatasetError(f"{path}: holds no question", field="dataset")
    return Dataset(path.stem, tuple(contexts), tuple(questions))


def _entries(articles: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                yield paragraph["context"], entry


def _spans(path: Path, context: str, entry: dict[str, Any]) -> tuple[Span, ...]:
    if entry.get("is_impossible", False):
        return ()
    spans = []
    for answer in entry["answers"]:
        start, text = answer["answer_start"], answer["text"]
        if not text or start < 0 or context[start : start + len(text)] != text:
            raise DatasetError(
                f"{path}: question {entry['id']!r}: answer {text!r} is not at offset {start}", field="dataset"
            )
        spans.append(Span(start, start + len(text)))
    return tuple(spans)
