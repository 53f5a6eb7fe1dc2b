"""Shared fixtures: small real data, and fakes whose output depends on their input."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from hypothesis import settings

from qa.client import Client
from qa.config import Settings
from qa.documents import splitting
from qa.engine import Engine
from qa.errors import QAError
from qa.factory import build_engine
from qa.index.catalog import Specification
from qa.index.local import LocalIndex, Prepared
from qa.index.registry import Indexes
from qa.indexing.indexer import Indexer
from qa.models.embedder import Vectors
from qa.models.model_folder import WEIGHTS
from qa.reading.calibration import CALIBRATION, Calibration, EvidenceScale, UnitFeatures
from qa.reading.passage_tokens import units_of
from qa.reading.reader import Pair
from qa.reading.spans import PassageLogits, WindowLogits
from qa.results import QueryResult
from qa.service.app import create_app
from qa.text.headings import search_text
from qa.types import Document

# The same examples in every run; `make stress` tries others.
settings.register_profile("repeatable", derandomize=True)
if not os.environ.get("QA_STRESS"):
    settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "eval" / "golden"
# Seconds for a process to start or to end.
PROCESS_TIMEOUT_S = 60
SHARED = ROOT.parent / "shared" / "data"


class HashingEmbedder:
    """Embeds a text as a hashed bag of words: texts that share words are near each other."""

    dimension = 64
    identity = "hashing@1"

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        return self.encode_passages(texts)

    def token_starts(self, text: str) -> Sequence[int]:
        return [match.start() for match in re.finditer(r"\w+|[^\w\s]", text)]


class WordReader:
    """Marks the units that share a word of four letters or more with the question, in windows of 40 words."""

    identity = "words@1"
    window = 40

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        return [self._read(pair) for pair in pairs]

    def _read(self, pair: Pair) -> PassageLogits:
        passage = pair.passage
        wanted = set(re.findall(r"\w{4,}", pair.question.casefold()))
        units = units_of(passage, passage.structure())
        marked = [unit for unit in units if wanted & set(re.findall(r"\w+", unit.of(passage.text).casefold()))]
        words = [match.span() for match in re.finditer(r"\w+|[^\w\s]", passage.text)]
        evidence = [3.0 if any(unit.start <= start < unit.end for unit in marked) else -3.0 for start, _ in words]
        windows = []
        for first in range(0, len(words), self.window):
            of_window = np.array(evidence[first : first + self.window], np.float32)
            spans = np.full(len(of_window), -5, np.float32)
            windows.append(WindowLogits(first, spans, spans, 0.0, of_window))
        offsets = np.array(words, np.int64).reshape(-1, 2)
        return PassageLogits(offsets, windows, np.zeros(len(words), np.int64), units)


EMBEDDER = HashingEmbedder()
SPECIFICATION = Specification(EMBEDDER.identity, EMBEDDER.dimension, splitting.IDENTITY)


def prepare_document(id: str, text: str, **fields: Any) -> Prepared:
    """Split and embed a document."""
    document = Document(id, text, **fields)
    passages = splitting.split(document, EMBEDDER.token_starts)
    return Prepared(
        document,
        passages,
        EMBEDDER.encode_passages([search_text(p.text, document.title, p.marks) for p in passages]).astype(np.float16),
    )


def put(index: LocalIndex, *documents: Prepared) -> None:
    """Write documents to the live generation."""
    generation, _ = index.catalog.specification()
    assert index.put(documents, generation) is not None


def search_ids(index: LocalIndex, question: str, limit: int = 10) -> list[str]:
    """Return the ids of the documents whose passages a search returns, best first."""
    (vector,) = EMBEDDER.encode_questions([question])
    return [hit.passage.document_id for hit in index.search(question, vector, limit).hits]


# Makes every unit evidence that `WordReader` marks; it has the score .95.
WORD_EVIDENCE = EvidenceScale(UnitFeatures._make([1.0, *[0.0] * 9]), 0.0, threshold=0.5, further=0.5, answered=0.9)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    """An empty index named "books"."""
    created = LocalIndex(tmp_path / "books", SPECIFICATION, create=True)
    yield created
    created.close()


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cache compiled models in a temporary folder instead of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shipped() -> Engine:
    """The shipped models, without indexes."""
    return build_engine(Settings(index_dir=Path("/nonexistent")))


@pytest.fixture
def engine(shipped: Engine, tmp_path: Path) -> Iterator[Engine]:
    """The shipped models on an empty default index."""
    opened = shipped.in_folder(tmp_path / "indexes")
    opened.indexes.get_or_create("default")
    yield opened
    opened.close()


@pytest.fixture
def marking(engine: Engine) -> Engine:
    """An engine whose reader marks units that share a word with the question; a marked unit has the score .95."""
    calibration = replace(engine.calibration, read=replace(engine.calibration.read, evidence=WORD_EVIDENCE))
    return Engine(engine.documents, WordReader(), calibration)


@pytest.fixture
def word_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that answers with the units that share a word with the question; it loads no model."""
    calibration = Calibration.load(WEIGHTS / "reader" / CALIBRATION)
    calibration = replace(calibration, query=replace(calibration.query, evidence=WORD_EVIDENCE))
    with Engine(Indexer(Indexes(tmp_path / "words", SPECIFICATION), EMBEDDER), WordReader(), calibration) as opened:
        opened.indexes.get_or_create("default")
        yield opened


@pytest.fixture(scope="session")
def golden(shipped: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The shipped models on the sample documents; tests only read it."""
    opened = shipped.in_folder(tmp_path_factory.mktemp("golden"))
    opened.indexes.get_or_create("default")
    opened.add([Document(path.stem, path.read_text(encoding="utf-8"), path.stem) for path in golden_documents()])
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def golden_guesses(golden: Engine) -> list[QueryResult]:
    """Every guess for each question of the golden set, in its order."""
    questions = [entry["question"] for article in golden_articles() for entry in article["paragraphs"][0]["qas"]]
    return golden.ask_batch(questions, min_confidence=0.0, top_k=5)


@contextmanager
def serving(engine: Engine, settings: Settings) -> Iterator[str]:
    """Run a real server on a free port; yield its address."""
    config = uvicorn.Config(create_app(settings, engine), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `qa serve` with settings; yield its address when it is ready, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {f"QA_{name.upper()}": str(value) for name, value in settings.items()}
    command = [str(Path(sys.executable).with_name("qa")), "serve", "--port", str(port)]
    environment = {**os.environ, "QA_INDEX_DIR": str(folder), **variables}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        with Client(url, key=variables.get("QA_API_KEYS"), retries=0) as client:
            while True:
                assert process.poll() is None
                try:
                    client.ready()
                    break
                except QAError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
        yield url, process
    finally:
        process.terminate()
        assert process.wait(PROCESS_TIMEOUT_S) in (0, -signal.SIGTERM)


def labels_in(squad: dict[str, Any]) -> dict[str, tuple[list[str], bool]]:
    """Return each question's answers, and whether it is unanswerable, from SQuAD JSON; check the offsets."""
    labels = {}
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                for answer in entry["answers"]:
                    start = answer["answer_start"]
                    assert paragraph["context"][start : start + len(answer["text"])] == answer["text"]
                labels[entry["question"]] = ([a["text"] for a in entry["answers"]], entry["is_impossible"])
    return labels


def golden_documents() -> list[Path]:
    return sorted((GOLDEN / "documents").glob("*.txt"))


def golden_articles() -> list[dict[str, Any]]:
    articles: list[dict[str, Any]] = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["data"]
    return articles


def shared(*parts: str) -> Path:
    """Return a file of the benchmark data, or skip the test."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the benchmark data is not beside this checkout: {'/'.join(parts)}")
    return path
