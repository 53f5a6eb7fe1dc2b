from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from qa.training.optim.checkpoint import Checkpoint


def begun(folder: Path, seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    return Checkpoint(folder / "work" / "checkpoint.pt", model, AveragedModel(model), optimizer)


def weights(*checkpoints: Checkpoint) -> list[tuple[torch.Tensor, ...]]:
    return list(zip(*([*c.model.parameters(), *c.mean.parameters()] for c in checkpoints), strict=True))


def test_what_was_kept_is_taken_over(tmp_path: Path) -> None:
    first, second = begun(tmp_path, 1), begun(tmp_path, 2)
    assert second.resumed() == {}
    for _ in range(7):
        first.model(torch.ones(3)).sum().backward()
        first.optimizer.step()
        first.mean.update_parameters(first.model)
    first.save(steps=7)
    assert any(not torch.equal(one, other) for one, other in weights(first, second))
    assert second.resumed() == {"steps": 7}
    assert all(torch.equal(one, other) for one, other in weights(first, second))
    assert second.optimizer.state_dict()["state"][0]["step"] == 7
    assert second.mean.n_averaged == 7


def test_what_cannot_be_kept_leaves_what_was(tmp_path: Path) -> None:
    kept = begun(tmp_path, 1)
    kept.save(steps=1)
    with pytest.raises(AttributeError):
        kept.save(steps=lambda: 2)
    assert begun(tmp_path, 2).resumed() == {"steps": 1}
