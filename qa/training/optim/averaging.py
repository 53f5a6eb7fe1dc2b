"""Several readers that were trained on from one ─► one: the mean of their weights.

Trained on from the same start they lie in one valley of the loss, and their mean lies lower than any: what each learned
by heart differs and is averaged away (model soups: Wortsman et al., ICML 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from qa.errors import InvalidInput
from qa.training.artifacts.base_model import quietly, untrained_reader
from qa.training.artifacts.dequantise import float_network
from qa.training.artifacts.stages import AVERAGE, PARTS, stages, write_stages


def average_readers(readers: Sequence[Path], work: Path, parts: Sequence[float] = ()) -> Path:
    """Write the mean of readers' weights to `work/reader`, in Hugging Face layout.

    Args:
        readers: folders, of int8 readers or of trained float weights; the others were trained on from the first.
        work: is made.
        parts: how much of each to take, in any unit; the same of all where none are given.

    Raises:
        InvalidInput: there are fewer than two, or one was not trained on from the first, or is of another depth; or
            parts are not one for each, or not above zero.
        ModelError: one cannot be read.
    """
    if len(readers) < 2:
        raise InvalidInput("an average takes two readers or more", field="readers")
    if parts and (len(parts) != len(readers) or min(parts) <= 0):
        raise InvalidInput("one for each reader, above zero", field="part")
    made, taken = _together(readers)
    network, mean = untrained_reader(), dict[str, torch.Tensor]()
    finished = work / "reader"
    with quietly():
        for folder, part in zip(readers, parts or [1.0] * len(readers), strict=True):
            share, weights = part / (sum(parts) or len(readers)), float_network(folder).state_dict()
            if weights.keys() != network.state_dict().keys():
                raise InvalidInput(f"{folder}: has another number of layers", field="readers")
            for name, value in weights.items():
                mean[name] = mean.get(name, torch.zeros_like(value)) + value * share
        network.load_state_dict(mean)
        network.save_pretrained(finished)
    write_stages(finished, [*made, {AVERAGE: taken} | ({PARTS: list(parts)} if parts else {})])
    return finished


def _together(readers: Sequence[Path]) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the stages of all readers, none twice, and after how many of them each is taken."""
    first = stages(readers[0])
    made, taken = list(first), [len(first)]
    for folder in readers[1:]:
        been_through = stages(folder)
        if been_through[: len(first)] != first:
            raise InvalidInput(f"{folder}: was not trained on from {readers[0]}", field="readers")
        made += [stage for stage in been_through if stage not in made]
        taken.append(made.index(been_through[-1]) + 1)
    return made, taken
