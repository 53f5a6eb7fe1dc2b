"""Load a tokenizer that returns every token of a text with its code point offsets."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from qa.errors import ModelError

# Token ids in the vocabulary that both shipped models use.
CLS, SEP = 101, 102


def load_tokenizer(path: Path) -> Tokenizer:
    """Load `tokenizer.json` with truncation and padding disabled.

    Published files often include the length the model was trained with, to which they truncate and pad every text.

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
