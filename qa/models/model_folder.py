"""The weights that come with the package: where they are, and that they are the ones that were shipped."""

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
    """A folder with `model.xml`, `model.bin`, `tokenizer.json` and what else its manifest lists."""

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
        """Name and hash: equal for equal weights and tokenizer."""
        return f"{self.name}@{self.sha256[:16]}"


def open_model_folder(folder: Path) -> ModelFolder:
    """Check every file of a model's folder against its manifest.

    Raises:
        ModelError: a file is missing or was changed.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, str] = manifest["files"]
        for name, expected in files.items():
            if hash_of(folder / name) != expected:
                raise ModelError(f"{folder / name}: not the file that was shipped (its SHA-256 differs)")
        return ModelFolder(folder, manifest["name"], _combined(files))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder}: not a model folder ({error})") from error


def write_manifest(folder: Path, name: str) -> None:
    """Record the hashes of the files that decide a model's results."""
    files = {file: hash_of(folder / file) for file in ("model.xml", "model.bin", "tokenizer.json")}
    (folder / MANIFEST).write_text(json.dumps({"name": name, "files": files}, indent=1) + "\n", encoding="utf-8")


def hash_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _combined(files: dict[str, str]) -> str:
    return hashlib.sha256("".join(files[name] for name in sorted(files)).encode()).hexdigest()
