"""What the processor offers, which decides how the int8 graphs are computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_TOLD = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor's name, and its features as Linux calls them: none where that is not known."""

    name: str
    features: frozenset[str]

    @property
    def lacks_int8(self) -> bool:
        """Tell whether products of bytes take longer than those of float32.

        So it is with AVX2 alone: the bytes' products are added up in three steps, float32's in one. What is computed
        is the same, rounding included, but for where two values are next to even.
        """
        return "avx2" in self.features and not self.features & {"avx512f", "avx_vnni"}


def processor(told: Path = _TOLD) -> Processor:
    """Return the one that this process runs on."""
    try:
        lines = told.read_text(encoding="utf-8").splitlines()
    except OSError:
        return Processor("unknown", frozenset())
    fields = dict(reversed([(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]))
    features = fields.get("flags") or fields.get("Features") or ""
    return Processor(fields.get("model name", "unknown"), frozenset(features.split()))
