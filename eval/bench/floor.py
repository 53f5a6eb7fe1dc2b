"""What would be left if nothing but matrix products took time: of a question, and of taking in a passage.

    python -m eval.bench.floor [DATASET] [--threads N]

The products' time is OpenVINO's own count of it, on this machine, shared evenly by the threads. Of a question it is
that of reading ten whole passages: it takes less where few settle it, and more by everything else: embedding, search,
and what is done to each token. Of a passage it is that of embedding it, which nothing makes less.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from eval.bench.querying import GOLDEN
from qa.config import Settings
from qa.documents.splitting import split
from qa.engine import Engine
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.index.registry import DEFAULT_INDEX
from qa.models.embedder import Embedder, sequences
from qa.models.inference import Sequence64, available_threads, padded, settings_for
from qa.models.model_folder import WEIGHTS
from qa.models.openvino_runtime import ov
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import windows
from qa.types import Document

QUESTIONS = 40
_PASSAGES = 10
# Of the passages, so many are embedded for the count.
_EMBEDDED = 200
_AGAIN = "again"
_PRODUCTS = ("FullyConnected", "MatMul")


def main() -> None:
    """Print both floors, and what questions and passages take."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--threads", type=int, default=available_threads())
    given = parser.parse_args()
    dataset = load_squad(given.dataset).head(QUESTIONS)
    documents = [Document(str(place), text) for place, text in enumerate(dataset.contexts)]
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder), threads=given.threads))
        # What each length is computed by is made when it is met first.
        for index in (DEFAULT_INDEX, _AGAIN):
            engine.indexes.get_or_create(index)
            began = time.perf_counter()
            engine.add(documents, index=index)
            took = 1000 * (time.perf_counter() - began)
        _tell_questions(engine, [question.text for question in dataset.questions], given.threads)
        _tell_passages(engine.embedder, documents, took, given.threads)
        engine.close()


def _tell_questions(engine: Engine, questions: Sequence[str], threads: int) -> None:
    tokenizer, counted = _shipped("reader")
    asked, whole, products, tokens = [], [], [], []
    for question in questions:
        own = tokenizer.encode(question, add_special_tokens=False).ids
        hits = engine.search(question, top_k=_PASSAGES, by_sentence=False).hits
        texts = [tokenizer.encode(hit.passage.text, add_special_tokens=False).ids for hit in hits]
        inputs = [(window.ids, window.types) for ids in texts for window in windows(own, ids)]
        tokens.append(sum(len(ids) for ids, _ in inputs))
        all_of_it, only_products = counted.run(inputs)
        whole.append(all_of_it / threads)
        products.append(only_products / threads)
        asked.append(engine.ask(question).timings_ms["total"])
    floor = statistics.median(products)
    print(
        f"{len(asked)} questions, ten passages of {statistics.median(tokens):.0f} tokens in all, "
        f"{threads} threads; ms, median"
    )
    print(f"matrix products of reading them (the floor)   {floor:7.1f}")
    print(f"all of reading them                           {statistics.median(whole):7.1f}")
    ratio = statistics.median(asked) / floor
    print(f"a question, from text to answers              {statistics.median(asked):7.1f}, {ratio:.2f} times the floor")


def _tell_passages(embedder: Embedder, documents: Sequence[Document], took: float, threads: int) -> None:
    tokenizer, counted = _shipped("embedder")
    passages = [passage.text for document in documents for passage in split(document, embedder.token_starts)]
    inputs = sequences(tokenizer, passages[:: -(-len(passages) // _EMBEDDED)])
    shares = [spent / (threads * len(inputs)) for spent in counted.run(inputs)]
    tokens = statistics.fmean(len(ids) for ids, _ in inputs)
    each, (whole, floor) = took / len(passages), shares
    print(f"{len(passages)} passages of {tokens:.0f} tokens, {threads} threads; ms, mean")
    print(f"matrix products of embedding one (the floor)  {floor:7.2f}")
    print(f"all of embedding one                          {whole:7.2f}")
    print(f"a passage, from text to what can be asked for {each:7.2f}, {each / floor:.2f} times the floor")


def _shipped(model: str) -> tuple[Tokenizer, _Counted]:
    return load_tokenizer(WEIGHTS / model / "tokenizer.json"), _Counted(WEIGHTS / model / "model.xml")


class _Counted:
    """A graph on one thread, with its operations' times."""

    def __init__(self, graph: Path) -> None:
        compiled = ov.Core().compile_model(str(graph), "CPU", {**settings_for(1), "PERF_COUNT": True})
        self._request = compiled.create_infer_request()

    def run(self, inputs: Sequence[Sequence64]) -> tuple[float, float]:
        """Return how many milliseconds the sequences take, and how many of them are matrix products."""
        given = [padded(ids, types) for ids, types in inputs]
        # What each length is computed by is made when it is met first.
        for one in given:
            self._request.infer(one)
        whole = products = 0.0
        for one in given:
            began = time.perf_counter()
            self._request.infer(one)
            whole += 1000 * (time.perf_counter() - began)
            spent = (
                o.real_time.total_seconds() for o in self._request.profiling_info if o.node_type.startswith(_PRODUCTS)
            )
            products += 1000 * sum(spent)
        return whole, products


if __name__ == "__main__":
    main()
