"""The one place where parts are chosen and put together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qa.config import SHIPPED, Settings, load_settings
from qa.documents import splitting
from qa.engine import Engine
from qa.index.catalog import Specification
from qa.index.registry import Indexes
from qa.indexing.indexer import Indexer
from qa.models.embedder import Embedder, ShippedEmbedder
from qa.models.inference import available_threads
from qa.models.low_priority import LowPriorityEmbedder
from qa.models.model_folder import MANIFEST, WEIGHTS, open_model_folder
from qa.reading import early_stopping
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.reader import ShippedReader
from qa.search import fusion


def build_engine(settings: Settings) -> Engine:
    """Load the models and get ready to open indexes.

    Raises:
        ModelError: weights are missing, damaged, or do not belong together.
    """
    threads = settings.threads or available_threads()
    folder = reader_folder(settings)
    # Each takes a core for half a second.
    with ThreadPoolExecutor(1) as aside:
        loading = aside.submit(lambda: ShippedReader(open_model_folder(folder), threads, settings.cache_dir))
        embedder = build_embedder(settings, threads)
        reader = loading.result()
    calibration = Calibration.load(folder / CALIBRATION)
    calibration.check(reader.identity, fusion.IDENTITY, splitting.IDENTITY, early_stopping.IDENTITY)
    return Engine(Indexes(settings.index_dir, _specification(embedder)), embedder, reader, calibration)


def build_low_priority_indexer(settings: Settings) -> Indexer:
    """Load what documents are taken in with, and no more; its embedding gives way to other work.

    Raises:
        ModelError: as for `build_engine`.
    """
    embedder = LowPriorityEmbedder(lambda: build_embedder(settings, settings.threads or available_threads()))
    return Indexer(Indexes(settings.index_dir, _specification(embedder)), embedder)


def build_embedder(settings: Settings, threads: int) -> Embedder:
    """Return the shipped embedder, or the one that the settings name: trained on, or a sentence-transformers model.

    Raises:
        ModelError: it cannot be loaded.
    """
    folder = embedder_folder(settings)
    if settings.embedder == SHIPPED or (folder / MANIFEST).is_file():
        return ShippedEmbedder(open_model_folder(folder), threads, settings.cache_dir)
    # Costs torch and seconds: only who asks for it pays.
    from qa.models.sentence_transformers_embedder import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(settings.embedder, threads)


def _specification(embedder: Embedder) -> Specification:
    return Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)


def embedder_folder(settings: Settings) -> Path:
    """Return the folder of the embedder that the settings name; it need not be one."""
    return WEIGHTS / "embedder" if settings.embedder == SHIPPED else Path(settings.embedder)


def reader_folder(settings: Settings) -> Path:
    """Return the folder of the reader that the settings name."""
    return WEIGHTS / "reader" if settings.reader == SHIPPED else Path(settings.reader)


def open_engine(path: str | Path = "indexes", **settings: object) -> Engine:
    """Open the indexes under a folder for use in a program; the default index is made if there is none.

    Args:
        path: the folder that holds the indexes.
        settings: any of `qa.config.Settings`.
    """
    engine = build_engine(load_settings(index_dir=Path(path), **settings))
    engine.indexes.get_or_create("default")
    return engine
