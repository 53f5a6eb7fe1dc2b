"""Extraction in child processes, with limits on processor time, memory and files.

A few kilobytes of PDF can expand to years of work, or to more text than fits into memory, and a crash in a C parser
ends its process. A child process contains both, so the server keeps running. Its environment has no secrets, and its
replies are plain data. The limits bound what a file costs; they are not a sandbox against a file that takes over its
parser.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple
from math import ceil
from pathlib import Path
from typing import IO, TypeVar, cast

from qa.documents.extract.messages import (
    OUT_OF_MEMORY,
    Message,
    MessageError,
    read_message,
    unpack_documents,
    write_message,
)
from qa.documents.extract.tables.columns import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge, UnsupportedFormat
from qa.types import Rectangle

# A base for any file, plus an allowance for each byte: one megabyte of PDF that is all deflated text took 38 s on a
# slow processor.
_SECONDS, _SECONDS_PER_BYTE = 60.0, 40e-6
_MEMORY, _MEMORY_PER_BYTE = 2_000_000_000, 20
# In bytes. A process ends after a larger file, because memory it keeps would count against the next file's limit.
_LARGE_FILE = 1_000_000
_ERRORS: Mapping[str, type[QAError]] = {error.__name__: error for error in (InvalidInput, TooLarge, UnsupportedFormat)}
# Everything that Python and its libraries need to start. Keys, tokens and addresses are in other variables.
_INHERITED = re.compile(r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|PYTHON\w+")
# Appends the folder of this package to the path, which a source checkout needs: -P omits the working folder.
_PROGRAM = "import sys; sys.path.append(sys.argv.pop()); from qa.documents.extract.child import main; main()"

_Result = TypeVar("_Result")
Progress = Callable[[int, int], None]
"""Called with the number of pages done and the number of pages."""


class Extractor:
    """Extracts files in child processes within limits. Safe to share between threads.

    The first file starts a process, and so does any file that arrives while all processes are busy.
    """

    def __init__(self, seconds: float = _SECONDS, memory: int = _MEMORY, *, ocr: bool = True) -> None:
        """Set the limits for a small file; a larger file has proportionally more.

        Args:
            seconds: processor time; the recognition of each page has as much in addition.
            memory: address space in bytes.
            ocr: recognise text in pictures, if the extra `ocr` is installed.
        """
        self._seconds = seconds
        self._memory = memory
        self._ocr = ocr
        self._idle: queue.LifoQueue[subprocess.Popen[bytes]] = queue.LifoQueue()

    def extract(
        self, data: bytes, name: str, columns: Columns | None = None, progress: Progress | None = None
    ) -> list[ExtractedText]:
        """Extract the documents of a file, as `qa.documents.extract.formats.extract` does.

        Raises:
            TooLarge: the file needs more time or memory than the limits allow.
            InvalidInput: the file cannot be read, or its parser crashes.
        """
        request = {"kind": "extract", "columns": asdict(columns) if columns else None}
        return self._ask(data, name, request, "documents", unpack_documents, progress)

    def render_page(self, data: bytes, name: str, page: int, rectangles: Sequence[Rectangle] = ()) -> bytes:
        """Render a page, as `qa.documents.extract.images.rendering.render_page` does; raise as `extract` does."""
        request = {"kind": "render", "page": page, "rectangles": [astuple(rectangle) for rectangle in rectangles]}
        return self._ask(data, name, request, "page", lambda message: message.parts[0])

    def _ask(
        self,
        data: bytes,
        name: str,
        request: Mapping[str, object],
        kind: str,
        unpack: Callable[[Message], _Result],
        progress: Progress | None = None,
    ) -> _Result:
        """Send a request to a process, and return what its reply of this kind holds."""
        seconds = ceil(self._seconds + _SECONDS_PER_BYTE * len(data))
        memory = self._memory + _MEMORY_PER_BYTE * len(data)
        limits = {"name": name, "ocr": self._ocr, "seconds": seconds, "memory": memory}
        process = self._acquire()
        try:
            write_message(cast(IO[bytes], process.stdin), {**request, **limits}, [data])
            reply = _read_reply(cast(IO[bytes], process.stdout), memory, progress)
            result = _error(reply) if reply.header.get("kind") == "error" else _expect(reply, kind, unpack)
        except (EOFError, BrokenPipeError) as error:
            raise _crash_error(_stop(process), name, seconds, memory) from error
        except MessageError as error:
            process.kill()
            _stop(process)
            raise InvalidInput(
                f"{name}: damaged; its parser returned no valid reply; save the file again", field=name
            ) from error
        except BaseException:
            process.kill()
            _stop(process)
            raise
        if len(data) > _LARGE_FILE:
            _stop(process)
        else:
            self._idle.put(process)
        if isinstance(result, QAError):
            raise result
        return result

    def _acquire(self) -> subprocess.Popen[bytes]:
        """Return an idle process, or a new one."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return _start()
            if process.poll() is None:
                return process
            # The process was killed while it was idle.
            _stop(process)

    def close(self) -> None:
        """End the idle processes."""
        while True:
            try:
                _stop(self._idle.get_nowait())
            except queue.Empty:
                return


def _start() -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    # Several processes run at once, so each recognises text in one thread.
    environment["OMP_THREAD_LIMIT"] = "1"
    # -P keeps modules in the working folder from being imported.
    command = [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[3])]
    return subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Close the pipes of a process, wait for its exit, and return its status."""
    for pipe in (process.stdin, process.stdout):
        # Closing flushes input that a dead process can no longer read.
        with suppress(BrokenPipeError):
            cast(IO[bytes], pipe).close()
    return process.wait()


def _read_reply(pipe: IO[bytes], limit: int, progress: Progress | None) -> Message:
    """Return the message that ends a reply, and report the progress before it.

    Raises:
        EOFError: the process ended.
        MessageError: the process sent something else.
    """
    while True:
        reply = read_message(pipe, limit)
        if reply.header.get("kind") != "progress":
            return reply
        numbers = reply.header.get("done"), reply.header.get("pages")
        if not all(type(number) is int for number in numbers):
            raise MessageError("progress is two numbers")
        if progress:
            progress(*cast(tuple[int, int], numbers))


def _expect(reply: Message, kind: str, unpack: Callable[[Message], _Result]) -> _Result:
    if reply.header.get("kind") != kind:
        raise MessageError(f"the reply is not of the kind {kind!r}")
    return unpack(reply)


def _error(reply: Message) -> QAError:
    """Return the error that a reply describes."""
    kind, message, field = (reply.header.get(key) for key in ("error", "message", "field"))
    if not (isinstance(kind, str) and kind in _ERRORS and isinstance(message, str) and isinstance(field, str | None)):
        raise MessageError("the error is not one that extraction raises")
    return _ERRORS[kind](message, field=field)


def _crash_error(status: int, name: str, seconds: int, memory: int) -> InvalidInput:
    """Return the error for a file whose process ended with a status."""
    if status == -signal.SIGXCPU:
        return TooLarge(f"{name}: extraction takes over {seconds:,} s of processor time; split the file", field=name)
    # Parsers in C abort when an allocation fails.
    if status in (OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL):
        return TooLarge(f"{name}: extraction takes over {memory:,} bytes of memory; split the file", field=name)
    return InvalidInput(
        f"{name}: damaged, or too complex for its parser, which crashed (status {status}); save the file again",
        field=name,
    )
