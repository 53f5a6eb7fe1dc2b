"""Score highlights on the gold set of ACL-Verbatim, word by word.

    python -m eval.highlighting.acl_verbatim 333_20260206_dense_top5_20260305.json

The file is in https://github.com/KRLabsOrg/acl-verbatim (Apache 2.0). This command fetches nothing. The file has a
query on each line, with five retrieved passages of papers. A row is a query with one passage. There are 100 rows; 47 of
them have gold spans, 78 in all.

word F1: each passage is highlighted with the defaults of `engine.highlight`, but up to 100 highlights. A word is a run
of characters other than white space; it is marked if a highlight overlaps it, and gold if a gold span does. The words
of all rows are counted together, with those of rows without gold spans. This is `word_f1` in the tables of that
repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from eval.highlighting.command import format_figures, run
from qa.engine import Engine
from qa.errors import DatasetError
from qa.evaluation.evidence import Counts, estimate_pooled
from qa.evaluation.input_files import read_json_lines
from qa.evaluation.intervals import Estimate, estimate_mean
from qa.types import Span
from qa.validation import MAX_TOP_K

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Row:
    """A query with one of the passages retrieved for it.

    Attributes:
        query: the query.
        passage: the text of the passage.
        gold: the spans of the passage that answer; empty where nothing does.
    """

    query: str
    passage: str
    gold: tuple[Span, ...]


def main() -> None:
    """Print the word F1 over all rows, its parts, and that over the rows with gold spans."""
    run(__doc__, load_rows, score)


def load_rows(path: Path) -> list[Row]:
    """Read the rows of the file; the rows of a query follow one another.

    Raises:
        DatasetError: the file cannot be read or is in another format, or a gold span is not in its passage.
    """
    rows = []
    for line, entry in read_json_lines(path):
        try:
            rows += [
                Row(entry["query"], result["chunk"], tuple(_find(text, result["chunk"]) for text in _gold(result)))
                for result in entry["results"]
            ]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DatasetError(
                f"{path}: line {line}: not a row of ACL-Verbatim ({error!r})", field="dataset"
            ) from error
    return rows


def score(rows: Sequence[Row], engine: Engine) -> str:
    """Highlight the passages of each query in one call, and return the lines to print."""
    marks: list[list[Span]] = []
    for query, group in groupby(rows, key=lambda row: row.query):
        passages = [(str(number), row.passage) for number, row in enumerate(group)]
        results = engine.highlight(query, passages, max_highlights=MAX_TOP_K)
        marks += [[highlight.span for highlight in result.highlights] for result in results]
    figures = measure(rows, marks)
    gold = [row.gold for row in rows if row.gold]
    return "\n".join(
        [
            f"ACL-Verbatim: {len(rows)} rows, {len(gold)} of them with gold spans, {sum(map(len, gold))} gold spans",
            *format_figures(figures),
        ]
    )


def measure(rows: Sequence[Row], marks: Sequence[Sequence[Span]]) -> dict[str, Estimate]:
    """Return the figures of the marks in each row's passage."""
    counts = [count_words(row.passage, marked, row.gold) for row, marked in zip(rows, marks, strict=True)]
    relevant = [words for words, row in zip(counts, rows, strict=True) if row.gold]
    unmarked = [float(not words.predicted) for words, row in zip(counts, rows, strict=True) if not row.gold]
    return {
        "word F1, all rows": estimate_pooled(counts, "f1"),
        "precision, all rows": estimate_pooled(counts, "precision"),
        "recall, all rows": estimate_pooled(counts, "recall"),
        "word F1, rows with gold spans": estimate_pooled(relevant, "f1"),
        "other rows without highlights": estimate_mean(unmarked),
    }


def count_words(text: str, marked: Sequence[Span], gold: Sequence[Span]) -> Counts:
    """Count the words of a text that spans overlap."""
    words = [Span(*match.span()) for match in _WORD.finditer(text)]
    ours, theirs = ({word for word in words if any(word.overlaps(span) for span in spans)} for spans in (marked, gold))
    right = len(ours & theirs)
    return Counts(right, len(ours), right, len(theirs))


def _gold(result: dict[str, list[str]]) -> Iterator[str]:
    return (text for text in result["gold_extraction"] if text.strip())


def _find(text: str, passage: str) -> Span:
    """Return where a gold span is; the annotators changed the case of some, and white space may differ.

    Raises:
        ValueError: it is not in the passage.
    """
    start = passage.find(text)
    if start >= 0:
        return Span(start, start + len(text))
    match = re.search(r"\s+".join(map(re.escape, text.split())), passage, re.IGNORECASE)
    if match is None:
        raise ValueError(f"gold span {text[:40]!r} is not in its passage")
    return Span(*match.span())


if __name__ == "__main__":
    main()
