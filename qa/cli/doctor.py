"""What this installation runs with: versions, models, processor."""

from __future__ import annotations

from dataclasses import dataclass

from qa.config import Settings
from qa.evaluation.runner import versions
from qa.factory import build_engine
from qa.models.inference import available_threads
from qa.models.processor import processor

_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16", "asimddp", "i8mm")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that can make two machines differ."""

    versions: dict[str, str]
    embedder: str
    reader: str
    no_answer_threshold: float
    processor: str
    processor_features: tuple[str, ...]
    arithmetic: str
    threads: int
    index_dir: str


def diagnose(settings: Settings) -> Diagnosis:
    """Load the models as a query would, and tell what is there.

    Raises:
        ModelError: weights are missing, damaged, or do not belong together.
    """
    engine = build_engine(settings)
    found = processor()
    return Diagnosis(
        versions=versions(),
        embedder=engine.embedder.identity,
        reader=engine.reader.identity,
        no_answer_threshold=engine.calibration.query.refusal,
        processor=found.name,
        processor_features=tuple(flag for flag in _FLAGS if flag in found.features),
        arithmetic="float32" if found.int8_is_slow else "int8",
        threads=settings.threads or available_threads(),
        index_dir=str(settings.index_dir.resolve()),
    )
