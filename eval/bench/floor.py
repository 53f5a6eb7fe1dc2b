"""What a question would take if nothing but the matrix products of reading ten whole passages took time.

    python -m eval.bench.floor [DATASET] [--threads N]

The products' time is OpenVINO's own count of it, on this machine, shared evenly by the threads. What a question takes
is less where few passages settle it, and more by everything else: embedding, search, and what is done to each token.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import openvino as ov

from eval.bench.querying import GOLDEN
from qa.assembly import build_engine
from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.models.inference import available_threads, padded, settings_for
from qa.models.shipped import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.inputs import ReaderInput, windows
from qa.types import Document

QUESTIONS = 40
_PASSAGES = 10
_PRODUCTS = ("FullyConnected", "MatMul")


def main() -> None:
    """Print the floor, and what questions take."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path, nargs="?", default=GOLDEN)
    parser.add_argument("--threads", type=int, default=available_threads())
    given = parser.parse_args()
    dataset = load_squad(given.dataset).head(QUESTIONS)
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    counted = _Counted(WEIGHTS / "reader" / "model.xml")
    asked, whole, products, tokens = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder), threads=given.threads))
        engine.indexes.get_or_create("default")
        engine.add([Document(str(place), text) for place, text in enumerate(dataset.contexts)])
        for question in dataset.questions:
            own = tokenizer.encode(question.text, add_special_tokens=False).ids
            hits = engine.search(question.text, top_k=_PASSAGES, by_sentence=False).hits
            texts = [tokenizer.encode(hit.passage.text, add_special_tokens=False).ids for hit in hits]
            inputs = [window for ids in texts for window in windows(own, ids)]
            tokens.append(sum(len(made.ids) for made in inputs))
            # What each length is computed by is made when it is met first.
            counted.read(inputs)
            all_of_it, only_products = counted.read(inputs)
            whole.append(all_of_it / given.threads)
            products.append(only_products / given.threads)
            asked.append(engine.ask(question.text).timings_ms["total"])
        engine.close()
    floor = statistics.median(products)
    print(
        f"{len(asked)} questions, ten passages of {statistics.median(tokens):.0f} tokens in all, "
        f"{given.threads} threads; ms, median"
    )
    print(f"matrix products of reading them (the floor)   {floor:7.1f}")
    print(f"all of reading them                           {statistics.median(whole):7.1f}")
    ratio = statistics.median(asked) / floor
    print(f"a question, from text to answers              {statistics.median(asked):7.1f}, {ratio:.2f} times the floor")


class _Counted:
    """The reader's graph on one thread, with its operations' times."""

    def __init__(self, graph: Path) -> None:
        compiled = ov.Core().compile_model(str(graph), "CPU", {**settings_for(1), "PERF_COUNT": True})
        self._request = compiled.create_infer_request()

    def read(self, inputs: Sequence[ReaderInput]) -> tuple[float, float]:
        """Return how many milliseconds reading takes, and how many of them are matrix products."""
        whole = products = 0.0
        for made in inputs:
            given = padded(made.ids, made.types)
            began = time.perf_counter()
            self._request.infer(given)
            whole += 1000 * (time.perf_counter() - began)
            spent = (
                o.real_time.total_seconds() for o in self._request.profiling_info if o.node_type.startswith(_PRODUCTS)
            )
            products += 1000 * sum(spent)
        return whole, products


if __name__ == "__main__":
    main()
