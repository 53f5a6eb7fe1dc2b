"""Measure highlighting a text of 400 words, beside a cross-encoder of 12 layers on the same text.

    python -m eval.bench.highlighting [--threads N] [--repeats N] [--encoder FOLDER]

Each text is highlighted with `engine.highlight`, from text to sentences, and read by the cross-encoder, from text to
one score, in turn. The cross-encoder stands for the context pruners and rerankers of that size: BERT of 12 layers, 384
wide, in PyTorch float32. It reads the question and at most the first 512 tokens, and splits no sentences, so its time
is a lower bound. The time does not depend on the values of the weights. They are random unless `--encoder` names a
folder in Hugging Face format, such as that of e5-small-v2. Texts are from the golden set.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification

from qa.config import Settings
from qa.evaluation.squad import load_squad
from qa.factory import build_engine
from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.training.artifacts.base_model import silence_transformers

GOLDEN = Path(__file__).parent.parent / "golden" / "golden.json"
WORDS, MAX_TOKENS = 400, 512


def main() -> None:
    """Print medians and 95th percentiles of both, and their ratio."""
    arguments = _parse_arguments()
    torch.set_num_threads(arguments.threads)
    network = _load_network(arguments.encoder)
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    dataset = load_squad(GOLDEN)
    texts = take_texts("\n\n".join(dataset.contexts), arguments.repeats)
    rows: list[tuple[float, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        build_engine(Settings(index_dir=Path(folder), threads=arguments.threads)) as engine,
    ):
        for number, (question, text) in enumerate(zip((q.text for q in dataset.questions), texts, strict=False)):
            ours = _seconds(engine.highlight, question, [("text", text)])
            theirs = _seconds(_score, network, tokenizer, question, text)
            # The first call sets up the kernels.
            if number:
                rows.append((ours, theirs))
    print(f"a text of {WORDS} words, {arguments.threads} threads, {len(rows)} texts")
    print(f"highlighted                    {_percentiles([ours for ours, _ in rows])}")
    print(f"cross-encoder, 12 layers       {_percentiles([theirs for _, theirs in rows])}")
    print(f"highlighted, relative to it    {statistics.median(ours / theirs for ours, theirs in rows):.2f} (median)")


def take_texts(text: str, count: int) -> list[str]:
    """Return `count` texts of 400 words and one more, from places that are spread evenly.

    Raises:
        ValueError: the text has fewer than 400 words.
    """
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) < WORDS:
        raise ValueError(f"a text of {len(words)} words is too short; {WORDS} are needed")
    room = len(words) - WORDS
    starts = [room * number // max(count, 1) for number in range(count + 1)]
    return [text[words[start][0] : words[start + WORDS - 1][1]] for start in starts]


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=60, help="number of texts, at most that of the golden questions")
    parser.add_argument("--encoder", type=Path, help="folder of an encoder of 12 layers")
    return parser.parse_args()


def _load_network(folder: Path | None) -> torch.nn.Module:
    if folder:
        # The head is not in the folder; its values do not change the time.
        with silence_transformers():
            network = BertForSequenceClassification.from_pretrained(folder, num_labels=1, attn_implementation="sdpa")
    else:
        config = BertConfig(
            hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536, num_labels=1
        )
        network = BertForSequenceClassification._from_config(config, attn_implementation="sdpa")  # noqa: SLF001
    evaluated: torch.nn.Module = network.float().eval()
    return evaluated


def _score(network: torch.nn.Module, tokenizer: Tokenizer, question: str, text: str) -> float:
    """Return the cross-encoder's score of a question and the beginning of a text."""
    asked, read = (tokenizer.encode(part, add_special_tokens=False).ids for part in (question, text))
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    first = [start, *asked, end]
    second = [*islice(read, MAX_TOKENS - len(first) - 1), end]
    ids = torch.tensor([first + second])
    types = torch.tensor([[0] * len(first) + [1] * len(second)])
    with torch.inference_mode():
        return float(network(input_ids=ids, attention_mask=torch.ones_like(ids), token_type_ids=types).logits)


def _seconds(call: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - started


def _percentiles(seconds: Sequence[float]) -> str:
    values = sorted(1000 * value for value in seconds)
    return f"p50 {statistics.median(values):7.1f} ms   p95 {values[int(0.95 * len(values))]:7.1f} ms"


if __name__ == "__main__":
    main()
