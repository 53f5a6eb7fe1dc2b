"""Question and passages ─► logits: where in each passage an answer may start and end, and that it holds none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from qa.models.inference import Graph
from qa.models.model_folder import ModelFolder
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import ReaderInput, windows
from qa.reading.spans import PassageLogits, WindowLogits


class Pair(NamedTuple):
    """A question, a passage that may answer it, and the titles that stand above that."""

    question: str
    passage: str
    above: str = ""


class Reader(Protocol):
    """Reads passages for a question."""

    identity: str
    """Name and hash: a calibration belongs to exactly one."""

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        """Return the logits of each pair's passage."""
        ...


class ShippedReader:
    """The reader that comes with the package: a start/end head on MiniLM, static int8, `[CLS]` as the null span."""

    def __init__(self, model: ModelFolder, threads: int, cache: Path | None = None) -> None:
        self.identity = model.identity
        self._graph = Graph(model.graph, threads, cache, model.identity)
        self._tokenizer = load_tokenizer(model.tokenizer)

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        """Return the logits of each pair's passage; what stands beside it in the batch does not change them."""
        # Several pairs share a question, and often titles.
        short = list(dict.fromkeys(chain.from_iterable((pair.question, pair.above) for pair in pairs)))
        encoded = self._tokenizer.encode_batch_fast([text.strip() for text in short], add_special_tokens=False)
        ids = dict(zip(short, (encoding.ids for encoding in encoded), strict=True))
        passages = self._tokenizer.encode_batch([pair.passage for pair in pairs], add_special_tokens=False)
        inputs: list[ReaderInput] = []
        owners: list[int] = []
        for place, (pair, passage) in enumerate(zip(pairs, passages, strict=True)):
            for window in windows(ids[pair.question], passage.ids, ids[pair.above]):
                inputs.append(window)
                owners.append(place)
        outputs = self._graph.run([(made.ids, made.types) for made in inputs])
        read: list[list[WindowLogits]] = [[] for _ in pairs]
        for made, owner, (start, end) in zip(inputs, owners, outputs, strict=True):
            inside = slice(made.offset, made.offset + made.count)
            read[owner].append(WindowLogits(made.first, start[inside], end[inside], float(start[0] + end[0])))
        return [PassageLogits(passage.offsets, logits) for passage, logits in zip(passages, read, strict=True)]
