"""Score highlights and the items of answers on MultiSpanQA, whose questions have several answers in one text.

    python -m eval.highlighting.multispanqa MultiSpanQA_data/valid.json

The file is in https://github.com/haonan-li/MultiSpanQA, folder `data`, and at https://multi-span.github.io. This
command fetches nothing. There are 653 questions, all with at least two answers. Texts are tokens; they are joined with
spaces.

- sentence F1: each text is highlighted with the defaults of `engine.highlight`, but up to 100 highlights. A sentence is
  a unit of the text as the engine splits it. It is gold if it has an answer. F1 is over the sentences of all questions
  together; the mean over questions is printed too.
- items: of `engine.read` with its defaults, the items of the first answer; where it has none, all answers. "As given"
  is nothing where the status is not `answered`; "with best guesses" is the best guess there. They are compared as the
  official scorer does (`src/eval_script.py`): sets of normalised strings, exactly or by the longest common part.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from eval.highlighting.command import format_figures, run
from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.evidence import Counts, estimate_pooled, judge_units
from qa.evaluation.input_files import read_text
from qa.evaluation.intervals import Estimate, estimate_mean
from qa.evaluation.metrics import normalise_answer
from qa.results import QueryResult
from qa.text.structure import find_structure, units
from qa.types import Span
from qa.validation import MAX_TOP_K


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its text.

    Attributes:
        text: the question.
        context: the text that it is asked of.
        answers: the spans of the answers in that text.
    """

    text: str
    context: str
    answers: tuple[Span, ...]

    @property
    def gold(self) -> list[str]:
        """The answers."""
        return [span.of(self.context) for span in self.answers]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the engine returns for a question.

    Attributes:
        marks: the highlights with their scores.
        given: the items of the answer; empty unless the question is answered.
        guessed: the same, with the best guess where the question is not answered.
    """

    marks: Sequence[tuple[Span, float]]
    given: Sequence[str]
    guessed: Sequence[str]


def main() -> None:
    """Print the F1 over sentences and over items."""
    run(__doc__, load_questions, score)


def load_questions(path: Path) -> list[Question]:
    """Read the questions of the file.

    Raises:
        DatasetError: the file cannot be read, is in another format, or has no labels.
    """
    try:
        return [_parse(entry) for entry in json.loads(read_text(path))["data"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path}: not a labelled file of MultiSpanQA ({error!r})", field="dataset") from error


def score(questions: Sequence[Question], engine: Engine) -> str:
    """Ask each question, and return the lines to print."""
    figures = measure(questions, [predict(question, engine) for question in questions])
    answers = sum(len(question.answers) for question in questions)
    return "\n".join([f"MultiSpanQA: {len(questions)} questions, {answers} answers", *format_figures(figures)])


def predict(question: Question, engine: Engine) -> Prediction:
    """Highlight the text of a question, and read its answers."""
    (result,) = engine.highlight(question.text, [("text", question.context)], max_highlights=MAX_TOP_K)
    answered = engine.read(question.text, question.context)
    given = _items(answered)
    guess = answered.best_guess
    return Prediction(
        [(highlight.span, highlight.score) for highlight in result.highlights],
        given,
        given or ([item.text for item in guess.items] or [guess.text] if guess else []),
    )


def measure(questions: Sequence[Question], predictions: Sequence[Prediction]) -> dict[str, Estimate]:
    """Return the figures of the predictions for each question."""
    pairs = list(zip(questions, predictions, strict=True))
    sentences = [judge_sentences(question, prediction.marks) for question, prediction in pairs]
    given = [judge_items(prediction.given, question.gold) for question, prediction in pairs]
    guessed = [judge_items(prediction.guessed, question.gold) for question, prediction in pairs]
    return {
        "sentence F1": estimate_pooled(sentences, "f1"),
        "sentence precision": estimate_pooled(sentences, "precision"),
        "sentence recall": estimate_pooled(sentences, "recall"),
        "sentence F1, mean of questions": estimate_mean([counts.f1 for counts in sentences]),
        "items exact F1, as given": estimate_pooled([exact for exact, _ in given], "f1"),
        "items overlap F1, as given": estimate_pooled([overlap for _, overlap in given], "f1"),
        "items exact F1, best guesses": estimate_pooled([exact for exact, _ in guessed], "f1"),
        "items overlap F1, best guesses": estimate_pooled([overlap for _, overlap in guessed], "f1"),
    }


def judge_sentences(question: Question, marks: Sequence[tuple[Span, float]]) -> Counts:
    """Compare highlights with the sentences that have an answer."""
    text = question.context
    counts, _ = judge_units(marks, question.answers, list(units(text, find_structure(text))))
    return counts


def judge_items(predicted: Collection[str], gold: Collection[str]) -> tuple[Counts, Counts]:
    """Compare two sets of answers as the official scorer does, by exact match and by overlap.

    A side without answers counts as one answer, which is right if the other has none either. An answer's credit by
    overlap is the longest common part with an answer of the other side, as a share of its length.
    """
    ours, theirs = ({normalise_answer(text) for text in texts} for texts in (predicted, gold))
    sizes = max(len(ours), 1), max(len(theirs), 1)
    if not theirs:
        right = int(not ours)
        return Counts(right, sizes[0], right, sizes[1]), Counts(right, sizes[0], right, sizes[1])
    same = len(ours & theirs)
    # `SequenceMatcher` ignores frequent characters of a long second string; the official scorer does not prevent it.
    common = {(a, b): SequenceMatcher(None, b, a).find_longest_match().size for a in ours for b in theirs}
    precision = sum(max(common[a, b] for b in theirs) / len(a) for a in ours if a)
    recall = sum(max((common[a, b] for a in ours), default=0) / len(b) for b in theirs if b)
    return Counts(same, sizes[0], same, sizes[1]), Counts(precision, sizes[0], recall, sizes[1])


def _items(result: QueryResult) -> list[str]:
    if result.answers and result.answers[0].items:
        return [item.text for item in result.answers[0].items]
    return [answer.text for answer in result.answers]


def _parse(entry: dict[str, Any]) -> Question:
    tokens, labels = entry["context"], entry["label"]
    spans: list[Span] = []
    start, before = 0, "O"
    for token, label in zip(tokens, labels, strict=True):
        end = start + len(token)
        if label == "I" and before != "O":
            spans[-1] = Span(spans[-1].start, end)
        elif label in ("B", "I"):
            spans.append(Span(start, end))
        elif label != "O":
            raise ValueError(f"unknown label {label!r}")
        start, before = end + 1, label
    return Question(" ".join(entry["question"]), " ".join(tokens), tuple(spans))


if __name__ == "__main__":
    main()
