"""Average the weights of several readers (model soups: Wortsman et al., ICML 2022).

Readers fine-tuned from the same start lie in one basin of the loss, and their mean often has a lower loss than any of
them: each overfits in another direction, and these errors average out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from qa.errors import InvalidInput
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.reader_network import TOKENIZER_FILE, save_network
from qa.training.artifacts.stages import AVERAGE, PARTS, load_stages, write_stages


def average_readers(readers: Sequence[Path], work: Path, proportions: Sequence[float] = ()) -> Path:
    """Write the mean of the readers' weights to `work/reader`.

    Args:
        readers: folders of int8 readers or float weights; all others must descend from the first.
        work: folder that is created.
        proportions: weight of each reader in the mean, in any unit; empty for equal weights.

    Returns:
        Folder of the mean.

    Raises:
        InvalidInput: there are fewer than two readers, one does not descend from the first or has another size, or
            the proportions are not one positive number for each reader.
        ModelError: a reader cannot be loaded.
    """
    if len(readers) < 2:
        raise InvalidInput("an average needs at least two readers", field="readers")
    if proportions and (len(proportions) != len(readers) or min(proportions) <= 0):
        raise InvalidInput("give one number above zero for each reader", field="part")
    history, indices = _merge_stages(readers)
    network = load_float_reader(readers[0])
    mean = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    for folder, proportion in zip(readers, proportions or [1.0] * len(readers), strict=True):
        weights = load_float_reader(folder).state_dict()
        if {name: value.shape for name, value in weights.items()} != {n: value.shape for n, value in mean.items()}:
            raise InvalidInput(f"{folder}: has another size than {readers[0]}", field="readers")
        share = proportion / (sum(proportions) or len(readers))
        for name, value in weights.items():
            mean[name] += value * share
    network.load_state_dict(mean)
    output = work / "reader"
    save_network(network, readers[0] / TOKENIZER_FILE, output)
    write_stages(output, [*history, {AVERAGE: indices} | ({PARTS: list(proportions)} if proportions else {})])
    return output


def _merge_stages(readers: Sequence[Path]) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the stages of all readers without duplicates, and after how many of them each reader was saved."""
    first = load_stages(readers[0])
    merged, indices = list(first), [len(first)]
    for folder in readers[1:]:
        stages = load_stages(folder)
        if stages[: len(first)] != first:
            raise InvalidInput(f"{folder}: does not descend from {readers[0]}", field="readers")
        merged += [stage for stage in stages if stage not in merged]
        indices.append(merged.index(stages[-1]) + 1)
    return merged, indices
