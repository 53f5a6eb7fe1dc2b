"""The trained reader ─► the shipped int8 graph and its model card."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from transformers import BertForQuestionAnswering

from qa.models.tokenization import load_tokenizer
from qa.training.base_model import BASE, SHA256, base_model_folder
from qa.training.examples import MIXTURE, Source, training_examples
from qa.training.export import Pair, export_int8
from qa.training.features import cut, features
from qa.training.stages import as_markdown, stages, write_stages

NAME = "spanlight-reader-int8"
SAMPLES = 300


class SpanLogits(torch.nn.Module):
    """The encoder and its head, giving start and end logits."""

    def __init__(self, network: BertForQuestionAnswering) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return start and end logits, each of shape (batch, length)."""
        made = self.network(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return made.start_logits, made.end_logits


def float_reader(folder: Path) -> SpanLogits:
    """Load trained float weights in Hugging Face layout."""
    return SpanLogits(BertForQuestionAnswering.from_pretrained(folder, attn_implementation="eager")).eval()


def export_reader(trained: Path, data: Path, folder: Path, seed: int = 1) -> None:
    """Write the int8 reader and its model card to `folder`; activation ranges are taken on inputs made from `data`."""
    tokenizer = base_model_folder() / "tokenizer.json"
    export_int8(float_reader(trained), ["start", "end"], _samples(data, tokenizer, seed), tokenizer, folder, NAME)
    write_stages(folder, stages(trained))
    (folder / "README.md").write_text(_model_card(trained), encoding="utf-8")


def _samples(data: Path, tokenizer: Path, seed: int) -> list[Pair]:
    examples = training_examples(data, [Source(s.file, 200) for s in MIXTURE], forbidden="", seed=seed)
    chooser = random.Random(seed)
    chosen = features(chooser.sample(examples, SAMPLES), load_tokenizer(tokenizer))
    inputs = [cut(feature, chooser, whole=True)[0] for feature in chosen]
    return [(made.ids, made.types) for made in inputs]


def _model_card(trained: Path) -> str:
    recipes = "\n".join(f"{place}.\n\n{as_markdown(stage)}" for place, stage in enumerate(stages(trained), 1))
    return f"""# {NAME}

An extractive reader for English: given a question and a passage, a start and an end logit for each token; the
`[CLS]` token's stand for "this passage does not say".

- Base: {BASE} (Apache-2.0, `model.safetensors` with SHA-256 `{SHA256}`), 6 layers, 384 wide, with a new span
  head. Word embeddings were not trained.
- Form: static int8 (NNCF post-training quantisation, half weight range), OpenVINO IR. Inputs `input_ids`,
  `attention_mask`, `token_type_ids`; question first; at most 288 tokens.
- Not for: other languages, arithmetic, yes/no questions, reasoning over several passages.
- Data: SQuAD 1.1/2.0 (CC BY-SA 4.0), Natural Questions through QED and as short passages (CC BY-SA 3.0), SQuADShifts
  (CC BY 4.0), FairytaleQA (Apache-2.0), QAMR (MIT), less 5 % of the contexts that are held out.

How well it does is in the project's README, with the commands that measure it. Confidence and threshold come from
`calibration.json`, made with `qa train calibration` on the held-out contexts. How often answers of a confidence were
right there, cross-validated, where an answer that is near the only gold answer counts by how often another person would
have given it:

![reliability](reliability.svg)

## Recipe
Made with `qa train reader`; each recipe after the first is a run of `qa train reader --from` the reader before. Each
mixture comes with hard negatives (a question with a passage that BM25 ranks high and that lacks the answer); contexts
are cut to short windows until the last part.

{recipes}"""
