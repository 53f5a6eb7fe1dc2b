"""Small training files: SQuAD files of plain contexts, and labelled documents with the files that they name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.training.data.passage_examples import is_held_out_file

CONTEXTS = [f"In {1900 + n} Ann{n} opened shop number {n} in the town of Place{n}." for n in range(60)]
# Documents of which none is held out.
FILES = [file for n in range(40) if not is_held_out_file(file := f"pump{n}-manual.txt", 50)][:6]


def write_squad(path: Path, contexts: list[str]) -> None:
    """Write a SQuAD file with a question on each context, and a second one on every other context."""
    paragraphs = [
        {
            "context": text,
            "qas": [
                {"id": text[3:7], "question": "When was it?", "answers": [{"text": text[3:7], "answer_start": 3}]},
                {"id": text[3:6], "question": "Who?", "answers": [{"text": text[3:6], "answer_start": 3}]},
            ][: 1 + (n % 2)],
        }
        for n, text in enumerate(contexts)
    ]
    for paragraph in paragraphs:
        for entry in paragraph["qas"]:
            entry["id"] = f"{paragraph['context']}-{entry['id']}"  # type: ignore[index]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))


def document_text(file: str) -> str:
    """Return the text of a document."""
    name = file.partition("-")[0]
    number = name.removeprefix("pump")
    return (
        f"The manual of {name}.\n\nOil the belt of {name} every {number} weeks. Use thin oil. Wear gloves.\n\n"
        f"Keep {name} dry. Never open the lid while the motor runs, because the blades are sharp."
    )


def write_documents(folder: Path, files: list[str]) -> None:
    """Write `labels.json`, with an answerable, an evidence-only and an unanswerable question on each document."""
    (folder / "docs").mkdir(exist_ok=True)
    articles = []
    for file in files:
        text = document_text(file)
        (folder / "docs" / file).write_text(text)
        entries = [
            _entry(text, "How often does the belt need oil?", answers=[re.findall(r"every \d+ weeks", text)[0]]),
            _entry(text, "How is the belt oiled?", evidence=["Use thin oil.", "Wear gloves."]),
            _entry(text, "Who sells oil for the belt?"),
        ]
        for number, entry in enumerate(entries):
            entry["id"] = f"{file}-{number}"
        articles.append(
            {"title": file, "genre": "manuals", "file": file, "paragraphs": [{"context": text, "qas": entries}]}
        )
    (folder / "labels.json").write_text(json.dumps({"data": articles}))


def _entry(text: str, question: str, answers: Sequence[str] = (), evidence: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "question": question,
        "answers": [{"text": part, "answer_start": text.index(part)} for part in answers],
        "evidence": [{"text": part, "start": text.index(part)} for part in evidence],
        "is_impossible": not (answers or evidence),
    }
