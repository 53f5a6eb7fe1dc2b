"""This system with its default settings."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from eval.bench.peers.protocol import serve
from qa.config import Settings
from qa.factory import build_engine
from qa.types import Document


class Spanlight:
    """An engine with one index."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._engine = build_engine(Settings(index_dir=folder, threads=threads))
        self._engine.indexes.get_or_create("default")
        self._count = 0

    def add(self, texts: list[str]) -> None:
        """Index documents durably."""
        self._engine.add([Document(str(self._count + position), text) for position, text in enumerate(texts)])
        self._count += len(texts)
        # Otherwise the next question would bring vectors and postings up to date, outside the indexing time.
        self._engine.indexes.get("default").catch_up()

    def ask(self, question: str) -> str:
        """Return the best answer, whatever its confidence."""
        answers = self._engine.ask(question, top_k=1, min_confidence=0).answers
        return answers[0].text if answers else ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        serve(Spanlight(Path(folder), int(sys.argv[3])))
