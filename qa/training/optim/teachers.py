"""Teachers: trained readers whose probabilities another reader learns from (distillation: Hinton et al., 2015).

The mean probability of several readers at every token carries more information than the one labelled position, and is
right more often than any single reader. The teachers read the same input as the student, with the same tokens masked (a
consistent teacher: Beyer et al., CVPR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from qa.training.artifacts.dequantise import load_float_reader
from qa.training.data.features import Batch
from qa.training.optim.loss import SoftTargets, span_logits


class Teachers:
    """Readers whose probabilities are averaged."""

    def __init__(self, folders: Sequence[Path], device: str) -> None:
        """Load the readers from folders with int8 or float weights.

        Raises:
            ModelError: a reader cannot be loaded.
        """
        self._networks = [load_float_reader(folder).to(device).eval() for folder in folders]

    @torch.no_grad()
    def predict(self, batch: Batch, *, bfloat16: bool) -> SoftTargets | None:
        """Return the mean start and end probabilities for a batch; None without teachers."""
        if not self._networks:
            return None
        outputs = [span_logits(network, batch, bfloat16=bfloat16) for network in self._networks]
        starts, ends = (
            torch.stack([logits.softmax(1) for logits in part]).mean(0) for part in zip(*outputs, strict=True)
        )
        return starts, ends
