"""Checkpoint of an interrupted training: weights, their running mean and the optimiser's state in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint file and the objects whose state it stores.

    Attributes:
        file: path of the file.
        model: the trained model.
        mean: running mean of the model's weights.
        optimizer: optimiser of the model's weights.
    """

    file: Path
    model: torch.nn.Module
    mean: AveragedModel
    optimizer: torch.optim.Optimizer

    def restore(self) -> dict[str, Any]:
        """Load the file into the objects; return the values that were saved with them, or {} if there is no file."""
        if not self.file.exists():
            return {}
        device = next(self.model.parameters()).device
        state: dict[str, Any] = torch.load(self.file, map_location=device, weights_only=True)
        self.model.load_state_dict(state.pop("model"))
        self.mean.load_state_dict(state.pop("mean"))
        self.optimizer.load_state_dict(state.pop("optimizer"))
        return state

    def save(self, **values: Any) -> None:
        """Replace the file atomically; `values` are plain data to save with the objects."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_suffix(".new")
        state = {
            "model": self.model.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save({**state, **values}, temporary)
        temporary.replace(self.file)
