"""The model card of a reader: what it is, what it was made of, how good it is, and how to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.models.model_folder import open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.training.artifacts.base_model import BASE, SHA256
from qa.training.artifacts.stages import as_markdown, files_of, stages
from qa.training.calibration.parameters import ASSUMED_UNANSWERABLE
from qa.training.calibration.reliability import DIAGRAM

_SQUAD, _SHIFTS, _NQ = "SQuAD 1.1 and 2.0 (CC BY-SA 4.0)", "SQuADShifts (CC BY 4.0)", "Natural Questions (CC BY-SA 3.0)"
_SOURCES = {
    "squad.json": _SQUAD,
    "squad_sentences.json": _SQUAD,
    "nq_oracle.json": _NQ,
    "nq_qed.json": f"{_NQ}, with spans from QED",
    "squadshifts_reddit.json": f"{_SHIFTS}, Reddit",
    "squadshifts_amazon.json": f"{_SHIFTS}, Amazon reviews",
    "fairytaleqa.json": "FairytaleQA (Apache-2.0)",
    "qamr_a.json": "QAMR (MIT)",
    "qamr_b.json": "QAMR (MIT)",
}
_MEASURES = {
    "f1": "F1",
    "exact_match": "EM",
    "f1_best_threshold": "F1 at the best threshold",
    "answerable_auroc": "AUROC",
    "ece": "ECE",
}


def write_card(folder: Path, reports: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write `README.md` beside a reader's int8 graph and recipes.

    Args:
        folder: of the reader.
        reports: what `qa eval --json` wrote of it, for the table of figures; those on retrieval alone are left out.

    Raises:
        ModelError: the folder holds no reader.
        DatasetError: a report is of another one.
    """
    model, made = open_model_folder(folder), stages(folder)
    read = [report for report in reports if report["metrics"].get("f1") is not None]
    for report in read:
        measured = report.get("model", {}).get("reader")
        if measured != model.identity:
            raise DatasetError(f"{report['dataset']}: figures of {measured}, not of {model.identity}", field="report")
    sources = dict.fromkeys(_SOURCES.get(file, f"`{file}`") for stage in made for file in files_of(stage))
    data = "\n".join(f"- {source}" for source in sources)
    recipes = "\n".join(f"{place}.\n\n{as_markdown(stage)}" for place, stage in enumerate(made, 1))
    layers = made[-1].get("layers", 6)
    diagram = _DIAGRAM if (folder / DIAGRAM).exists() else ""
    card = f"""# {model.name}

An extractive reader for English: given a question and a passage, a start and an end logit for each token; the
`[CLS]` token's stand for "this passage does not say".

- Base: {BASE} (Apache-2.0, `model.safetensors` with SHA-256 `{SHA256}`), {layers} layers, 384 wide,
  with a new span head.
- Form: static int8 (NNCF post-training quantisation, half weight range), OpenVINO IR. Inputs `input_ids`,
  `attention_mask`, `token_type_ids`; question first, then the titles that stand above the passage, then that;
  at most {MAX_INPUT_TOKENS} tokens, longer texts in windows.
- Identity: `{model.identity}`, of the hashes in `manifest.json`, which are checked when it is loaded.

## What it is bad at
Other languages than English. Sums, counts and comparisons that the text does not spell out; yes or no; reasoning over
several passages. Where an answer ends: it takes a word too much or too little more often than a wrong place. Questions
that a passage nearly answers (a changed name, number or negation) are refused less surely than those it has nothing on.
It learned from crowd workers' and search users' questions: jargon, tables and lists are far from that.

## How good it is
{_figures(read)}{diagram}
## What it was trained on
{data}

Less the held-out contexts of each, and every context of the sets that were named as measured with. With them come hard
negatives, a question with a passage that BM25 ranks high and that lacks the answer; and, where a recipe says so,
questions that were altered by rule until their passage no longer answers them.

## How to make it again
Each recipe is a run of `qa train reader`, with `--from` the reader that it names as its start.
{_confidence(folder)}

{recipes}"""
    (folder / "README.md").write_text(card.rstrip("\n") + "\n", encoding="utf-8")


def _confidence(folder: Path) -> str:
    if not (folder / CALIBRATION).exists():
        return "Confidence is not fitted yet: `qa train calibration` does that."
    fitted_with = Calibration.load(folder / CALIBRATION).taken_over_from
    if fitted_with:
        return (
            f"Confidence and what is refused were fitted with `{fitted_with}`, and taken over from it, "
            "at the level of this one's logit of no answer."
        )
    return "Confidence and what is refused were fitted by `qa train calibration` on held-out contexts."


_DIAGRAM = f"""
How often answers of a confidence were right on the held-out contexts, cross-validated, where an answer that is near the
only gold answer counts by how often another person would have given it, and {ASSUMED_UNANSWERABLE:.0%} of the questions
have none (through an index their passage was taken out, on single texts people made them up to mislead):

![reliability]({DIAGRAM})

"""


def _figures(reports: Sequence[Mapping[str, Any]]) -> str:
    if not reports:
        return "Not measured: `qa eval SET.json --mode reader` tells.\n"
    rows = [
        f"| {report['dataset']}, {report['mode']} | {report['n']:,} | {_measures(report)} |"
        for report in sorted(reports, key=lambda r: (r["mode"] == "end-to-end", -r["n"]))
    ]
    return (
        "By `qa eval`, with 95 % intervals:\n\n| set | questions | figures |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _measures(report: Mapping[str, Any]) -> str:
    told = []
    for name, title in _MEASURES.items():
        value, interval = report["metrics"].get(name), report.get("intervals", {}).get(name)
        if value is None or (name == "f1_best_threshold" and report.get("forced")):
            continue
        digits = 1 if value > 1 else 3
        told.append(
            f"{title} {value:.{digits}f}"
            + (f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})" if interval else "")
        )
    return ", ".join(told)
