"""What `qa ask`, `qa read` and `qa search` print: text for people, or JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from qa.cli.output import lines, print_json, stdout, styled
from qa.types import mark_at

if TYPE_CHECKING:
    from qa.results import Answer, EvidenceUnit, Hit, QueryResult, SearchResult

# In characters; `qa search` prints passages in full.
_EXCERPT = 300


def answers(result: QueryResult, as_json: bool) -> None:
    """Print the answers to a question; without one, the best guess and what to look at next."""
    if as_json:
        from qa.wire.convert import query_response

        print_json(query_response(result).model_dump())
        return
    if result.corrected is not None:
        styled(f"Searched for: {result.corrected}", style="dim")
    guesses = [result.best_guess] if result.best_guess else []
    if result.status == "nothing_to_search":
        lines([f"Nothing to search: index {result.index!r} is empty, or no document in it meets the filters."])
        lines(["Add documents with `qa add`, or change --filter."])
    elif result.status == "not_found":
        lines(["Not found: the documents probably do not say.", ""])
        _print_candidates("Possible answers:", [*guesses, *result.alternatives])
        _print_excerpts(result.passages)
    elif result.status == "unsure":
        for guess in guesses:
            _print_answer(guess, "Unsure; best guess: ")
        _print_candidates("Other possible answers:", result.alternatives)
    for answer in result.answers:
        _print_answer(answer)
    _print_evidence(result.evidence)


def passages(question: str, index: str, result: SearchResult, as_json: bool) -> None:
    """Print the passages that a search found."""
    if as_json:
        from qa.wire.convert import search_response

        print_json(search_response(question, index, result).model_dump())
        return
    if not result.hits:
        lines(["No passages found."])
    for hit in result.hits:
        styled(f"score {hit.score:.3f}", style="bold")
        styled(hit.text)
        _print_location(_passage_location(hit))


def _print_answer(answer: Answer, label: str = "") -> None:
    from rich.text import Text

    heading = Text(label, style="bold")
    heading.append(answer.text)
    heading.append(f"  {answer.confidence:.0%} sure", style="not bold dim")
    stdout().print(heading)
    lines([f"- {item.text}" for item in answer.items])
    start, end = answer.context_span.start, answer.context_span.end
    context = Text(answer.context[:start])
    context.append(answer.context[start:end], style="reverse")
    context.append(answer.context[end:])
    stdout().print(context)
    _print_location(_answer_location(answer))


def _print_candidates(title: str, candidates: Sequence[Answer]) -> None:
    """Print answers that are probably wrong, one a line, under a title."""
    if candidates:
        styled(title, style="dim")
        for answer in candidates:
            styled(f"- {', '.join([f'{answer.text}  {answer.confidence:.0%} sure', *_answer_location(answer)])}")
        lines([""])


def _print_excerpts(hits: Sequence[Hit]) -> None:
    if hits:
        styled("Passages to look at:", style="dim")
    for hit in hits:
        styled(shorten(hit.text, _EXCERPT, placeholder=" …"))
        _print_location(_passage_location(hit))


def _print_evidence(evidence: Sequence[EvidenceUnit]) -> None:
    if evidence:
        styled("Evidence:", style="dim")
    for unit in evidence:
        styled(f"{unit.text}  {unit.score:.0%} sure")
        _print_location(
            _drop_empty(
                unit.document_id,
                f"page {unit.page}" if unit.page else "",
                unit.section,
                f"characters {unit.span.start} to {unit.span.end}" if unit.document_id else "",
            )
        )


def _answer_location(answer: Answer) -> list[str]:
    return _drop_empty(
        answer.title or answer.document_id,
        f"page {answer.page}" if answer.page else "",
        answer.section,
        f"cell {answer.cell}" if answer.cell else "",
        f"characters {answer.span.start} to {answer.span.end}" if answer.document_id else "",
        "recognised text (OCR)" if answer.ocr else "",
    )


def _passage_location(hit: Hit) -> list[str]:
    mark = mark_at(hit.passage.marks, hit.span.start)
    return _drop_empty(
        hit.title or hit.document_id,
        f"page {mark.page}" if mark and mark.page else "",
        mark.section if mark else "",
        f"characters {hit.span.start} to {hit.span.end}",
    )


def _drop_empty(*parts: str | None) -> list[str]:
    return [part for part in parts if part]


def _print_location(parts: Sequence[str]) -> None:
    """Print the location of a text in its document, then an empty line."""
    if parts:
        styled(", ".join(parts), style="dim")
    lines([""])
