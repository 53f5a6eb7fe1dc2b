"""What this installation runs with: versions, models, processor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qa.assembly import build_engine
from qa.config import Settings
from qa.evaluation.runner import versions
from qa.models.inference import available_threads

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
    threads: int
    index_dir: str


def diagnose(settings: Settings) -> Diagnosis:
    """Load the models as a query would, and tell what is there.

    Raises:
        ModelError: weights are missing, damaged, or do not belong together.
    """
    engine = build_engine(settings)
    name, features = _processor()
    return Diagnosis(
        versions=versions(),
        embedder=engine.embedder.identity,
        reader=engine.reader.identity,
        no_answer_threshold=engine.calibration.query.refusal,
        processor=name,
        processor_features=features,
        threads=settings.threads or available_threads(),
        index_dir=str(settings.index_dir.resolve()),
    )


def _processor() -> tuple[str, tuple[str, ...]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown", ()
    fields = dict(reversed([(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]))
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    return fields.get("model name", "unknown"), tuple(flag for flag in _FLAGS if flag in flags)
