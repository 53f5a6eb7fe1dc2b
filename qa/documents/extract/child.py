"""The child process of the extractor: it answers requests from standard input within limits on what they may use."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Any

from qa.documents.extract.formats import extract
from qa.documents.extract.messages import OUT_OF_MEMORY, Parts, pack_documents, read_message, write_message
from qa.documents.extract.tables.columns import Columns
from qa.errors import QAError
from qa.types import Rectangle

# The recognition of a page may take as long as a small file, and that of a file this long: some 5,000 dense pages.
MAX_OCR_SECONDS = 6 * 3600
# Parsers need few files at once, and write none.
_OPEN_FILES = 64

_Answer = tuple[Mapping[str, object], Parts]
_Send = Callable[[Mapping[str, object], Parts], None]


def main() -> None:
    """Answer requests until standard input closes."""
    # The parent ends this process by closing its pipe. Signals sent to all processes of a terminal or service do not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _OPEN_FILES)):
        resource.setrlimit(kind, (limit, limit))
    replies = os.fdopen(os.dup(1), "wb")
    # Parsers may print to standard output, which would corrupt the replies.
    os.dup2(2, 1)

    def send(header: Mapping[str, object], parts: Parts = ()) -> None:
        write_message(replies, header, parts)

    while True:
        try:
            header, (data,) = read_message(sys.stdin.buffer, sys.maxsize)
            limits = Limits(header["seconds"], header["memory"])
            send(*_answer(header, data, limits, send))
        except (EOFError, BrokenPipeError):
            # The parent closed its pipe, or ended.
            return
        except MemoryError:
            # Parsers keep memory alive that a reply needs too.
            os._exit(OUT_OF_MEMORY)
        del data


class Limits:
    """The limits of one file on memory and processor time."""

    def __init__(self, seconds: int, memory: int) -> None:
        """Allow this process `seconds` more of processor time and `memory` bytes in all."""
        self._seconds = seconds
        self._end = _used_seconds() + seconds
        self._last = self._end + MAX_OCR_SECONDS
        _set_limit(resource.RLIMIT_AS, memory)
        _set_limit(resource.RLIMIT_CPU, self._end)

    @contextmanager
    def allow_recognition(self) -> Iterator[None]:
        """Allow the recognition of a page `seconds` as well; the rest of the file does not get more time."""
        start = _used_seconds()
        _set_limit(resource.RLIMIT_CPU, min(start + self._seconds, self._last))
        yield
        self._end = min(self._end + _used_seconds() - start, self._last)
        _set_limit(resource.RLIMIT_CPU, self._end)


def _used_seconds() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return ceil(usage.ru_utime + usage.ru_stime)


def _set_limit(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _answer(header: Mapping[str, Any], data: bytes, limits: Limits, send: _Send) -> _Answer:
    """Return the reply to a request."""

    def report_progress(done: int, pages: int) -> None:
        send({"kind": "progress", "done": done, "pages": pages}, ())

    name = header["name"]
    try:
        if header["kind"] == "render":
            from qa.documents.extract.images.rendering import render_page

            rectangles = [Rectangle(*values) for values in header["rectangles"]]
            return {"kind": "page"}, [render_page(data, name, header["page"], rectangles)]
        columns = header["columns"] and Columns(**header["columns"])
        extracted = extract(
            data, name, columns, ocr=header["ocr"], progress=report_progress, recognising=limits.allow_recognition
        )
        return pack_documents(extracted)
    except QAError as error:
        return {"kind": "error", "error": type(error).__name__, "message": error.message, "field": error.field}, ()
