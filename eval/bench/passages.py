"""Passages of other texts, for those that are asked about to stand among."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.config import Settings
from qa.documents.splitting import split
from qa.evaluation.beir import corpus
from qa.factory import build_embedder
from qa.types import Document


def among(contexts: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Return contexts, and behind them the passages that this system makes of BEIR folders' texts; each once."""
    return list(dict.fromkeys([*contexts, *_passages(folders)]))


def _passages(folders: Sequence[Path]) -> Iterator[str]:
    if folders:
        token_starts = build_embedder(Settings(), threads=1).token_starts
        for folder in folders:
            for text in corpus(folder)[0]:
                yield from (passage.text for passage in split(Document("", text), token_starts))
