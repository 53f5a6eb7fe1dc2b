"""Compare this system with its peers on the same texts and questions, in turn, so that noise affects all of them.

    python -m eval.bench.peers DATASET [--among FOLDER...] [--questions N] [--json FILE]

The documents are the contexts of a SQuAD file, and the distinct passages that this system splits the texts of BEIR
folders into. They are the same for all systems, as no peer splits its documents. The peers run in a separate
environment (`make bench` creates it), with the shipped weights in Hugging Face format and the same number of threads.
The table shows the F1 of the answers beside each time, as a system could save time by reading less.
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

from transformers import BertForQuestionAnswering

from eval.bench.passages import add_passages
from qa.evaluation.datasets import LabelledQuestion
from qa.evaluation.metrics import f1
from qa.evaluation.squad import load_squad
from qa.models.model_folder import WEIGHTS
from qa.training.artifacts.base_model import base_model_folder, silence_transformers
from qa.training.artifacts.dequantise import load_float_embedder, load_float_reader

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
OURS = "spanlight"
SYSTEMS = {OURS: "spanlight_engine", "haystack": "haystack_pipeline", "txtai": "txtai_pipeline"}
CLIENTS = 16
_BLOCK = 200


class MeasuredSystem:
    """A system in a separate process."""

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
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, text=True, env=environment
        )

    def __enter__(self) -> MeasuredSystem:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._stderr.close()

    def request(self, **request: Any) -> dict[str, Any]:
        """Send one request and return the reply."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._stderr.seek(0)
            raise SystemExit(f"{self._process.args!r} ended:\n{self._stderr.read()[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        return reply


def main() -> None:
    """Print a row for each system, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers" / "bin" / "python"), help="Python of the peers")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--documents", type=int, help="maximum number of the data set's contexts")
    parser.add_argument("--among", type=Path, nargs="+", default=[], help="folders with a corpus.jsonl")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    dataset = load_squad(arguments.dataset)
    texts = list(dataset.contexts[: arguments.documents])
    usable = [q for q in dataset.questions if q.context < len(texts)]
    questions = usable[:: max(1, len(usable) // arguments.questions)][: arguments.questions]
    texts = add_passages(texts, arguments.among)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        reader, embedder = _write_reader(Path(folder) / "reader"), _write_embedder(Path(folder) / "embedder")
        systems = {
            name: stack.enter_context(
                MeasuredSystem(
                    sys.executable if name == OURS else arguments.peers, module, reader, embedder, arguments.threads
                )
            )
            for name, module in SYSTEMS.items()
        }
        adding: dict[str, list[float]] = {name: [] for name in systems}
        for system in systems.values():
            # The first calls pay for one-time setup.
            system.request(add=["A first document."])
            system.request(ask="What is it?")
        for first in range(0, len(texts), _BLOCK):
            for name, system in systems.items():
                adding[name].append(system.request(add=texts[first : first + _BLOCK])["seconds"])
        asking: dict[str, list[float]] = {name: [] for name in systems}
        scores: dict[str, list[float]] = {name: [] for name in systems}
        for question in questions:
            for name, system in systems.items():
                reply = system.request(ask=question.text)
                asking[name].append(reply["seconds"])
                scores[name].append(_f1(reply["answer"], question, dataset.contexts))
        together = {
            name: system.request(ask_many=[q.text for q in questions], clients=CLIENTS)["seconds"]
            for name, system in systems.items()
        }
        memory = {name: system.request()["pss_mb"] for name, system in systems.items()}
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
    if arguments.json:
        documents = {
            "dataset": dataset.name,
            "among": [folder.name for folder in arguments.among],
            "documents": len(texts),
        }
        settings = {"questions": len(questions), "threads": arguments.threads, "clients": CLIENTS}
        arguments.json.write_text(json.dumps({**documents, **settings, "systems": figures}, indent=1) + "\n")


def _write_reader(folder: Path) -> Path:
    """Write the shipped reader's encoder, span head and tokenizer in Hugging Face format."""
    reader = load_float_reader(WEIGHTS / "reader")
    with silence_transformers():
        network = BertForQuestionAnswering(reader.bert.config)
        network.bert, network.qa_outputs = reader.bert, reader.qa_outputs
        network.save_pretrained(folder)
    for file in base_model_folder().glob("*token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "vocab.txt").write_bytes((base_model_folder() / "vocab.txt").read_bytes())
    return folder


def _write_embedder(folder: Path) -> Path:
    """Write the shipped embedder's weights in sentence-transformers format."""
    shutil.copytree(base_model_folder(), folder)
    with silence_transformers():
        load_float_embedder(WEIGHTS / "embedder").encoder.save_pretrained(folder)
    return folder


def _f1(answer: str, question: LabelledQuestion, contexts: Sequence[str]) -> float:
    return f1(answer, [span.of(contexts[question.context]) for span in question.answers])


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th, 10th and 90th percentiles."""
    ranked = sorted(values)
    shares = {"p50": 0.5, "p95": 0.95, "p10": 0.1, "p90": 0.9}
    return {name: round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 2) for name, share in shares.items()}


if __name__ == "__main__":
    main()
