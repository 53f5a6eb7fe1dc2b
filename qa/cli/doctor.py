"""`qa doctor`: the versions, models and processor of an installation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from qa.cli import output
from qa.cli.options import JsonFlag
from qa.cli.sessions import reported_errors
from qa.config import load_settings

if TYPE_CHECKING:
    from qa.config import Settings

_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16", "asimddp", "i8mm")

app = typer.Typer(rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The properties in which two installations can differ."""

    versions: dict[str, str]
    embedder: str
    reader: str
    answered_from: float
    unsure_from: float
    processor: str
    processor_features: tuple[str, ...]
    arithmetic: str
    threads: int
    index_dir: str


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Show versions, models and processor; check that models load."""
    with reported_errors():
        diagnosis = asdict(diagnose(load_settings()))
        if not as_json:
            diagnosis |= diagnosis.pop("versions")
        output.fields(diagnosis, as_json)


def diagnose(settings: Settings) -> Diagnosis:
    """Load the models as a query does, and describe the installation.

    Raises:
        ModelError: weights are missing, damaged, or do not belong together.
    """
    from qa.evaluation.runner import versions
    from qa.factory import build_engine
    from qa.models.inference import available_threads, resolve_arithmetic
    from qa.models.processor import detect_processor

    engine = build_engine(settings)
    processor = detect_processor()
    return Diagnosis(
        versions=versions(),
        embedder=engine.embedder.identity,
        reader=engine.reader.identity,
        answered_from=engine.calibration.query.answered,
        unsure_from=engine.calibration.query.unsure,
        processor=processor.name,
        processor_features=tuple(feature for feature in _FEATURES if feature in processor.features),
        arithmetic=resolve_arithmetic(settings.arithmetic),
        threads=settings.threads or available_threads(),
        index_dir=str(settings.index_dir.resolve()),
    )
