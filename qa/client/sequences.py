"""Methods that take several calls, as sequences that either client can run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from qa.client import calls, document_calls
from qa.client.requests import Call
from qa.documents.files import find_files
from qa.errors import InvalidInput, QAError, Unavailable
from qa.reports import FileReport, IngestionReport
from qa.wire.convert import file_report
from qa.wire.documents import MAX_SYNCHRONOUS_BYTES

T = TypeVar("T")
Steps = Generator[Call[Any] | float, Any, T]
"""Yields calls to send, whose results it receives, and seconds to wait; returns a result."""

_POLL_S = 0.5


def resume(steps: Steps[T], outcome: Any) -> Call[Any] | float:
    """Return the next step.

    Args:
        steps: the sequence.
        outcome: outcome of the previous step; a `QAError` is raised inside the sequence.

    Raises:
        StopIteration: the sequence has ended; its `value` is the result.
    """
    return steps.throw(outcome) if isinstance(outcome, QAError) else steps.send(outcome)


def remove(ids: str | Sequence[str], *, index: str = "default") -> Steps[None]:
    """Remove one document or several, one call for each; stops at the first that does not exist."""
    for id in [ids] if isinstance(ids, str) else ids:
        yield document_calls.remove(id, index=index)


def add_files(
    paths: str | Path | Sequence[str | Path],
    *,
    index: str = "default",
    text_column: str | None = None,
    title_column: str | None = None,
    id_column: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Steps[IngestionReport]:
    """Add files to an index of the server; a file that fails does not stop the others.

    The server identifies a file by its name without folders, so the second of two files with the same name is
    rejected. A job adds large files; this method waits for it.

    Args:
        paths: one or several files, folders, or patterns such as `reports/**/*.pdf`.
        index: name of the index, which must exist.
        text_column: column of a table that holds the text; None for `text`, or for all columns without one.
        title_column: column that holds the title; None for `title`.
        id_column: column that holds the document's id; None for `id`.
        progress: called with the number of files just finished.
    """
    names = [str(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    files, errors = find_files([name for name in names if name != "-"])
    report = IngestionReport()
    columns = {"text_column": text_column, "title_column": title_column, "id_column": id_column}
    first_paths: dict[str, Path] = {}
    for path in (file.path for file in files):
        first = first_paths.setdefault(path.name, path)
        try:
            if first != path:
                raise InvalidInput(f"has the same name as {first}, which it would replace; rename one of them")
            reports = yield from _add_file(path, index, **columns)
        except (QAError, OSError) as error:
            reason = error.message if isinstance(error, QAError) else error.strerror
            report.files.append(FileReport(str(path), error=InvalidInput(f"{path}: {reason}", field=str(path))))
        else:
            report.files += reports
        progress(1)
    report.files += [FileReport(error.field or "", error=error) for error in errors]
    if "-" in names:
        unsent = InvalidInput("standard input cannot be sent to a server; name a file", field="-")
        report.files.append(FileReport("-", error=unsent))
    return report


def _add_file(path: Path, index: str, **columns: str | None) -> Steps[Sequence[FileReport]]:
    if path.stat().st_size <= MAX_SYNCHRONOUS_BYTES:
        response = yield document_calls.upload([path], index=index, **columns)
        return [file_report(file) for file in response.files]
    job = yield document_calls.upload_later([path], index=index, **columns)
    while job.state == "running":
        yield _POLL_S
        job = yield calls.job(job.id)
    if job.state != "done":
        raise Unavailable(job.error or f"the job was {job.state}")
    return [file_report(file) for file in job.files or ()]
