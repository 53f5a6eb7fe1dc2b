"""Teachers: trained readers whose probabilities another reader learns from (distillation: Hinton et al., 2015).

The mean probability of several readers at every token carries more information than the one labelled position, and is
right more often than any single reader. Teachers read each question once, before the training, and a resumed training
takes what they found from its work folder. They read the words of the passage alone, as readers without a sense of
structure were trained to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.errors import ModelError
from qa.models.inference import Graph
from qa.models.model_folder import ModelFolder, open_model_folder
from qa.models.tokenization import load_tokenizer
from qa.reading.encoding import MAX_INPUT_TOKENS, ReaderInput, build_input
from qa.training.data.features import Feature, QuestionFeatures

# Inputs whose logits are in memory together.
_READ_TOGETHER = 256


def add_teachers(
    questions: Sequence[QuestionFeatures], folders: Sequence[Path], tokenizer: Tokenizer, threads: int, cache: Path
) -> list[QuestionFeatures]:
    """Return the questions with the teachers' mean probabilities on the first passage of plain SQuAD questions.

    Passages that do not fit the reader's input have none, and neither have documents, which differ from what older
    readers were trained on.

    Args:
        questions: the questions.
        folders: folders of int8 readers; empty for no teachers.
        tokenizer: tokenizer of the questions.
        threads: number of inference threads.
        cache: NPZ file of the probabilities of these questions, by index; written if it is missing.

    Raises:
        ModelError: a teacher cannot be loaded or has another vocabulary.
    """
    if not folders:
        return list(questions)
    if not cache.exists():
        graphs = [_load(open_model_folder(folder), tokenizer, threads) for folder in folders]
        _save(dict(_read_all(questions, graphs, tokenizer)), cache)
    taught = list(questions)
    with np.load(cache) as probabilities:
        for index in map(int, probabilities):
            first, *others = questions[index].passages
            passages = (replace(first, taught=_place(probabilities[str(index)], first)), *others)
            taught[index] = replace(questions[index], passages=passages)
    return taught


def _read_all(
    questions: Sequence[QuestionFeatures], graphs: Sequence[Graph], tokenizer: Tokenizer
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the index of each plain question that fits the input, and the probabilities that the teachers give."""
    plain = [index for index, question in enumerate(questions) if not question.on_document]
    for begin in range(0, len(plain), _READ_TOGETHER):
        part = plain[begin : begin + _READ_TOGETHER]
        inputs = [_make_input(questions[index], tokenizer) for index in part]
        outputs = [graph.run([(encoded.ids, encoded.types) for encoded in inputs]) for graph in graphs]
        for number, (index, encoded) in enumerate(zip(part, inputs, strict=True)):
            if len(encoded.ids) <= MAX_INPUT_TOKENS:
                yield str(index), np.mean([_probabilities(output[number], encoded) for output in outputs], axis=0)


def _save(probabilities: dict[str, NDArray[np.float32]], cache: Path) -> None:
    partial = cache.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **probabilities)
    partial.replace(cache)


def _load(model: ModelFolder, tokenizer: Tokenizer, threads: int) -> Graph:
    if load_tokenizer(model.tokenizer).get_vocab() != tokenizer.get_vocab():
        raise ModelError(f"{model.folder}: this teacher has another vocabulary")
    return Graph(model.graph, threads)


def _make_input(question: QuestionFeatures, tokenizer: Tokenizer) -> ReaderInput:
    feature = question.passages[0]
    words = feature.tokens.ids[_is_word(feature)].tolist()
    ids = tokenizer.encode(question.text, add_special_tokens=False).ids
    # A longer input is not used, so it can be cut.
    return build_input(ids, words[:MAX_INPUT_TOKENS], 0, feature.titles)


def _is_word(feature: Feature) -> NDArray[np.bool_]:
    """Return which tokens are of the passage and not added for its structure."""
    return feature.tokens.offsets[:, 0] >= 0


def _probabilities(output: tuple[NDArray[np.float32], ...], encoded: ReaderInput) -> NDArray[np.float32]:
    """Return the probabilities of starts and ends at `[CLS]` and the tokens of the passage, shape (2, words + 1)."""
    places = np.array([0, *range(encoded.offset, encoded.offset + encoded.count)])
    logits = np.stack([part[places] for part in output[:2]])
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(1, keepdims=True)
    return probabilities


def _place(probabilities: NDArray[np.float32], feature: Feature) -> NDArray[np.float32]:
    """Return probabilities at `[CLS]` and at every token; those added for the structure have none."""
    placed = np.zeros((2, 1 + len(feature.tokens.ids)), np.float32)
    placed[:, np.flatnonzero(np.concatenate([[True], _is_word(feature)]))] = probabilities
    return placed
