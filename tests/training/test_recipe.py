from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError, InvalidInput
from qa.training.data.examples import Source
from qa.training.recipe import (
    EMBEDDER_RECIPES,
    BASE_RECIPE,
    OWN_RECIPE,
    RECIPES,
    load_embedder_recipe,
    load_recipe,
    resolve_files,
)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_can_be_read(name: str) -> None:
    assert load_recipe(name) == load_recipe(str(RECIPES / f"{name}.toml"))


@pytest.mark.parametrize("name", sorted(path.stem for path in EMBEDDER_RECIPES.glob("*.toml")))
def test_every_recipe_of_an_embedder_can_be_read(name: str) -> None:
    recipe = load_embedder_recipe(name)
    assert recipe == load_embedder_recipe(str(EMBEDDER_RECIPES / f"{name}.toml"))
    assert recipe.sources[0] == Source("squad.json", titled=True)


def test_what_is_wrong_with_a_recipe_of_an_embedder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("passes = 2.0")
    with pytest.raises(InvalidInput, match=r"mine\.toml: sources: Field required"):
        load_embedder_recipe(str(path))
    with pytest.raises(InvalidInput, match="frist: neither a file nor one of first, nearer"):
        load_embedder_recipe("frist")


def test_a_recipe_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('tokens = 5\nmixture = [{ file = "a.json", limit = 3 }]\n')
    recipe = load_recipe(str(path))
    assert (recipe.tokens, recipe.mixture) == (5, (Source("a.json", 3),))
    assert recipe.rate == load_recipe("further").rate


@pytest.mark.parametrize(
    ("content", "named"),
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
def test_what_is_wrong_with_a_recipe_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=f"mine.toml: {named}"):
        load_recipe(str(path))


def test_an_unknown_recipe_is_told_which_there_are() -> None:
    with pytest.raises(
        InvalidInput,
        match="bsae: neither a file nor one of base, contrasted, deep, deep2, edited, edited2, edited3, firm, further",
    ):
        load_recipe("bsae")


def test_files_that_a_recipe_does_not_name_are_those_that_are_there(tmp_path: Path) -> None:
    own = load_recipe(OWN_RECIPE)
    with pytest.raises(DatasetError, match="no SQuAD JSON file there"):
        resolve_files(own, tmp_path)
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_text("{}")
    assert resolve_files(own, tmp_path)[0].mixture == (Source("a.json"), Source("b.json"))
    recipe, folder = resolve_files(own, tmp_path / "b.json")
    assert (recipe.mixture, folder) == ((Source("b.json"),), tmp_path)
    assert resolve_files(load_recipe(BASE_RECIPE), tmp_path) == (load_recipe(BASE_RECIPE), tmp_path)
