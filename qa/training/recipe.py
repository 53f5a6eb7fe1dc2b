"""Training recipes: TOML files with everything that decides the weights of a model except the data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from qa.errors import DatasetError, InvalidInput
from qa.training.data.examples import HELD_OUT_PERCENT, Source
from qa.training.data.reader_questions import Sampling

_RECIPES = Path(__file__).parent / "recipes"
READER_RECIPES = (_RECIPES,)
# The second folder has recipes that are not part of the shipped embedder's training.
EMBEDDER_RECIPES = (_RECIPES / "embedder", _RECIPES / "superseded" / "embedder")
# The recipes of the shipped reader, of fine-tuning it on your own labels, and of the shipped embedder.
BASE_RECIPE, OWN_RECIPE, EMBEDDER_RECIPE = "base", "own", "first"

_Recipe = TypeVar("_Recipe")


@dataclass(frozen=True, slots=True)
class ReaderRecipe:
    """How to train a reader.

    Attributes:
        tokens: length of the training in input tokens.
        passes: length of the training in passes over the questions, if `tokens` is not set.
        batch: passages per step, at least.
        rate: peak learning rate; the embeddings are frozen.
        warm_up_steps: steps until the peak; then the rate falls linearly to zero.
        weight_decay: weight decay of the matrices.
        shared_weight: weight of the softmax over all passages of a question; see `qa.training.optim.loss`.
        evidence_weight: weight of the evidence loss.
        taught_share: weight of the teachers' probabilities in the span loss, on questions that they read; the labels
            have the rest. Without teachers it has no effect.
        averaged_share: share of the tokens, at the end, over which the weights are averaged. The result is the mean of
            the weights after each of these steps.
        titled_share: share of the questions on titled contexts that are read with the title above the context.
            Documents have their headings above each passage.
        negatives: number of questions on plain contexts with a hard negative: a passage that retrieval ranks high and
            that lacks the answer. At most half of the answerable questions get one.
        wrong_share: share of the answerable questions on documents that get a passage without the answer.
        held_out_percent: percentage of the contexts and of the documents to hold out.
        bfloat16: compute matrix products in bfloat16, which halves the time of a step on processors that support it.
        mixture: the files; empty for every file of the data folder.
        seed: seed of every random choice.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tokens: Annotated[int, Field(ge=1)] | None = None
    passes: Annotated[float, Field(gt=0)] = 3.0
    batch: Annotated[int, Field(ge=1)] = 32
    rate: Annotated[float, Field(gt=0)] = 1e-4
    warm_up_steps: Annotated[int, Field(ge=1)] = 60
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    shared_weight: Annotated[float, Field(ge=0)] = 0.5
    evidence_weight: Annotated[float, Field(ge=0)] = 2.0
    taught_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    averaged_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    titled_share: Annotated[float, Field(ge=0, le=1)] = 0.35
    negatives: Annotated[int, Field(ge=0)] = 0
    wrong_share: Annotated[float, Field(ge=0, le=1)] = 0.6
    held_out_percent: Annotated[int, Field(ge=HELD_OUT_PERCENT, le=50)] = 12
    bfloat16: bool = False
    mixture: tuple[Source, ...] = ()
    seed: int = 1

    @property
    def sampling(self) -> Sampling:
        """How the questions are chosen."""
        return Sampling(self.seed, self.held_out_percent, self.negatives, self.wrong_share, self.titled_share)


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
    if recipe.mixture:
        return recipe, data
    files = sorted(data.glob("*.json")) if data.is_dir() else [data]
    if not all(file.is_file() for file in files) or not files:
        raise DatasetError(f"{data}: no SQuAD JSON file found; name a file or a folder that has one", field="data")
    return replace(recipe, mixture=tuple(Source(file.name) for file in files)), files[0].parent
