"""The device to train on."""

from __future__ import annotations

import torch

from qa.errors import InvalidInput


def check_device(name: str) -> None:
    """Check that a device can be used.

    Raises:
        InvalidInput: the name is neither "cpu" nor "cuda", or there is no CUDA device.
    """
    if name not in ("cpu", "cuda"):
        raise InvalidInput(f"must be cpu or cuda, got {name!r}", field="device")
    if name == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("PyTorch finds no CUDA device on this machine; use cpu", field="device")
