"""What a training starts from, and the work folder that belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qa.errors import ModelError
from qa.models.model_folder import MANIFEST, open_model_folder, sha256_of
from qa.training.artifacts.dequantise import load_float_reader
from qa.training.artifacts.reader_network import WEIGHTS_FILE, ReaderNetwork, load_base, weights_files
from qa.training.artifacts.stages import RECIPE, TEACHERS, load_stages, round_trip, write_stages
from qa.training.recipe import ReaderRecipe


@dataclass(frozen=True, slots=True)
class Start:
    """A base model, or a reader with int8 or float weights.

    Attributes:
        folder: its folder.
        is_base: whether it is an encoder, and no reader that `qa train` made.
    """

    folder: Path
    is_base: bool

    def load(self) -> ReaderNetwork:
        """Return the network to train.

        Raises:
            ModelError: the folder has no network that can be loaded.
        """
        return load_base(self.folder) if self.is_base else load_float_reader(self.folder)

    def describe(self) -> dict[str, Any]:
        """Return the first values of the training's stage: the name or identity, and checksums of a base model."""
        if self.is_base:
            return {"start": self.folder.resolve().name, "weights": list(map(_short_hash, weights_files(self.folder)))}
        if (self.folder / MANIFEST).exists():
            return {"start": open_model_folder(self.folder).identity}
        return {"start": f"{self.folder.resolve().name}@{_short_hash(self.folder / WEIGHTS_FILE)}"}


def claim_work_folder(
    work: Path,
    start: Start,
    recipe: ReaderRecipe,
    data: Path,
    measured_with: Sequence[Path],
    teachers: Sequence[Path],
) -> list[dict[str, Any]]:
    """Return the training stages up to this training; write them to `work`, or compare them with those in it.

    Raises:
        ModelError: `work` belongs to another training, or the start or a teacher has no history.
    """
    earlier = [] if start.is_base else load_stages(start.folder)
    stage = {**start.describe(), **asdict(recipe)}
    stage["data"] = [_short_hash(data / source.file) for source in recipe.mixture]
    stage["documents"] = [_hash_folder(data / source.documents) for source in recipe.mixture if source.documents]
    stage["measured_with"] = sorted(map(_short_hash, measured_with))
    stage[TEACHERS] = [
        [teacher_stage for teacher_stage in load_stages(folder) if teacher_stage not in earlier] for folder in teachers
    ]
    stages = round_trip([*earlier, stage])
    if not (work / RECIPE).exists():
        work.mkdir(parents=True, exist_ok=True)
        write_stages(work, stages)
    elif load_stages(work) != stages:
        raise ModelError(f"{work}: belongs to a training with another start, recipe or data; use another folder")
    return stages


def _short_hash(path: Path) -> str:
    return sha256_of(path)[:16]


def _hash_folder(folder: Path) -> str:
    """Return a hash of the files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
    return digest.hexdigest()[:16]
