"""The composition root: choose the models and stores that the settings name, and put them together.

Each function imports what it needs: the libraries of the models and indexes take most of a second.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from qa.config import SHIPPED, Settings, load_settings
from qa.errors import InvalidInput

if TYPE_CHECKING:
    from qa.engine import Engine
    from qa.indexing.indexer import Indexer
    from qa.models.embedder import Embedder


def build_engine(settings: Settings) -> Engine:
    """Load the models; indexes are opened when they are first used.

    Raises:
        ModelError: weights are missing, damaged, or do not belong together.
    """
    from qa.documents import splitting
    from qa.engine import Engine
    from qa.models.inference import available_threads
    from qa.models.model_folder import open_model_folder
    from qa.reading import early_stopping
    from qa.reading.calibration import CALIBRATION, Calibration
    from qa.reading.reader import OpenVINOReader
    from qa.search import fusion

    threads = settings.threads or available_threads()
    folder = reader_folder(settings)
    # Each model keeps one core busy for half a second.
    with ThreadPoolExecutor(1) as executor:
        loading = executor.submit(
            lambda: OpenVINOReader(open_model_folder(folder), threads, settings.cache_dir, settings.arithmetic)
        )
        embedder = build_embedder(settings, threads)
        reader = loading.result()
    calibration = Calibration.load(folder / CALIBRATION)
    calibration.check(reader.identity, fusion.IDENTITY, splitting.IDENTITY, early_stopping.IDENTITY)
    return Engine(_indexer(settings, embedder), reader, calibration, ocr=settings.ocr == "auto")


def build_low_priority_indexer(settings: Settings) -> Indexer:
    """Load only what adding documents needs; embedding runs at low priority.

    Raises:
        ModelError: as for `build_engine`.
    """
    from qa.models.inference import available_threads
    from qa.models.low_priority import LowPriorityEmbedder

    return _indexer(
        settings, LowPriorityEmbedder(lambda: build_embedder(settings, settings.threads or available_threads()))
    )


def build_low_priority_engine(settings: Settings) -> Engine:
    """Load the models; the threads that they start run at low priority. The calling thread keeps its priority.

    Raises:
        ModelError: as for `build_engine`.
    """
    from qa.models.low_priority import lower_priority

    with ThreadPoolExecutor(1, initializer=lower_priority) as executor:
        return executor.submit(build_engine, settings).result()


def open_catalogues(settings: Settings) -> Indexer:
    """Open the indexes without a model, to list, read and remove documents.

    Indexes built with any model are accepted. Adding and searching need a model, and raise ModelError.
    """
    from qa.index.registry import Indexes
    from qa.indexing.indexer import Indexer

    return Indexer(Indexes(settings.index_dir))


def build_embedder(settings: Settings, threads: int) -> Embedder:
    """Return the embedder that the settings name: shipped, fine-tuned, or a sentence-transformers model.

    Raises:
        ModelError: the model cannot be loaded.
    """
    from qa.models.embedder import OpenVINOEmbedder
    from qa.models.model_folder import MANIFEST, open_model_folder

    folder = embedder_folder(settings)
    if settings.embedder == SHIPPED or (folder / MANIFEST).is_file():
        return OpenVINOEmbedder(open_model_folder(folder), threads, settings.cache_dir, settings.arithmetic)
    # Imports torch, which takes seconds.
    from qa.models.sentence_transformers_embedder import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(settings.embedder, threads)


def _indexer(settings: Settings, embedder: Embedder) -> Indexer:
    from qa.documents import splitting
    from qa.index.catalog import Specification
    from qa.index.registry import Indexes
    from qa.indexing.indexer import Indexer

    specification = Specification(embedder.identity, embedder.dimension, splitting.IDENTITY)
    return Indexer(Indexes(settings.index_dir, specification), embedder, keep_files=settings.keep_files)


def embedder_folder(settings: Settings) -> Path:
    """Return the embedder's folder; it does not exist if the settings name a sentence-transformers model."""
    from qa.models.model_folder import WEIGHTS

    return WEIGHTS / "embedder" if settings.embedder == SHIPPED else Path(settings.embedder)


def reader_folder(settings: Settings) -> Path:
    """Return the reader's folder."""
    from qa.models.model_folder import WEIGHTS

    return WEIGHTS / "reader" if settings.reader == SHIPPED else Path(settings.reader)


def open_engine(path: str | Path = "indexes", **settings: object) -> Engine:
    """Open the indexes in a folder, and create the default index if it does not exist; see `qa.open`.

    Args:
        path: the folder that holds the indexes.
        settings: fields of `qa.config.Settings`; None means not set.
    """
    from qa.index.registry import DEFAULT_INDEX

    if "://" in str(path):
        raise InvalidInput(
            f"{path!r} is a URL, not a folder; ask a running server with qa.Client({path!r})", field="path"
        )
    engine = build_engine(load_settings(index_dir=Path(path), **settings))
    engine.indexes.get_or_create(DEFAULT_INDEX)
    return engine
