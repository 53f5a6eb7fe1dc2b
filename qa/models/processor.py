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
    def int8_is_slow(self) -> bool:
        """Tell whether products of bytes take longer than those of float32 of the same rounded values.

        With AVX2 alone they take twice as long (measured on the first EPYC): the bytes' are added up in three steps,
        float32's in one. With AVX-512 but without VNNI it was not measured. Sums in another order cross a rounding now
        and then: logits differ by .04 in the mean, and answers as much as between two processors that compute in bytes.
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
