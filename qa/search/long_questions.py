"""Questions of several sentences, of which one asks and the others give the background (pure).

The background names the subject, so a search needs it, but it also draws the search to passages about itself. The
sentence that asks is therefore also embedded alone. It comes first where the reader would truncate the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qa.text.sentences import AFTER_SENTENCE

# Weight of the sentence that asks in a question's vector.
_ASKING_WEIGHT = 0.2
# Longer questions may have more than the reader's 64 tokens.
_MAX_WORDS = 45
_SENTENCE_END = re.compile(rf"(?<=[.!?…]){AFTER_SENTENCE}")


def asking_sentence(question: str) -> str | None:
    """Return the last sentence that ends in a question mark, or the last one; None if there is only one."""
    sentences = _SENTENCE_END.split(question.strip())
    if len(sentences) == 1:
        return None
    return next((sentence for sentence in reversed(sentences) if sentence.endswith("?")), sentences[-1])


def encode_questions(
    encode: Callable[[Sequence[str]], NDArray[np.float32]], questions: Sequence[str]
) -> list[NDArray[np.float32]]:
    """Return a unit vector for each question, to which a sentence that asks contributes on its own.

    Args:
        encode: returns unit vectors of shape (texts, dimension).
        questions: the questions.
    """
    asking = [asking_sentence(question) for question in questions]
    encoded = encode([*questions, *filter(None, asking)])
    asking_vectors = iter(encoded[len(questions) :])
    return [
        vector if sentence is None else _blend(vector, next(asking_vectors))
        for vector, sentence in zip(encoded, asking, strict=False)
    ]


def lead_with_asking(question: str) -> str:
    """Return a question that is too long for the reader with the sentence that asks first, others unchanged."""
    asking = asking_sentence(question)
    if asking is None or len(question.split()) <= _MAX_WORDS:
        return question
    before, _, after = question.rpartition(asking)
    return f"{asking} {before.strip()} {after.strip()}".strip()


def _blend(whole: NDArray[np.float32], asking: NDArray[np.float32]) -> NDArray[np.float32]:
    vector = (1 - _ASKING_WEIGHT) * whole + _ASKING_WEIGHT * asking
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
