from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from qa.training.optim.checkpoint import Checkpoint


def make_checkpoint(folder: Path, seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    return Checkpoint(folder / "work" / "checkpoint.pt", model, AveragedModel(model), optimizer)


def weights(*checkpoints: Checkpoint) -> list[tuple[torch.Tensor, ...]]:
    return list(zip(*([*c.model.parameters(), *c.mean.parameters()] for c in checkpoints), strict=True))


def test_restore_loads_what_was_saved(tmp_path: Path) -> None:
    first, second = make_checkpoint(tmp_path, 1), make_checkpoint(tmp_path, 2)
    assert second.restore() == {}
    for _ in range(7):
        first.model(torch.ones(3)).sum().backward()
        first.optimizer.step()
        first.mean.update_parameters(first.model)
    first.save(steps=7)
    assert any(not torch.equal(saved, restored) for saved, restored in weights(first, second))
    assert second.restore() == {"steps": 7}
    assert all(torch.equal(saved, restored) for saved, restored in weights(first, second))
    assert second.optimizer.state_dict()["state"][0]["step"] == 7
    assert second.mean.n_averaged == 7


def test_failed_save_leaves_the_file_unchanged(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, 1)
    checkpoint.save(steps=1)
    with pytest.raises(AttributeError):
        checkpoint.save(steps=lambda: 2)
    assert make_checkpoint(tmp_path, 2).restore() == {"steps": 1}
