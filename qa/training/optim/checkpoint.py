"""Where a training goes on after it was broken off: weights, their mean, and the optimizer's state, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file, and what is kept in it.

    Attributes:
        file: where it is kept.
        model: what is trained.
        mean: of its weights.
        optimizer: of its weights.
    """

    file: Path
    model: torch.nn.Module
    mean: AveragedModel
    optimizer: torch.optim.Optimizer

    def resumed(self) -> dict[str, Any]:
        """Take over what the file holds, and return what else was noted in it; nothing if there is no file."""
        if not self.file.exists():
            return {}
        device = next(self.model.parameters()).device
        state: dict[str, Any] = torch.load(self.file, map_location=device, weights_only=True)
        self.model.load_state_dict(state.pop("model"))
        self.mean.load_state_dict(state.pop("mean"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        return state

    def save(self, **noted: Any) -> None:
        """Put all of it in the place of what the file held, at once; what is noted is plain values."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.file.with_suffix(".new")
        state = {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save({**state, **noted}, aside)
        aside.replace(self.file)
