"""Compare the time of a question and of indexing a passage with a floor: the matrix products alone.

    python -m eval.bench.floor [DATASET] [--threads N]

OpenVINO's profiler measures the products, and the time is divided evenly among the threads. The floor of a question is
the products of reading ten whole passages. A question can take less, where the reader stops after fewer passages. It
takes more for everything else: embedding, search and the work on each token. The floor of a passage is the products
of embedding it.
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
from qa.models.embedder import Embedder, tokenize
from qa.models.inference import TokenSequence, available_threads, compile_settings, pad
from qa.models.model_folder import WEIGHTS
from qa.models.openvino_runtime import ov
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import split_windows
from qa.types import Document

QUESTIONS = 40
_PASSAGES = 10
# The floor of a passage is measured on this number of passages.
_EMBEDDED = 200
_SECOND_INDEX = "again"
_PRODUCTS = ("FullyConnected", "MatMul")


def main() -> None:
    """Print both floors, and the times of questions and passages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--threads", type=int, default=available_threads())
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset).head(QUESTIONS)
    documents = [Document(str(position), text) for position, text in enumerate(dataset.contexts)]
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder), threads=arguments.threads))
        # The first index also compiles kernels for each text length; the second is measured.
        for index in (DEFAULT_INDEX, _SECOND_INDEX):
            engine.indexes.get_or_create(index)
            started = time.perf_counter()
            engine.add(documents, index=index)
            elapsed = 1000 * (time.perf_counter() - started)
        _report_questions(engine, [question.text for question in dataset.questions], arguments.threads)
        _report_passages(engine.embedder, documents, elapsed, arguments.threads)
        engine.close()


def _report_questions(engine: Engine, questions: Sequence[str], threads: int) -> None:
    tokenizer, profiled = _load_shipped("reader")
    question_ms, reading_ms, product_ms, tokens = [], [], [], []
    for question in questions:
        question_ids = tokenizer.encode(question, add_special_tokens=False).ids
        hits = engine.search(question, top_k=_PASSAGES, by_sentence=False).hits
        texts = [tokenizer.encode(hit.passage.text, add_special_tokens=False).ids for hit in hits]
        inputs = [(window.ids, window.types) for ids in texts for window in split_windows(question_ids, ids)]
        tokens.append(sum(len(ids) for ids, _ in inputs))
        total, products = profiled.run(inputs)
        reading_ms.append(total / threads)
        product_ms.append(products / threads)
        question_ms.append(engine.ask(question).timings_ms["total"])
    floor = statistics.median(product_ms)
    print(
        f"{len(question_ms)} questions, ten passages of {statistics.median(tokens):.0f} tokens in all, "
        f"{threads} threads; ms, median"
    )
    print(f"matrix products of reading them (the floor)   {floor:7.1f}")
    print(f"reading them                                  {statistics.median(reading_ms):7.1f}")
    question_median = statistics.median(question_ms)
    ratio = question_median / floor
    print(f"a question, from text to answers              {question_median:7.1f}, {ratio:.2f} times the floor")


def _report_passages(embedder: Embedder, documents: Sequence[Document], elapsed: float, threads: int) -> None:
    tokenizer, profiled = _load_shipped("embedder")
    passages = [passage.text for document in documents for passage in split(document, embedder.token_starts)]
    inputs = tokenize(tokenizer, passages[:: -(-len(passages) // _EMBEDDED)])
    embedding, floor = (ms / (threads * len(inputs)) for ms in profiled.run(inputs))
    tokens = statistics.fmean(len(ids) for ids, _ in inputs)
    passage = elapsed / len(passages)
    print(f"{len(passages)} passages of {tokens:.0f} tokens, {threads} threads; ms, mean")
    print(f"matrix products of embedding one (the floor)  {floor:7.2f}")
    print(f"embedding one                                 {embedding:7.2f}")
    print(f"a passage, from text to searchable            {passage:7.2f}, {passage / floor:.2f} times the floor")


def _load_shipped(model: str) -> tuple[Tokenizer, _ProfiledModel]:
    return load_tokenizer(WEIGHTS / model / "tokenizer.json"), _ProfiledModel(WEIGHTS / model / "model.xml")


class _ProfiledModel:
    """A graph that runs on one thread with the profiler on."""

    def __init__(self, graph: Path) -> None:
        compiled = ov.Core().compile_model(str(graph), "CPU", {**compile_settings(1), "PERF_COUNT": True})
        self._request = compiled.create_infer_request()

    def run(self, inputs: Sequence[TokenSequence]) -> tuple[float, float]:
        """Return the milliseconds of all operations on the sequences, and of the matrix products alone."""
        padded = [pad(ids, types) for ids, types in inputs]
        # The first run of each length compiles its kernels.
        for tokens in padded:
            self._request.infer(tokens)
        total = products = 0.0
        for tokens in padded:
            started = time.perf_counter()
            self._request.infer(tokens)
            total += 1000 * (time.perf_counter() - started)
            products += 1000 * sum(
                operation.real_time.total_seconds()
                for operation in self._request.profiling_info
                if operation.node_type.startswith(_PRODUCTS)
            )
        return total, products


if __name__ == "__main__":
    main()
