"""This system and its peers on the same texts and questions, in turn, so that a noisy machine is noisy for all.

    python -m eval.bench.peers DATASET [--among FOLDER...] [--questions N] [--json FILE]

The documents are the contexts of a SQuAD file and, each once, the passages that this system makes of the texts of BEIR
folders: the same for all, as no peer cuts what it is given. Peers run in an environment of their own (`make bench`
makes it) with the shipped embedder's and reader's weights in Hugging Face's format, and as many threads. Beside each
time stands the F1 of the answers, so that nobody wins by reading less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from eval.bench.passages import among
from qa.evaluation.datasets import LabelledQuestion
from qa.evaluation.metrics import f1
from qa.evaluation.squad import load_squad
from qa.models.model_folder import WEIGHTS, open_model_folder
from qa.training.artifacts.base_model import base_model_folder, quietly, untrained_reader
from qa.training.artifacts.dequantise import float_embedder, load_dequantised

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
OURS = "spanlight"
SYSTEMS = {OURS: "spanlight_engine", "haystack": "haystack_pipeline", "txtai": "txtai_pipeline"}
CLIENTS = 16
_BLOCK = 200


class Measured:
    """A system in a process of its own."""

    def __init__(self, python: str, module: str, reader: Path, embedder: Path, threads: int) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": str(threads),
            "HF_HUB_OFFLINE": "1",
            "HAYSTACK_TELEMETRY_ENABLED": "False",
            "TOKENIZERS_PARALLELISM": "false",
        }
        command = [python, "-m", f"eval.bench.peers.{module}", str(reader), str(embedder), str(threads)]
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._told, text=True, env=environment
        )

    def __enter__(self) -> Measured:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._told.close()

    def do(self, **request: Any) -> dict[str, Any]:
        """Have one thing done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._told.seek(0)
            raise SystemExit(f"{self._process.args!r} ended:\n{self._told.read()[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        return reply


def main() -> None:
    """Print a row for each system, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers" / "bin" / "python"), help="Python of the peers")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--documents", type=int, help="only so many of the dataset's")
    parser.add_argument("--among", type=Path, nargs="+", default=[], help="folders with a corpus.jsonl")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    dataset = load_squad(given.dataset)
    texts = list(dataset.contexts[: given.documents])
    usable = [q for q in dataset.questions if q.context < len(texts)]
    questions = usable[:: max(1, len(usable) // given.questions)][: given.questions]
    texts = among(texts, given.among)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        reader, embedder = _reader_for_peers(Path(folder) / "reader"), _embedder_for_peers(Path(folder) / "embedder")
        systems = {
            name: stack.enter_context(
                Measured(sys.executable if name == OURS else given.peers, module, reader, embedder, given.threads)
            )
            for name, module in SYSTEMS.items()
        }
        adding: dict[str, list[float]] = {name: [] for name in systems}
        for system in systems.values():
            # What comes first pays for what all that follows use.
            system.do(add=["A first document."])
            system.do(ask="What is it?")
        for first in range(0, len(texts), _BLOCK):
            for name, system in systems.items():
                adding[name].append(system.do(add=texts[first : first + _BLOCK])["seconds"])
        asking: dict[str, list[float]] = {name: [] for name in systems}
        scores: dict[str, list[float]] = {name: [] for name in systems}
        for question in questions:
            for name, system in systems.items():
                reply = system.do(ask=question.text)
                asking[name].append(reply["seconds"])
                scores[name].append(_f1(reply["answer"], question, dataset.contexts))
        together = {
            name: system.do(ask_many=[q.text for q in questions], clients=CLIENTS)["seconds"]
            for name, system in systems.items()
        }
        memory = {name: system.do()["pss_mb"] for name, system in systems.items()}
    figures = {
        name: {
            "f1": round(100 * statistics.mean(scores[name]), 1),
            "ms": _spread([1000 * s for s in asking[name]]),
            "times_ours": _spread([theirs / ours for theirs, ours in zip(asking[name], asking[OURS], strict=True)]),
            "questions_per_second": round(len(questions) / together[name], 2),
            "documents_per_second": round(len(texts) / sum(adding[name]), 1),
            "adding_times_ours": _spread(
                [theirs / ours for theirs, ours in zip(adding[name], adding[OURS], strict=True)]
            ),
            "pss_mb": round(memory[name]),
        }
        for name in systems
    }
    for name, row in figures.items():
        print(name, json.dumps(row))
    if given.json:
        head = {"dataset": dataset.name, "among": [folder.name for folder in given.among], "documents": len(texts)}
        how = {"questions": len(questions), "threads": given.threads, "clients": CLIENTS}
        given.json.write_text(json.dumps({**head, **how, "systems": figures}, indent=1) + "\n")


def _reader_for_peers(folder: Path) -> Path:
    """Write the shipped reader's weights and tokenizer in Hugging Face's format."""
    network = untrained_reader()
    load_dequantised(network, open_model_folder(WEIGHTS / "reader").graph)
    with quietly():
        network.save_pretrained(folder)
    for file in base_model_folder().glob("*token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "vocab.txt").write_bytes((base_model_folder() / "vocab.txt").read_bytes())
    return folder


def _embedder_for_peers(folder: Path) -> Path:
    """Write the shipped embedder's weights in the format of sentence-transformers."""
    shutil.copytree(base_model_folder(), folder)
    with quietly():
        float_embedder(WEIGHTS / "embedder").encoder.save_pretrained(folder)
    return folder


def _f1(answer: str, question: LabelledQuestion, contexts: Sequence[str]) -> float:
    return f1(answer, [span.of(contexts[question.context]) for span in question.answers])


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile, and what eight in ten lie between."""
    ranked = sorted(values)
    places = {"p50": 0.5, "p95": 0.95, "p10": 0.1, "p90": 0.9}
    return {name: round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 2) for name, share in places.items()}


if __name__ == "__main__":
    main()
