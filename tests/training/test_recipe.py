from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from qa.errors import DatasetError, InvalidInput
from qa.training.data.examples import Source
from qa.training.recipe import (
    BASE_RECIPE,
    EMBEDDER_RECIPES,
    OWN_RECIPE,
    READER_RECIPES,
    load_embedder_recipe,
    load_recipe,
    resolve_files,
)


def files(folders: Sequence[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.glob("*.toml"))


@pytest.mark.parametrize("path", files(READER_RECIPES), ids=lambda path: path.stem)
def test_loads_every_reader_recipe(path: Path) -> None:
    assert load_recipe(path.stem) == load_recipe(str(path))


@pytest.mark.parametrize("path", files(EMBEDDER_RECIPES), ids=lambda path: path.stem)
def test_loads_every_embedder_recipe(path: Path) -> None:
    recipe = load_embedder_recipe(path.stem)
    assert recipe == load_embedder_recipe(str(path))
    assert recipe.sources[0] == Source("squad.json", titled=True)


def test_names_of_recipes_are_unique() -> None:
    for folders in (READER_RECIPES, EMBEDDER_RECIPES):
        names = [path.stem for path in files(folders)]
        assert len(set(names)) == len(names)


def test_base_recipe_trains_on_documents_and_plain_contexts() -> None:
    recipe = load_recipe(BASE_RECIPE)
    files = {source.file: source for source in recipe.mixture}
    assert files["../reference/train.json"] == Source(
        "../reference/train.json", documents="../reference/docs", passes=2
    )
    assert {source.answerable for source in recipe.mixture if source.documents is None} == {True, False}
    sampling = recipe.sampling
    assert (sampling.seed, sampling.held_out_percent, sampling.negatives) == (recipe.seed, 12, recipe.negatives)


def test_reports_what_is_wrong_with_an_embedder_recipe(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("passes = 2.0")
    with pytest.raises(InvalidInput, match=r"mine\.toml: sources: Field required"):
        load_embedder_recipe(str(path))
    with pytest.raises(InvalidInput, match="recipe 'frist' not found; give a TOML file or one of first, nearer"):
        load_embedder_recipe("frist")


def test_loads_a_recipe_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('tokens = 5\nmixture = [{ file = "a.json", limit = 3 }]\n')
    recipe = load_recipe(str(path))
    assert (recipe.tokens, recipe.mixture) == (5, (Source("a.json", 3),))
    assert recipe.rate == load_recipe(BASE_RECIPE).rate


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tokns = 5", "tokns: Unexpected keyword"),
        ('rate = "high"', "rate: Input should be a valid number"),
        ("mixture = [{ limit = 3 }]", "mixture.0.file: Field required"),
        ("batch = 0", "batch: Input should be greater than or equal to 1"),
        ("held_out_percent = 2", "held_out_percent: Input should be greater than or equal to 5"),
        ('mixture = [{ file = "a.json", limit = -5 }]', "mixture.0.limit: Input should be greater"),
        ("tokens = ", "Invalid value"),
    ],
)
def test_reports_what_is_wrong_with_a_reader_recipe(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=f"mine.toml: {message}"):
        load_recipe(str(path))


def test_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(
        InvalidInput,
        match=r"recipe 'bsae' not found; give a TOML file or one of base, further, own$",
    ):
        load_recipe("bsae")


def test_recipe_without_files_uses_every_file_of_the_folder(tmp_path: Path) -> None:
    own = load_recipe(OWN_RECIPE)
    with pytest.raises(DatasetError, match="no SQuAD JSON file found"):
        resolve_files(own, tmp_path)
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_text("{}")
    assert resolve_files(own, tmp_path)[0].mixture == (Source("a.json"), Source("b.json"))
    recipe, folder = resolve_files(own, tmp_path / "b.json")
    assert (recipe.mixture, folder) == ((Source("b.json"),), tmp_path)
    assert resolve_files(load_recipe(BASE_RECIPE), tmp_path) == (load_recipe(BASE_RECIPE), tmp_path)
