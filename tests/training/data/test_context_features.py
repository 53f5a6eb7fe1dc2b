from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa.models.model_folder import WEIGHTS
from qa.models.tokenization import load_tokenizer
from qa.training.data.context_features import ContextFeature, choose_window, tokenize_examples
from qa.training.data.examples import Example
from qa.types import Span
from tests.training.labelled_files import CONTEXTS

TOKENIZER = load_tokenizer(WEIGHTS / "embedder" / "tokenizer.json")


def test_answer_and_title_are_mapped_to_tokens() -> None:
    example = Example("When?", CONTEXTS[0], Span(3, 7), "Shops of Ann")
    ((feature,),) = tokenize_examples([(example,)], TOKENIZER)
    assert feature.answer == (1, 1)
    assert TOKENIZER.decode(feature.context[1:2].tolist()) == "1900"
    assert TOKENIZER.decode(list(feature.title)) == "shops of ann."


@given(
    length=st.integers(1, 900),
    ends=st.tuples(st.integers(0, 899), st.integers(0, 40)) | st.none(),
    room=st.integers(60, 250),
    size=st.integers(1, 300),
    seed=st.integers(0, 5),
)
def test_window_contains_the_answer(length: int, ends: tuple[int, int] | None, room: int, size: int, seed: int) -> None:
    answer = None
    if ends:
        start = min(ends[0], length - 1)
        answer = (start, min(start + ends[1], length - 1))
    context = np.arange(length, dtype=np.int32)
    first, chosen = choose_window(ContextFeature((1,), context, answer), random.Random(seed), room, size)
    window = context[first : first + chosen].tolist()
    assert 0 < len(window) <= room
    if answer:
        assert {*range(answer[0], answer[1] + 1)} <= set(window)
