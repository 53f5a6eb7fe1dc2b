"""Load a tokenizer so that it gives every token of a text, with the code points it stands for."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from qa.errors import ModelError

# Of the vocabulary that both shipped models use.
CLS, SEP = 101, 102


def load_tokenizer(path: Path) -> Tokenizer:
    """Read `tokenizer.json`.

    Files as published often carry the length they were trained with: unless that is switched off, texts come back
    cut to it and filled up to it.

    Raises:
        ModelError: the file is missing or is not a tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{path}: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
