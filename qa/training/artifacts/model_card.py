"""Model card of a reader: its form, limits, figures, training data and training history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qa.errors import DatasetError
from qa.models.model_folder import open_model_folder
from qa.reading.calibration import CALIBRATION, Calibration
from qa.reading.encoding import MAX_INPUT_TOKENS
from qa.training.artifacts.reader_network import CONFIG_FILE, load_config
from qa.training.artifacts.stages import load_stages, render_stage, source_files
from qa.training.calibration.parameters import ASSUMED_UNANSWERABLE
from qa.training.calibration.reliability import DIAGRAM

_SQUAD, _SHIFTS, _NQ = "SQuAD 1.1 and 2.0 (CC BY-SA 4.0)", "SQuADShifts (CC BY 4.0)", "Natural Questions (CC BY-SA 3.0)"
_DOCUMENTS = "documents and questions written for this project (CC BY 4.0)"
_LICENCES = {"all-MiniLM-L6-v2": "Apache-2.0", "e5-small-v2": "MIT"}
_SOURCES = {
    "../practice/train.json": f"Practice {_DOCUMENTS}",
    "../reference/train.json": f"Reference {_DOCUMENTS}",
    "../evidence/train.json": "Evidence marks on the practice documents (CC BY 4.0)",
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
    """Write the model card, `README.md`, to a reader's folder.

    Args:
        folder: folder of the reader.
        reports: reports of `qa eval --json` for the table of figures; reports on retrieval alone are skipped.

    Raises:
        ModelError: the folder has no reader.
        DatasetError: a report is about another reader.
    """
    model, history = open_model_folder(folder), load_stages(folder)
    reader_reports = [report for report in reports if report["metrics"].get("f1") is not None]
    for report in reader_reports:
        measured = report.get("model", {}).get("reader")
        if measured != model.identity:
            raise DatasetError(
                f"{report['dataset']}: the report is about reader {measured}, not {model.identity}; "
                "run `qa eval` with this reader",
                field="report",
            )
    sources = dict.fromkeys(_SOURCES.get(file, f"`{file}`") for stage in history for file in source_files(stage))
    data = "\n".join(f"- {source}" for source in sources)
    recipes = "\n".join(f"{number}.\n\n{render_stage(stage)}" for number, stage in enumerate(history, 1))
    diagram = _DIAGRAM if (folder / DIAGRAM).exists() else ""
    card = f"""# {model.name}

An extractive reader for English. For a question and a passage it returns a start, an end and an evidence logit for each
token. The start and end logits of the `[CLS]` token mean that the passage does not contain the answer. The evidence of
a sentence, list item or table row is the mean over its tokens.

- Base model: {_describe_base(folder, history)}, with a span head and an evidence head.
- Format: OpenVINO IR, static int8 (NNCF post-training quantisation, half of the weight range). The inputs are
  `input_ids`, `attention_mask` and `token_type_ids`: the question, then the titles above the passage, then the passage.
  An input has at most {MAX_INPUT_TOKENS} tokens; longer passages are split into windows.
- Identity: `{model.identity}`, from the checksums in `manifest.json`. They are verified when the model is loaded.

## Limits
- It reads English only.
- It does not calculate, count or compare unless the text spells out the result. It does not answer yes or no, and it
  does not reason over several passages.
- It finds the right place more often than the exact ends: answers can have a word too many or too few.
- It is less sure of unanswerable questions that a passage almost answers (another name or number, a negation) than of
  those that the passage has nothing about.
- Its training questions are from crowd workers, search users and the authors of the documents.

## Figures
{_render_figures(reader_reports)}{diagram}
## Training data
{data}

The held-out contexts and documents of each data set and all contexts of the evaluation sets were left out. The training
adds hard negatives: questions with a passage that BM25 ranks high and that lacks the answer.

## Training history
Each recipe is one run of `qa train reader`; its `start` is the base model, or the reader to pass as `--from`.
{_describe_calibration(folder)}

{recipes}"""
    (folder / "README.md").write_text(card.rstrip("\n") + "\n", encoding="utf-8")


def _describe_base(folder: Path, history: Sequence[Mapping[str, Any]]) -> str:
    base = history[0]["start"]
    description = f"{base} ({_LICENCES[base]})" if base in _LICENCES else str(base)
    if (folder / CONFIG_FILE).exists():
        config = load_config(folder)
        description += f", {config.num_hidden_layers} layers, {config.hidden_size} dimensions"
    return description


def _describe_calibration(folder: Path) -> str:
    if not (folder / CALIBRATION).exists():
        return "Confidence is not calibrated yet; run `qa train calibration`."
    original = Calibration.load(folder / CALIBRATION).taken_over_from
    if original:
        return (
            f"Confidence and refusals were calibrated for `{original}` and transferred to this reader, "
            "corrected by the difference of their mean null logits."
        )
    return "`qa train calibration` fitted confidence and refusals on the held-out contexts."


_DIAGRAM = f"""
The diagram shows the share of right answers by confidence, cross-validated on held-out documents and contexts. On
documents an answer is right if it is nearly a gold answer. On contexts it counts by how often a second person would
have given it. {ASSUMED_UNANSWERABLE:.0%} of the questions are unanswerable.

![Reliability diagram]({DIAGRAM})

"""


def _render_figures(reports: Sequence[Mapping[str, Any]]) -> str:
    if not reports:
        return "Not measured yet; run `qa eval SET.json --mode reader`.\n"
    rows = [
        f"| {report['dataset']}, {report['mode']} | {report['n']:,} | {_render_measures(report)} |"
        for report in sorted(reports, key=lambda r: (r["mode"] == "end-to-end", -r["n"]))
    ]
    heading = "From `qa eval`, with 95 % intervals:\n\n| set | questions | figures |\n|---|---|---|\n"
    return heading + "\n".join(rows) + "\n"


def _render_measures(report: Mapping[str, Any]) -> str:
    measures = []
    for name, title in _MEASURES.items():
        value, interval = report["metrics"].get(name), report.get("intervals", {}).get(name)
        if value is None or (name == "f1_best_threshold" and report.get("forced")):
            continue
        digits = 1 if value > 1 else 3
        measures.append(
            f"{title} {value:.{digits}f}"
            + (f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})" if interval else "")
        )
    return ", ".join(measures)
