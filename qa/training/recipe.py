"""Training recipes: TOML files with everything that decides the weights of a model except the data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from qa.errors import DatasetError, InvalidInput
from qa.training.data.examples import HELD_OUT_PERCENT, Source

_RECIPES = Path(__file__).parent / "recipes"
# Recipes that are not part of the shipped models' training.
_SUPERSEDED = _RECIPES / "superseded"
READER_RECIPES = (_RECIPES, _SUPERSEDED)
EMBEDDER_RECIPES = (_RECIPES / "embedder", _SUPERSEDED / "embedder")
# The recipe that starts from the base model, and the recipe for fine-tuning on your own labels.
BASE_RECIPE, OWN_RECIPE = "base", "own"

_Recipe = TypeVar("_Recipe")


@dataclass(frozen=True, slots=True)
class ReaderRecipe:
    """How to train a reader.

    Attributes:
        tokens: length of the training in input tokens.
        passes: length of the training in passes over the data, if `tokens` is not set.
        batch: passages per step.
        rate, head_rate, embedding_rate: peak learning rates of the encoder, the span head and the word embeddings. An
            embedding rate of 0 freezes the word embeddings.
        warm_up_steps: steps until the peak; then the rates fall linearly to zero.
        weight_decay: weight decay of the encoder's matrices.
        dropout: dropout of hidden states, against overfitting.
        masked: share of the tokens outside the answer that are replaced with `[MASK]`, against overfitting.
        adversarial: length of the adversarial step on the word embeddings, against overfitting; see
            `qa.training.optim.adversarial`.
        layers: 12 for a teacher that is twice as deep; see `qa.training.optim.depth`.
        taught_share: weight of the teachers' probabilities in the loss; the labels have the rest.
        titled_share: share of the questions on titled contexts that are read with the title above the context.
        averaged_share: share of the tokens, at the end, over which the weights are averaged. The result is the mean of
            the weights after each of these steps.
        negatives: number of questions with hard negatives: passages that retrieval ranks high and that lack the answer.
            At most half of the answerable questions get them.
        wrong_passages: maximum number of hard negatives of each of these questions.
        shared_weight: weight of the softmax over all passages of a question; see `qa.training.optim.loss`.
        answerability_weight: weight of answerability on contexts that also have unanswerable questions. Each passage's
            loss then learns answerability from these contexts, files without unanswerable questions, hard negatives
            and altered questions only, and teachers teach only where an answer is. With 0, every example teaches it;
            the reader may then recognise contexts without unanswerable questions by their topic.
        ranked_weight: weight of a pairwise loss: the answerable questions of such a context must be more likely to have
            an answer than its unanswerable ones. A pass then keeps the questions of a context together, so that more of
            them are in the same batch.
        altered: number of questions altered by rule so that their passage no longer answers them. If the training
            starts from a reader, three times as many are generated, and those are kept whose old answer the reader is
            most confident of.
        altered_share: maximum number of altered questions for each answerable question.
        whole_share: share of the tokens, at the end, for which contexts are not cut to short windows.
        held_out_percent: percentage of the contexts to hold out.
        bfloat16: compute matrix products in bfloat16, which halves the time of a step on processors that support it.
        warm_up: files of short examples that are used once, first. A step on them is cheap, and what they teach (attend
            from question to context, point at a span) transfers to longer examples.
        mixture: all other files; empty for every file of the data folder.
        seed: seed of every random choice.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tokens: Annotated[int, Field(ge=1)] | None = None
    passes: Annotated[float, Field(gt=0)] = 3.0
    batch: Annotated[int, Field(ge=1)] = 32
    rate: Annotated[float, Field(gt=0)] = 1.3e-4
    head_rate: Annotated[float, Field(gt=0)] = 3e-4
    embedding_rate: Annotated[float, Field(ge=0)] = 0.0
    warm_up_steps: Annotated[int, Field(ge=1)] = 100
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    masked: Annotated[float, Field(ge=0, lt=1)] = 0.0
    adversarial: Annotated[float, Field(ge=0)] = 0.0
    layers: Literal[6, 12] = 6
    taught_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    titled_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    averaged_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    negatives: Annotated[int, Field(ge=0)] = 0
    wrong_passages: Annotated[int, Field(ge=1, le=7)] = 1
    shared_weight: Annotated[float, Field(ge=0)] = 0.0
    answerability_weight: Annotated[float, Field(ge=0)] = 0.0
    ranked_weight: Annotated[float, Field(ge=0)] = 0.0
    altered: Annotated[int, Field(ge=0)] = 0
    altered_share: Annotated[float, Field(ge=0, le=1)] = 0.125
    whole_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    # At least the share that the shipped reader's trainings held out, so that its held-out contexts stay unseen.
    held_out_percent: Annotated[int, Field(ge=HELD_OUT_PERCENT, le=50)] = HELD_OUT_PERCENT
    bfloat16: bool = False
    warm_up: tuple[Source, ...] = ()
    mixture: tuple[Source, ...] = ()
    seed: int = 1


@dataclass(frozen=True, slots=True)
class EmbedderRecipe:
    """How to fine-tune an embedder.

    Attributes:
        sources: files of the questions; only answerable questions are used.
        passes: length of the training in passes over the questions.
        batch: questions per step; the passages of the other questions are in-batch negatives.
        rate: peak learning rate; the word embeddings are frozen.
        warm_up_steps: steps until the peak; then the rate falls linearly to zero.
        weight_decay: weight decay of the matrices.
        dropout, attention_dropout: dropout of hidden states and of attention probabilities.
        scale: factor of the cosines in the softmax over passages.
        back_weight: weight of the reverse direction: the softmax over the questions of a passage.
        mined_share: share of the questions whose hard negative is ranked by the embedder itself and not by BM25.
        short_share: share of the passages that are cut to a short window around the answer.
        titled_share: share of the titled passages that are read with their title above them.
        averaged_share: share of the steps, at the end, over which the weights are averaged.
        kept_share: share of the starting weights in the result, which keeps that much of the original quality on other
            texts (Wortsman et al., CVPR 2022).
        bfloat16: compute matrix products in bfloat16, which halves the time of a step on processors that support it.
        seed: seed of every random choice.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    sources: tuple[Source, ...]
    passes: Annotated[float, Field(gt=0)] = 4.0
    batch: Annotated[int, Field(ge=2)] = 256
    rate: Annotated[float, Field(gt=0)] = 3e-5
    warm_up_steps: Annotated[int, Field(ge=1)] = 200
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    scale: Annotated[float, Field(gt=0)] = 20.0
    back_weight: Annotated[float, Field(ge=0)] = 0.3
    mined_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    short_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    titled_share: Annotated[float, Field(ge=0, le=1)] = 0.35
    averaged_share: Annotated[float, Field(ge=0, le=1)] = 0.4
    kept_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    bfloat16: bool = False
    seed: int = 5


def load_recipe(name: str) -> ReaderRecipe:
    """Load a reader's recipe.

    Args:
        name: name of a recipe of the package, or path of a TOML file.

    Raises:
        InvalidInput: there is no such recipe, or it has an unknown or invalid setting.
    """
    return _load(ReaderRecipe, READER_RECIPES, name)


def load_embedder_recipe(name: str) -> EmbedderRecipe:
    """Load an embedder's recipe.

    Args:
        name: name of a recipe of the package, or path of a TOML file.

    Raises:
        InvalidInput: there is no such recipe, or it has an unknown or invalid setting.
    """
    return _load(EmbedderRecipe, EMBEDDER_RECIPES, name)


def _load(kind: type[_Recipe], folders: Sequence[Path], name: str) -> _Recipe:
    packaged = (folder / f"{name}.toml" for folder in folders)
    path = next((file for file in packaged if file.is_file()), Path(name))
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        names = ", ".join(sorted(file.stem for folder in folders for file in folder.glob("*.toml")))
        raise InvalidInput(f"recipe {name!r} not found; give a TOML file or one of {names}", field="config") from error
    except ValueError as error:
        raise InvalidInput(f"{path}: {_describe(error)}", field="config") from error


def _describe(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def resolve_files(recipe: ReaderRecipe, data: Path) -> tuple[ReaderRecipe, Path]:
    """Return a recipe that names its files, and their folder.

    Args:
        recipe: a recipe; if it names no files, every JSON file of `data` is used.
        data: folder of the training files, or a single file.

    Raises:
        DatasetError: the file does not exist, or the folder has no JSON file.
    """
    if recipe.mixture or recipe.warm_up:
        return recipe, data
    files = sorted(data.glob("*.json")) if data.is_dir() else [data]
    if not all(file.is_file() for file in files) or not files:
        raise DatasetError(f"{data}: no SQuAD JSON file found; name a file or a folder that has one", field="data")
    return replace(recipe, mixture=tuple(Source(file.name) for file in files)), files[0].parent
