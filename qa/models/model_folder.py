"""Folders of model files: the shipped weights, and the manifest with a checksum of every file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from qa.errors import ModelError

WEIGHTS = Path(__file__).parent / "weights"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with `model.xml`, `model.bin`, `tokenizer.json` and any other file that its manifest lists."""

    folder: Path
    name: str
    sha256: str

    @property
    def graph(self) -> Path:
        """The OpenVINO graph."""
        return self.folder / "model.xml"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer."""
        return self.folder / "tokenizer.json"

    @property
    def identity(self) -> str:
        """Name and hash; equal for equal weights and tokenizer."""
        return f"{self.name}@{self.sha256[:16]}"


def open_model_folder(folder: Path) -> ModelFolder:
    """Check every file of a model folder against its manifest.

    Raises:
        ModelError: a file is missing or its checksum differs.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        checksums: dict[str, str] = manifest["files"]
        for name, checksum in checksums.items():
            if sha256_of(folder / name) != checksum:
                raise ModelError(f"{folder / name}: its SHA-256 differs from {MANIFEST}; restore the original file")
        return ModelFolder(folder, manifest["name"], _combine(checksums))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder}: not a model folder ({error})") from error


def write_manifest(folder: Path, name: str) -> None:
    """Write the checksums of the files that determine a model's results."""
    checksums = {file: sha256_of(folder / file) for file in ("model.xml", "model.bin", "tokenizer.json")}
    manifest = {"name": name, "files": checksums}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _combine(checksums: dict[str, str]) -> str:
    return hashlib.sha256("".join(checksums[name] for name in sorted(checksums)).encode()).hexdigest()
