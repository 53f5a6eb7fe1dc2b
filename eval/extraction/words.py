"""Measure how many words of PDFs extraction keeps, against pdftotext, and what it costs in time and memory.

    python -m eval.extraction.words FOLDER [--limit N] [--processes N]

Prints a row for each PDF below FOLDER: the share of pdftotext's words that the extracted text has, the number of pages
and of unread parts, milliseconds and megabytes for each page, and why a file was refused. Words are runs of letters or
of digits, each counted as often as it occurs. Lines that recur at the top or bottom of at least three pages do not
count, because extraction removes them on purpose. A word that is hyphenated at a line end counts whole or as two.
pdftotext (Debian package poppler-utils) must be installed.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from qa.documents.extract.formats import extract
from qa.errors import QAError

_WORD = re.compile(r"[^\W\d_]+|\d+")
_HYPHENATED = re.compile(r"([^\W\d_]+)[-\u00ad\u2010]\n+([^\W\d_]+)")
_DIGITS = re.compile(r"\d+")
# The lines at each edge of a page that may be running heads or feet, and the pages on which they recur.
_EDGE_LINES, _MIN_PAGES = 4, 3
# The limits on pdftotext, and on pdftotext and extraction together.
_REFERENCE_SECONDS, _SECONDS = 60, 300
# Below this share a file is listed with the words that are missing.
_LOW = 0.9
_LISTED_WORDS = 8
_UNITS_PER_MB = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of one file.

    Attributes:
        path: the file.
        pages: number of pages; 0 if pdftotext cannot read the file.
        words: number of words that count.
        recall: share of them that the extracted text has; None if there are none or the file was refused.
        unread: number of parts that are reported as unread.
        seconds: processor time for the whole file.
        megabytes: growth of memory for the whole file.
        refusal: the error, if the file was refused.
        missing: some words that the text does not have.
    """

    path: Path
    pages: int
    words: int
    recall: float | None
    unread: int
    seconds: float
    megabytes: float
    refusal: str = ""
    missing: Sequence[str] = ()


def main() -> None:
    """Print a row for each file, then a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="number of files, chosen evenly; all by default")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() == ".pdf" and path.is_file())
    step = max(1, len(paths) // arguments.limit) if arguments.limit else 1
    rows: list[Row] = []
    # Loaded before the processes start, because it is not a cost of a page.
    import_module("qa.documents.extract.pdf.document")
    print("recall  words pages unread ms/page MB/page  file")
    with ThreadPoolExecutor(arguments.processes) as pool:
        for row in pool.map(_measure_apart, paths[::step]):
            rows.append(row)
            print(_format_row(row, arguments.folder), flush=True)
    print(*_summarise(rows), sep="\n")


def _measure_apart(path: Path) -> Row:
    """Measure a file in a separate process, whose peak memory is that of the file."""
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(measure(path)))
    process.start()
    sender.close()
    try:
        row: Row = receiver.recv() if receiver.poll(_SECONDS) else _failed(path, f"takes over {_SECONDS} s")
    except EOFError:
        row = _failed(path, "its parser crashed")
    process.kill()
    process.join()
    return row


def _failed(path: Path, reason: str) -> Row:
    return Row(path, 0, 0, None, 0, 0.0, 0.0, reason)


def measure(path: Path) -> Row:
    """Extract one file and compare its words with those of pdftotext."""
    reference = _run_pdftotext(path)
    pages = reference.split("\f")[:-1]
    data = path.read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.process_time()
    text, unread, refusal = "", 0, ""
    try:
        (extracted, *_) = extract(data, path.name)
        text, unread = extracted.text, len(getattr(extracted, "unread", ()))
    except QAError as error:
        refusal = str(error)
    seconds = time.process_time() - started
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss
    words, missing = compare_words(pages, text)
    recall = 1 - sum(missing.values()) / words if words and not refusal else None
    listed = [word for word, _ in missing.most_common(_LISTED_WORDS)]
    return Row(path, len(pages), words, recall, unread, seconds, growth / _UNITS_PER_MB, refusal, listed)


def _run_pdftotext(path: Path) -> str:
    """Return the text of a file, with a form feed after each page; empty if pdftotext cannot read it in time."""
    command = ["pdftotext", "-q", "-enc", "UTF-8", str(path), "-"]
    try:
        output = subprocess.run(command, capture_output=True, timeout=_REFERENCE_SECONDS, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""
    return output.decode("utf-8", "replace")


def compare_words(pages: Sequence[str], text: str) -> tuple[int, Counter[str]]:
    """Return the number of words on the pages, and those that the text does not have.

    Args:
        pages: the text of each page according to pdftotext.
        text: the extracted text.
    """
    left = Counter(_find_words(text))
    missing = Counter[str]()
    words = 0
    for page in _remove_recurring(pages):
        halves = [(first, second) for match in _HYPHENATED.finditer(page) for first, second in [match.groups()]]
        for first, second in halves:
            (whole,) = _find_words(first + second) or [""]
            words += 1
            if left[whole]:
                left[whole] -= 1
            elif all(left[half] for half in (first.casefold(), second.casefold())):
                left.subtract((first.casefold(), second.casefold()))
            else:
                missing[whole] += 1
        for word in _find_words(_HYPHENATED.sub(" ", page)):
            words += 1
            if left[word]:
                left[word] -= 1
            else:
                missing[word] += 1
    return words, missing


def _find_words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _remove_recurring(pages: Sequence[str]) -> Iterator[str]:
    """Yield pages without the lines at their edges that recur on other pages, apart from their numbers."""
    edges = []
    for page in pages:
        lines = [line for line in page.splitlines() if line.strip()]
        edges.append({_pattern(line) for line in (*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:])})
    counts = Counter(pattern for patterns in edges for pattern in patterns)
    for page, patterns in zip(pages, edges, strict=True):
        recurring = {pattern for pattern in patterns if counts[pattern] >= _MIN_PAGES}
        yield "\n".join(line for line in page.splitlines() if _pattern(line) not in recurring)


def _pattern(line: str) -> str:
    return _DIGITS.sub("0", " ".join(line.split()))


def _format_row(row: Row, folder: Path) -> str:
    recall = "     -" if row.recall is None else f"{row.recall:6.4f}"
    pages = max(1, row.pages)
    columns = f"{recall} {row.words:6} {row.pages:5} {row.unread:6} "
    costs = f"{1000 * row.seconds / pages:7.1f} {row.megabytes / pages:7.2f}  "
    note = f"  refused: {row.refusal}" if row.refusal else ""
    if row.recall is not None and row.recall < _LOW:
        note = f"  missing: {' '.join(row.missing)}"
    return columns + costs + str(row.path.relative_to(folder)) + note


def _summarise(rows: Sequence[Row]) -> Iterator[str]:
    recalls = [row.recall for row in rows if row.recall is not None]
    refused = [row for row in rows if row.refusal]
    with_words = sum(row.words > 0 for row in refused)
    yield f"{len(rows)} files, {len(refused)} refused, {with_words} of them with words"
    if recalls:
        low = sum(recall < _LOW for recall in recalls)
        yield f"recall of words: median {statistics.median(recalls):.4f}, {low} of {len(recalls)} files below {_LOW}"
    read = [row for row in rows if row.pages and not row.refusal]
    pages = sum(row.pages for row in read)
    if read:
        yield (
            f"{pages} pages: {1000 * sum(row.seconds for row in read) / pages:.1f} ms a page, "
            f"median of files {statistics.median(1000 * row.seconds / row.pages for row in read):.1f} ms "
            f"and {statistics.median(row.megabytes / row.pages for row in read):.2f} MB a page"
        )


if __name__ == "__main__":
    main()
