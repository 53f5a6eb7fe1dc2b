"""What a reader has been through: a recipe for each training, the first from the base model, later ones on from it.

Trainings from the same reader stand one after another, each with the start it names. An average of readers is a stage
too: it names after how many stages each of them was taken.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.errors import ModelError

RECIPE = "recipe.json"
AVERAGE, PARTS = "average", "parts"
TEACHERS = "teachers"
_LISTS = ("warm_up", "mixture", "data", "measured_with", TEACHERS)


def stages(folder: Path) -> list[dict[str, Any]]:
    """Return the recipes beside a reader, the first one first.

    Raises:
        ModelError: there are none, or they cannot be read.
    """
    path = folder / RECIPE
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["stages"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not the recipe of a reader ({error})") from error
    return found


def write_stages(folder: Path, made: Sequence[dict[str, Any]]) -> None:
    """Write what `stages` reads."""
    (folder / RECIPE).write_text(json.dumps({"stages": made}, indent=1) + "\n", encoding="utf-8")


def as_written(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return recipes as they will be read again: JSON has lists for tuples."""
    read: list[dict[str, Any]] = json.loads(json.dumps(made))
    return read


def files_of(stage: dict[str, Any]) -> list[str]:
    """Return the names of the files that a recipe took questions from."""
    return [source["file"] for part in ("warm_up", "mixture") for source in stage.get(part, ())]


def as_markdown(stage: dict[str, Any]) -> str:
    """Return a table of a recipe's settings, and the files it took questions from."""
    if AVERAGE in stage:
        after = ", ".join(map(str, stage[AVERAGE]))
        shares = f", in parts of {', '.join(f'{part:g}' for part in stage[PARTS])}" if PARTS in stage else ""
        return f"The mean of the weights after the stages {after}{shares} (`qa train average`).\n"
    settings = {name: value for name, value in stage.items() if name not in _LISTS}
    rows = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
    parts = [f"| setting | value |\n|---|---|\n{rows}\n"]
    for name, files in (("Short examples first", stage["warm_up"]), ("Mixture", stage["mixture"])):
        if files:
            listed = ", ".join(f"`{file['file']}`{_which(file)}" for file in files)
            parts.append(f"{name}: {listed}.\n")
    if stage.get(TEACHERS):
        parts.append(f"Teachers: {len(stage[TEACHERS])}; `{RECIPE}` has what they have been through besides.\n")
    return "\n".join(parts)


def _which(file: dict[str, Any]) -> str:
    """Return which of a file's questions were taken; older stages do not tell whether they had to have an answer."""
    answerable = {None: "", True: "with an answer", False: "without an answer"}[file.get("answerable")]
    told = [f"at most {file['limit']:,} questions"] if file["limit"] else []
    told += [f"those {answerable}"] if answerable else []
    told += ["with titles"] if file.get("titled") else []
    return f" ({', '.join(told)})" if told else ""
