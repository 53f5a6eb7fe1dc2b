"""Detect the processor's features, which decide the arithmetic of the int8 graphs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor's name and its feature flags in Linux's spelling; no flags if they cannot be read."""

    name: str
    features: frozenset[str]

    @property
    def int8_is_slow(self) -> bool:
        """Whether int8 products take longer than float32 products of the same rounded values.

        With AVX2 alone they take twice as long (measured on a first-generation EPYC): int8 needs three instructions per
        multiply-accumulate, float32 one. AVX-512 without VNNI was not measured. A different order of summation
        sometimes crosses a rounding step: logits differ by 0.04 on average, and answers differ as much as between two
        processors that both compute in int8.
        """
        return "avx2" in self.features and not self.features & {"avx512f", "avx_vnni"}


def detect_processor(cpuinfo: Path = _CPUINFO) -> Processor:
    """Return the processor that this process runs on."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return Processor("unknown", frozenset())
    # Reversed, so that the first processor listed wins.
    fields = dict(reversed([(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]))
    features = fields.get("flags") or fields.get("Features") or ""
    return Processor(fields.get("model name", "unknown"), frozenset(features.split()))
