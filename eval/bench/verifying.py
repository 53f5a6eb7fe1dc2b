"""Measure the time to find quotations in an index, verbatim and with one word changed.

    python -m eval.bench.verifying [DATASET] [--passages N] [--quotes N]

The documents are recombined sentences of a SQuAD file's contexts, two for each passage and ten passages for each
document. Vectors play no part, so all are equal and nothing is embedded. Each quotation is a separate call.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path

import numpy as np

from eval.bench.querying import GOLDEN
from eval.bench.recombined import distinct_sentences, recombine
from eval.bench.server import percentile
from qa.documents import splitting
from qa.evaluation.squad import load_squad
from qa.index.catalog import Specification
from qa.index.local import LocalIndex, Prepared
from qa.index.quotations import verify_quotes
from qa.index.registry import DEFAULT_INDEX, Indexes
from qa.types import Document, Passage, Span

_DIMENSION = 8
_PASSAGES_OF_DOCUMENT = 10
_DOCUMENTS_AT_ONCE = 100


def main() -> None:
    """Print the median, the 95th percentile and the maximum of verbatim and of changed quotations."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--quotes", type=int, default=500)
    arguments = parser.parse_args()
    sentences = distinct_sentences(load_squad(arguments.dataset).contexts)
    with tempfile.TemporaryDirectory() as folder:
        specification = Specification("none", _DIMENSION, splitting.IDENTITY)
        indexes = Indexes(Path(folder), specification)
        index = indexes.get_or_create(DEFAULT_INDEX)
        _fill(index, sentences, arguments.passages // _PASSAGES_OF_DOCUMENT)
        index.catch_up()
        rng = random.Random(1)  # noqa: S311
        used = islice(recombine(len(sentences)), arguments.passages)
        stored = {sentences[number] for pair in used for number in pair}
        verbatim = rng.sample(sorted(stored), min(arguments.quotes, len(stored)))
        for name, quotes in (("verbatim", verbatim), ("changed", [_change_word(quote, rng) for quote in verbatim])):
            times, found = _time_each(indexes, quotes)
            p50, p95 = percentile(times, 50), percentile(times, 95)
            print(
                f"{name:9} found {found} of {len(quotes)}   p50 {p50:.1f} ms   p95 {p95:.1f} ms   max {max(times):.1f}"
            )
        indexes.close()


def _fill(index: LocalIndex, sentences: Sequence[str], documents: int) -> None:
    """Add documents to an index."""
    texts = (" ".join(sentences[n] for n in pair) for pair in recombine(len(sentences)))
    for first in range(0, documents, _DOCUMENTS_AT_ONCE):
        numbers = range(first, min(first + _DOCUMENTS_AT_ONCE, documents))
        index.put([_prepare(str(number), texts) for number in numbers], index.generation())


def _prepare(id: str, texts: Iterator[str]) -> Prepared:
    parts = [next(texts) for _ in range(_PASSAGES_OF_DOCUMENT)]
    starts = [0, *accumulate(len(part) + 1 for part in parts)]
    passages = [Passage(id, Span(start, start + len(part)), part) for start, part in zip(starts, parts, strict=False)]
    vectors = np.full((len(parts), _DIMENSION), _DIMENSION**-0.5, np.float16)
    return Prepared(Document(id, " ".join(parts)), passages, vectors)


def _change_word(sentence: str, rng: random.Random) -> str:
    """Return a sentence with one of its words doubled."""
    words = sentence.split(" ")
    # A dash or quotation mark that stands alone may differ.
    position = rng.choice([number for number, word in enumerate(words) if any(map(str.isalnum, word))])
    words[position] += words[position]
    return " ".join(words)


def _time_each(indexes: Indexes, quotes: Sequence[str]) -> tuple[list[float], int]:
    """Return the milliseconds for each quotation, and the number of those that were found."""
    verify_quotes(indexes, DEFAULT_INDEX, quotes[:1], None)
    times, found = [], 0
    for quote in quotes:
        started = time.perf_counter()
        (result,) = verify_quotes(indexes, DEFAULT_INDEX, [quote], None)
        times.append(1000 * (time.perf_counter() - started))
        found += result.found
    return times, found


if __name__ == "__main__":
    main()
