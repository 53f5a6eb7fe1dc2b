"""Add passages of other texts to the documents of a benchmark, as distractors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.config import Settings
from qa.documents.splitting import split
from qa.evaluation.beir import load_corpus
from qa.factory import build_embedder
from qa.types import Document


def add_passages(contexts: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Return the contexts, then the passages that this system splits BEIR folders' texts into, without duplicates."""
    return list(dict.fromkeys([*contexts, *_passages(folders)]))


def _passages(folders: Sequence[Path]) -> Iterator[str]:
    if folders:
        token_starts = build_embedder(Settings(), threads=1).token_starts
        for folder in folders:
            for text in load_corpus(folder)[0]:
                yield from (passage.text for passage in split(Document("", text), token_starts))
