"""Training history of a reader: one stage for each training, from the base model onwards.

A stage is the recipe of the training with the name of the base model, or the identity of the reader, that it started
from. Trainings from the same reader follow one another. An average of readers is a stage too: it lists after how many
stages each of them was saved.
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
_LISTS = ("warm_up", "mixture", "data", "documents", "weights", "measured_with", TEACHERS)


def load_stages(folder: Path) -> list[dict[str, Any]]:
    """Load the stages of a reader, oldest first.

    Raises:
        ModelError: the folder has no `recipe.json`, or it cannot be parsed.
    """
    path = folder / RECIPE
    try:
        stages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["stages"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not the training history of a reader ({error})") from error
    return stages


def write_stages(folder: Path, stages: Sequence[dict[str, Any]]) -> None:
    """Write the stages of a reader to its folder."""
    (folder / RECIPE).write_text(json.dumps({"stages": stages}, indent=1) + "\n", encoding="utf-8")


def round_trip(stages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return stages as they would be loaded again: JSON turns tuples into lists."""
    loaded: list[dict[str, Any]] = json.loads(json.dumps(stages))
    return loaded


def source_files(stage: dict[str, Any]) -> list[str]:
    """Return the names of the training files of a stage."""
    return [source["file"] for part in ("warm_up", "mixture") for source in stage.get(part, ())]


def render_stage(stage: dict[str, Any]) -> str:
    """Return a stage as Markdown: a table of the recipe's settings, and the training files."""
    if AVERAGE in stage:
        numbers = ", ".join(map(str, stage[AVERAGE]))
        ratio = f", in the ratio {' : '.join(f'{part:g}' for part in stage[PARTS])}" if PARTS in stage else ""
        return f"The mean of the weights after stages {numbers}{ratio} (`qa train average`).\n"
    settings = {name: value for name, value in stage.items() if name not in _LISTS}
    rows = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
    paragraphs = [f"| setting | value |\n|---|---|\n{rows}\n"]
    for title, sources in (("Warm-up files", stage.get("warm_up")), ("Mixture", stage["mixture"])):
        if sources:
            listed = ", ".join(f"`{source['file']}`{_describe_selection(source)}" for source in sources)
            paragraphs.append(f"{title}: {listed}.\n")
    if stage.get(TEACHERS):
        paragraphs.append(f"Teachers: {len(stage[TEACHERS])}; see `{RECIPE}` for their own stages.\n")
    return "\n".join(paragraphs)


def _describe_selection(source: dict[str, Any]) -> str:
    """Return in words which questions of a file are used; older stages have only some of the settings."""
    selection = [f"at most {source['limit']:,} questions"] if source["limit"] else []
    answerable = source.get("answerable")
    if answerable is not None:
        selection.append("answerable only" if answerable else "unanswerable only")
    if source.get("titled"):
        selection.append("with titles")
    if source.get("documents"):
        selection.append(f"on documents, passes: {source['passes']:g}")
    return f" ({', '.join(selection)})" if selection else ""
