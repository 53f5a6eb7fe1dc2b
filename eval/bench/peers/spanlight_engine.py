"""This system, as it ships."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from eval.bench.peers.protocol import serve
from qa.config import Settings
from qa.factory import build_engine
from qa.types import Document


class Spanlight:
    """An engine on an index in a folder."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._engine = build_engine(Settings(index_dir=folder, threads=threads))
        self._engine.indexes.get_or_create("default")
        self._count = 0

    def add(self, texts: list[str]) -> None:
        """Take in documents: they are on disk then."""
        self._engine.add([Document(str(self._count + place), text) for place, text in enumerate(texts)])
        self._count += len(texts)
        # Vectors and postings are brought up to date by the next question: that is part of the work.
        self._engine.indexes.get("default").catch_up()

    def ask(self, question: str) -> str:
        """Return the best answer, however sure it is."""
        answers = self._engine.ask(question, top_k=1, min_confidence=0).answers
        return answers[0].text if answers else ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        serve(Spanlight(Path(place), int(sys.argv[3])))
