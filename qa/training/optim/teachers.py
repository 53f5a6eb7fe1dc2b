"""Trained readers ─► the probabilities that another one learns from.

What several readers think of every place in a passage tells more than the one that is labelled, and is right more often
than any of them (knowledge distillation: Hinton et al., 2015). They read what the learner reads, with the same words
hidden (a consistent teacher: Beyer et al., CVPR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from qa.training.artifacts.dequantise import float_network
from qa.training.data.features import Batch
from qa.training.optim.loss import Taught, span_logits


class Teachers:
    """Readers whose probabilities are averaged."""

    def __init__(self, folders: Sequence[Path], device: str) -> None:
        """Load them, of int8 or of float weights.

        Raises:
            ModelError: one cannot be read.
        """
        self._networks = [float_network(folder).to(device).eval() for folder in folders]

    @torch.no_grad()
    def taught(self, batch: Batch, *, bfloat16: bool) -> Taught | None:
        """Return the mean of what the teachers think of a batch; None if there are none."""
        if not self._networks:
            return None
        read = [span_logits(network, batch, bfloat16=bfloat16) for network in self._networks]
        starts, ends = (torch.stack([logits.softmax(1) for logits in part]).mean(0) for part in zip(*read, strict=True))
        return starts, ends
