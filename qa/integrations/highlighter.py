"""A drop-in for context pruners such as Provence and OpenProvence, and for the highlighter of VerbatimRAG.

    highlighter = Highlighter(qa.open("indexes"))
    highlighter.process("When does it open?", context)["pruned_context"]

The keys of the result are those that these libraries share. Scores are calibrated probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from qa.client import Client
from qa.errors import InvalidInput
from qa.results import HighlightResult
from qa.validation import MAX_HIGHLIGHT_CHARACTERS, MAX_HIGHLIGHT_TEXTS, MAX_TOP_K


class Highlights(Protocol):
    """An engine, or a client of a running server."""

    def highlight(
        self,
        question: str,
        texts: Sequence[tuple[str, str]] = (),
        *,
        threshold: float | None = None,
        max_highlights: int = 10,
        prune: bool = False,
    ) -> list[HighlightResult]:
        """Find the words that answer a question in each of several texts, in order."""
        ...


class Highlighter:
    """Prunes contexts to the sentences that answer a question."""

    def __init__(self, highlights: Highlights) -> None:
        """Use an engine, such as `qa.open("indexes")`, or a client, such as `qa.Client(url)`."""
        self._highlights = highlights

    def process(
        self,
        question: str | Sequence[str],
        context: str | Sequence[str] | Sequence[Sequence[str]],
        threshold: float | None = None,
        **_: object,
    ) -> dict[str, Any]:
        """Return what answers a question in one context or several.

        Args:
            question: one question, or several.
            context: a text or a list of texts for one question. For several questions, a text or a list of texts for
                each of them.
            threshold: minimum probability of a sentence; None applies the calibrated threshold.
            **_: other arguments of these libraries, such as `batch_size`; they are ignored.

        Returns:
            For each context, nested as `context` is: `pruned_context`, with the headings above what answers;
            `reranking_score`, the probability of the best sentence, 0 without one; `compression_rate`, the share of
            the context that was removed, in per cent; `kept_sentences` and `highlighted_sentences`, in the order of
            the context; `spans`, with `start`, `end`, `text` and `score`.

        Raises:
            InvalidInput: the numbers of questions and contexts differ, or a text is too long.
        """
        if isinstance(question, str):
            if isinstance(context, str):
                (only,) = self._process_texts(question, [context], threshold)
                return only
            return _gather(self._process_texts(question, [_as_text(text) for text in context], threshold))
        if isinstance(context, str) or len(question) != len(context):
            raise InvalidInput("each question needs a context; pass as many contexts as questions", field="context")
        pairs = zip(question, context, strict=True)
        return _gather([self.process(one, of_one, threshold) for one, of_one in pairs])

    def _process_texts(self, question: str, texts: Sequence[str], threshold: float | None) -> list[dict[str, Any]]:
        """Return the outcomes for texts; a blank text has nothing to highlight."""
        asked = [text for text in texts if text.strip()]
        results = iter(
            [
                result
                for batch in _batches(asked)
                for result in self._highlights.highlight(
                    question,
                    [(str(number), text) for number, text in enumerate(batch)],
                    threshold=threshold,
                    max_highlights=MAX_TOP_K,
                    prune=True,
                )
            ]
        )
        return [_outcome(text, next(results) if text.strip() else None) for text in texts]


def prune_on_server(
    url: str, key: str | None, question: str, texts: Sequence[str], threshold: float | None
) -> list[tuple[int, str, float]]:
    """Return the texts that answer: the position of each, what answers in it, and the probability of its best sentence.

    Args:
        url: address of the server.
        key: the API key, if the server needs one.
        question: in plain language.
        texts: the texts, of any number and length.
        threshold: as for `Highlighter.process`.
    """
    with Client(url, key=key) as client:
        outcome = Highlighter(client).process(question, texts, threshold)
    pruned = zip(outcome["pruned_context"], outcome["reranking_score"], strict=True)
    return [(position, text, score) for position, (text, score) in enumerate(pruned) if text]


def _as_text(context: str | Sequence[str]) -> str:
    """Return a context; one that was split into sentences as one text."""
    return context if isinstance(context, str) else "\n".join(context)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts in order, in batches within the limits of a call."""
    batch: list[str] = []
    for text in texts:
        characters = sum(map(len, batch)) + len(text)
        if batch and (len(batch) == MAX_HIGHLIGHT_TEXTS or characters > MAX_HIGHLIGHT_CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _outcome(text: str, result: HighlightResult | None) -> dict[str, Any]:
    highlights = sorted(result.highlights, key=lambda highlight: highlight.span) if result else []
    pruned = (result.pruned_text if result else None) or ""
    sentences = [highlight.text for highlight in highlights]
    return {
        "pruned_context": pruned,
        "reranking_score": max((highlight.score for highlight in highlights), default=0.0),
        "compression_rate": 100 * (1 - len(pruned) / len(text)) if text else 0.0,
        "kept_sentences": sentences,
        "highlighted_sentences": sentences,
        "spans": [{"start": h.span.start, "end": h.span.end, "text": h.text, "score": h.score} for h in highlights],
    }


def _gather(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a list with the outcomes for each key."""
    keys = _outcome("", None)
    return {key: [outcome[key] for outcome in outcomes] for key in keys}
