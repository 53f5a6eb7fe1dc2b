"""What decides the weights of a reader or an embedder, besides the data: recipes, which are TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from qa.errors import DatasetError, InvalidInput
from qa.training.data.examples import HELD_OUT_PERCENT, Source

RECIPES = Path(__file__).parent / "recipes"
EMBEDDER_RECIPES = RECIPES / "embedder"
# The one that starts from the base model, and the one for labels of a user's own.
FIRST, OWN = "base", "own"

_Recipe = TypeVar("_Recipe")


@dataclass(frozen=True, slots=True)
class ReaderRecipe:
    """How a reader is trained.

    Attributes:
        tokens: how long, in tokens that were read.
        passes: how long where `tokens` is not given, in passes over the data.
        batch: passages in a step.
        rate, head_rate, embedding_rate: the highest learning rates, of the encoder, of the span head and of the word
            embeddings; with 0 they stay as they are.
        warm_up_steps: over which they rise; then they fall to zero.
        weight_decay: of the encoder's matrices.
        dropout: the share of hidden values left out at random: against learning by heart what was seen before.
        masked: the share of words, outside the answer, that are hidden at random, to the same end.
        adversarial: how far word vectors are moved against the loss, to the same end; see `qa.training.optim.adversarial`.
        layers: 12 for a reader twice as deep, to teach others; see `qa.training.optim.depth`.
        taught_share: of the loss, how much is to give the probabilities of teachers; the rest is the labelled places.
        titled_share: of the questions on texts that have a title, how many are asked with it above the text.
        averaged_share: of the tokens at the end; the reader is the mean of the weights after each step of them.
        negatives: questions that are asked of other passages too, which retrieval ranks high and which lack the
            answer; at most half of the answerable ones.
        wrong_passages: how many of those passages for each such question, as far as there are.
        shared_weight: of the softmax that a question's passages share; see `qa.training.optim.loss`.
        answerability_weight: of whether there is an answer, on contexts that were asked what they do not answer, too;
            then a passage's own softmax learns it from these, other files' contexts, wrong passages and altered
            questions alone, and teachers only tell where an answer is. With 0 it is learned from all alike, and what is
            never asked in vain can be known by what it is about.
        ranked_weight: of the answerable questions of such a context being likelier to be than its others; a pass then
            has a context's questions together, so that more of them meet in a batch.
        altered: questions altered by rule so that their passage no longer answers them. Where training starts from a
            reader, three times as many are made, and those are taken whose old answer it is surest of.
        altered_share: how many of them there are at most, for each answerable question.
        whole_share: of the tokens at the end, for which contexts are not cut to short windows.
        held_out_percent: of the contexts.
        bfloat16: matrix products in bfloat16: a step takes half the time where the processor has them.
        warm_up: files of short examples, which are read once, first: a step on them is cheap, and what they teach
            (attend from question to context, point at a span) carries over.
        mixture: files of everything else; all there are where none is named.
        seed: decides every choice.
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
    # What is held out of the shipped reader's trainings stays so.
    held_out_percent: Annotated[int, Field(ge=HELD_OUT_PERCENT, le=50)] = HELD_OUT_PERCENT
    bfloat16: bool = False
    warm_up: tuple[Source, ...] = ()
    mixture: tuple[Source, ...] = ()
    seed: int = 1


@dataclass(frozen=True, slots=True)
class EmbedderRecipe:
    """How an embedder is trained on.

    Attributes:
        sources: its questions; those with an answer are taken.
        passes: over them.
        batch: questions in a step. Each is told from all passages of its batch.
        rate: the highest learning rate; word embeddings stay as they are.
        warm_up_steps: over which it rises; then it falls to zero.
        weight_decay: of the matrices.
        dropout, attention_dropout: of hidden and of attention values.
        scale: of the cosines, in the softmax over passages.
        back_weight: of the softmax over a passage's questions.
        mined_share: of the questions, how many are told from a passage that the embedder itself takes for likely,
            and not from one that BM25 does.
        short_share: of the passages, how many are cut to a short window around the answer.
        titled_share: of those that have a title, how many stand under it.
        averaged_share: of the steps at the end, whose weights are averaged.
        kept_share: of the weights that training starts from, in the result: as much as this is kept of what they can
            on other texts (Wortsman et al., CVPR 2022).
        bfloat16: matrix products in bfloat16: a step takes half the time where the processor has them.
        seed: decides every choice.
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
    """Read a reader's recipe: one that comes with the package, by its name, or any TOML file.

    Raises:
        InvalidInput: there is none of that name, or it says what a recipe cannot.
    """
    return _load(ReaderRecipe, RECIPES, name)


def load_embedder_recipe(name: str) -> EmbedderRecipe:
    """Read an embedder's recipe, as `load_recipe` does a reader's.

    Raises:
        InvalidInput: as there.
    """
    return _load(EmbedderRecipe, EMBEDDER_RECIPES, name)


def _load(kind: type[_Recipe], folder: Path, name: str) -> _Recipe:
    path = folder / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, IsADirectoryError) as error:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise InvalidInput(f"{name}: neither a file nor one of {known}", field="config") from error
    except ValueError as error:
        raise InvalidInput(f"{path}: {_reason(error)}", field="config") from error


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def of_files(recipe: ReaderRecipe, data: Path) -> tuple[ReaderRecipe, Path]:
    """Return a recipe that names its files, and the folder they are in.

    Args:
        recipe: may name none; then all of `data` are meant.
        data: a folder, or the one file.

    Raises:
        DatasetError: there is no such file, or a folder without any.
    """
    if recipe.mixture or recipe.warm_up:
        return recipe, data
    files = sorted(data.glob("*.json")) if data.is_dir() else [data]
    if not all(file.is_file() for file in files) or not files:
        raise DatasetError(f"{data}: no SQuAD JSON file there", field="data")
    return replace(recipe, mixture=tuple(Source(file.name) for file in files)), files[0].parent
