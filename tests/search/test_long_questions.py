from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from qa.search.long_questions import asking_sentence, encode_questions, lead_with_asking


@pytest.mark.parametrize(
    ("question", "asking"),
    [
        ("How long is it valid?", None),
        ("which port does Dr. Smith's server use", None),
        ("We have release 4.6.1 here. Which port does it use?", "Which port does it use?"),
        ("Our lamp broke. What does a new one cost? Thanks a lot!", "What does a new one cost?"),
        ("i lost my key.. who has another one", "who has another one"),
        ("Is it open? Or closed? ", "Or closed?"),
    ],
)
def test_the_last_sentence_that_asks(question: str, asking: str | None) -> None:
    assert asking_sentence(question) == asking


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Encode a text by how often it has two words."""
    vectors = np.array([[0.1 + text.count("lamp"), 0.1 + text.count("cost"), 0.1] for text in texts], np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_the_sentence_that_asks_draws_the_vector_towards_itself() -> None:
    question, asking = "The lamp is a lamp. What is the cost?", "What is the cost?"
    (vector,) = encode_questions(encode, [question])
    whole, part = encode([question, asking])
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert vector @ part > whole @ part
    assert vector @ whole > 0.95


def test_a_question_has_the_same_vector_alone_and_among_others() -> None:
    questions = ["What is the cost?", "My lamp broke. What is the cost?", "A lamp? A lamp.", "lamp"]
    together = encode_questions(encode, questions)
    for question, vector in zip(questions, together, strict=True):
        (alone,) = encode_questions(encode, [question])
        assert vector.tolist() == alone.tolist()
    assert together[0].tolist() == encode(questions)[0].tolist()


def test_the_sentence_that_asks_comes_first_where_the_reader_would_truncate_it() -> None:
    background = " ".join(["Our lamp is an old one from the market."] * 6)
    assert lead_with_asking(f"{background} What does it cost?") == f"What does it cost? {background}"
    assert lead_with_asking(f"{background} What does it cost? Thanks.") == f"What does it cost? {background} Thanks."
    for unchanged in ("Our lamp broke. What does a new one cost?", "lamp " * 60):
        assert lead_with_asking(unchanged) == unchanged
