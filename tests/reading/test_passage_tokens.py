from __future__ import annotations

from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer

from qa.factory import PACKAGED_MODELS
from qa.models.tokenization import load_tokenizer
from qa.reading.passage_tokens import ReaderText, tokenize_passages
from qa.types import Passage, Span, Table
