"""Measure reading ten passages, against the same network in PyTorch float32 on the same number of threads.

    python -m eval.bench.reading [--threads N] [--weights FOLDER]

Both read the same ten passages in turn, question by question. PyTorch gets them as one padded batch, as is usual, and
one by one, without padding. Its time does not depend on the values of the weights. They are random unless `--weights`
names the trained float weights in Hugging Face format.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertConfig, BertForQuestionAnswering

from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.models.inference import available_threads
from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import ReaderInput, split_windows
from qa.reading.passage_tokens import ReaderText
from qa.reading.reader import Pair
from qa.types import Document

GOLDEN = Path(__file__).parent.parent / "golden" / "golden.json"
QUESTIONS = 20


def main() -> None:
    """Print medians, ratios and their spread."""
    arguments = _parse_arguments()
    torch.set_num_threads(arguments.threads)
    network = _load_network(arguments.weights)
    dataset = load_squad(GOLDEN).head(QUESTIONS)
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    rows: list[tuple[float, float, float]] = []
    tokens = 0
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(Settings(index_dir=Path(folder), threads=arguments.threads))
        engine.indexes.get_or_create("default")
        engine.add([Document(str(i), text) for i, text in enumerate(dataset.contexts)])
        for question in dataset.questions:
            pairs = [
                Pair(question.text, ReaderText.of(hit.passage))
                for hit in engine.search(question.text, top_k=10, by_sentence=False).hits
            ]
            question_ids = tokenizer.encode(question.text, add_special_tokens=False).ids
            passage_ids = [tokenizer.encode(text, add_special_tokens=False).ids for _, text, _ in pairs]
            inputs = [window for ids in passage_ids for window in split_windows(question_ids, ids)]
            tokens += sum(len(window.ids) for window in inputs)
            if not rows:
                engine.reader.read_batch(pairs)
                _run_network(network, inputs)
            started = time.perf_counter()
            engine.reader.read_batch(pairs)
            ours = time.perf_counter()
            _run_network(network, inputs)
            batch = time.perf_counter()
            for window in inputs:
                _run_network(network, [window])
            single = time.perf_counter()
            rows.append((ours - started, batch - ours, single - batch))
        engine.close()
    print(
        f"ten passages, {tokens / len(rows):.0f} tokens, {arguments.threads} threads, {len(rows)} questions; ms, median"
    )
    print(f"shipped int8 reader      {1000 * statistics.median(o for o, _, _ in rows):7.1f}  (tokenising included)")
    _print_ratio("PyTorch float32, batch", [(ours, batch) for ours, batch, _ in rows])
    _print_ratio("PyTorch float32, singly", [(ours, single) for ours, _, single in rows])


def _print_ratio(name: str, pairs: Sequence[tuple[float, float]]) -> None:
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
    print(
        f"{name:24} {1000 * statistics.median(theirs for _, theirs in pairs):7.1f}  "
        f"ours is {statistics.median(ratios):.3f} of it (a tenth below {low:.3f}, a tenth above {high:.3f})"
    )


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=available_threads())
    parser.add_argument("--weights", type=Path)
    return parser.parse_args()


def _load_network(weights: Path | None) -> torch.nn.Module:
    if weights:
        network = BertForQuestionAnswering.from_pretrained(weights, attn_implementation="sdpa")
    else:
        config = BertConfig(
            hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, vocab_size=30522
        )
        network = BertForQuestionAnswering._from_config(config, attn_implementation="sdpa")  # noqa: SLF001
    evaluated: torch.nn.Module = network.float().eval()
    return evaluated


def _run_network(network: torch.nn.Module, inputs: list[ReaderInput]) -> None:
    longest = max(len(window.ids) for window in inputs)
    ids = torch.zeros((len(inputs), longest), dtype=torch.int64)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, window in enumerate(inputs):
        ids[row, : len(window.ids)] = torch.from_numpy(window.ids)
        types[row, : len(window.ids)] = torch.from_numpy(window.types)
        mask[row, : len(window.ids)] = 1
    with torch.inference_mode():
        network(input_ids=ids, attention_mask=mask, token_type_ids=types)


if __name__ == "__main__":
    main()
