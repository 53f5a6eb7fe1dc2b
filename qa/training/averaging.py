"""Several readers that were trained one from another ─► one: the mean of their weights.

Trained on from each other they lie in one valley of the loss, and their mean lies lower than any: what each learned by
heart differs and is averaged away (model soups: Wortsman et al., ICML 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch

from qa.errors import InvalidInput
from qa.models.shipped import MANIFEST, open_model
from qa.training.base_model import quietly, untrained_reader
from qa.training.dequantised import load_dequantised
from qa.training.reader_export import float_reader
from qa.training.stages import AVERAGE, stages, write_stages


def average_readers(readers: Sequence[Path], work: Path) -> Path:
    """Write the mean of readers' weights to `work/reader`, in Hugging Face layout.

    Args:
        readers: folders, of int8 readers or of trained float weights; each trained on from the one before it.
        work: is made.

    Raises:
        InvalidInput: there are fewer than two, or one was not trained on from the one before it.
        ModelError: one cannot be read.
    """
    if len(readers) < 2:
        raise InvalidInput("an average takes two readers or more", field="readers")
    made = [stages(folder) for folder in readers]
    for place, (earlier, later) in enumerate(pairwise(made), 1):
        if later[: len(earlier)] != earlier:
            raise InvalidInput(f"{readers[place]}: was not trained on from {readers[place - 1]}", field="readers")
    network, mean = untrained_reader(), dict[str, torch.Tensor]()
    finished = work / "reader"
    with quietly():
        for folder in readers:
            for name, value in _weights(folder).items():
                mean[name] = mean.get(name, torch.zeros_like(value)) + value / len(readers)
        network.load_state_dict(mean)
        network.save_pretrained(finished)
    write_stages(finished, [*made[-1], {AVERAGE: [len(stages) for stages in made]}])
    return finished


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    if not (folder / MANIFEST).exists():
        return dict(float_reader(folder).network.state_dict())
    network = untrained_reader()
    load_dequantised(network, open_model(folder).graph)
    return dict(network.state_dict())
