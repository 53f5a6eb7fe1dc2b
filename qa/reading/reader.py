"""Compute, for a question and a passage, the start, end and null logits of the answer span."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from qa.models.inference import Arithmetic, Graph
from qa.models.model_folder import ModelFolder
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import ReaderInput, split_windows
from qa.reading.passage_tokens import ReaderText, tokenize_passages
from qa.reading.spans import PassageLogits, WindowLogits


class Pair(NamedTuple):
    """A question, a passage that may answer it, and the titles above that passage."""

    question: str
    passage: ReaderText
    titles: str = ""


class Reader(Protocol):
    """Reads passages to answer a question."""

    identity: str
    """Name and hash; a calibration belongs to exactly one."""

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        """Return the logits of each pair's passage."""
        ...


class OpenVINOReader:
    """Span and evidence heads on an encoder, as static int8; the `[CLS]` token is the null span."""

    def __init__(
        self, model: ModelFolder, threads: int, cache: Path | None = None, arithmetic: Arithmetic = "auto"
    ) -> None:
        """Load the shipped reader, or one trained by `qa train reader`.

        Args:
            model: the reader's folder.
            threads: number of inference threads.
            cache: folder in which compiled graphs are cached; None disables the cache.
            arithmetic: as for `Graph`.

        Raises:
            ModelError: the model cannot be loaded.
        """
        self.identity = model.identity
        self._graph = Graph(model.graph, threads, cache, model.identity, arithmetic)
        self._tokenizer = load_tokenizer(model.tokenizer)

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        """Return the logits of each pair's passage; the rest of the batch does not change them."""
        # Pairs share questions and often titles, so each distinct text is tokenised once.
        short_texts = list(dict.fromkeys(chain.from_iterable((pair.question, pair.titles) for pair in pairs)))
        encodings = self._tokenizer.encode_batch_fast([text.strip() for text in short_texts], add_special_tokens=False)
        ids = dict(zip(short_texts, (encoding.ids for encoding in encodings), strict=True))
        passages = tokenize_passages([pair.passage for pair in pairs], self._tokenizer)
        inputs: list[ReaderInput] = []
        owners: list[int] = []
        for index, (pair, passage) in enumerate(zip(pairs, passages, strict=True)):
            for window in split_windows(ids[pair.question], passage.ids.tolist(), ids[pair.titles]):
                inputs.append(window)
                owners.append(index)
        outputs = self._graph.run([(window.ids, window.types) for window in inputs])
        logits: list[list[WindowLogits]] = [[] for _ in pairs]
        for window, owner, output in zip(inputs, owners, outputs, strict=True):
            start, end = output[:2]
            tokens = [values[window.offset : window.offset + window.count] for values in output]
            null = float(start[0] + end[0])
            logits[owner].append(WindowLogits(window.first, tokens[0], tokens[1], null, *tokens[2:3]))
        return [
            PassageLogits(passage.offsets, windows, passage.segments, passage.units)
            for passage, windows in zip(passages, logits, strict=True)
        ]
