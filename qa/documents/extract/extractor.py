"""Extraction in processes of their own: what a file does to its parser, it does to nobody else.

A few kilobytes of PDF can stand for years of work, or for more text than there is memory, and a parser in C that fails
takes its process with it. Here that is not the process that was asked. This bounds what a file costs; it is no
wall against one that takes the parser over.
"""

from __future__ import annotations

import os
import pickle
import queue
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from math import ceil
from typing import IO, cast

from qa.documents.extract.formats import extract
from qa.documents.extract.tables import Columns
from qa.documents.extract.text_builder import ExtractedText
from qa.errors import InvalidInput, QAError, TooLarge

# For any file, and more for each byte of it: a megabyte of PDF, nothing but deflated text, took a slow processor 38 s.
_SECONDS, _SECONDS_A_BYTE = 60.0, 40e-6
_BYTES, _BYTES_A_BYTE = 2_000_000_000, 20
_OUT_OF_MEMORY = 3
# A process that read a larger file keeps memory that the next one would lack: it is ended.
_LARGE = 1_000_000


class Extractor:
    """Extracts files within limits for processor time and memory. Safe to share between threads.

    A process is started when the first file comes, and another one when all are at work.
    """

    def __init__(self, seconds: float = _SECONDS, memory: int = _BYTES) -> None:
        """Set limits.

        Args:
            seconds: of processor time, for a small file; a large one has more.
            memory: bytes, likewise.
        """
        self._seconds = seconds
        self._memory = memory
        self._idle: queue.LifoQueue[subprocess.Popen[bytes]] = queue.LifoQueue()

    def extract(self, data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
        """Extract a file's documents, as `qa.documents.extract.formats.extract` does.

        Raises:
            TooLarge: it takes more time or memory than it may.
            InvalidInput: it cannot be read, or its parser fails.
        """
        seconds = ceil(self._seconds + _SECONDS_A_BYTE * len(data))
        memory = self._memory + _BYTES_A_BYTE * len(data)
        process = self._free()
        try:
            with_input, with_output = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            pickle.dump((data, name, columns, seconds, memory), with_input)
            with_input.flush()
            made: list[ExtractedText] | QAError = pickle.load(with_output)  # noqa: S301 - this program wrote it
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            ended = _ended(process)
            if ended == -signal.SIGXCPU:
                raise TooLarge(f"{name}: reading it takes over {seconds:,} s", field=name) from error
            # Parsers in C abort when they get no memory.
            if ended in (_OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL):
                raise TooLarge(f"{name}: reading it takes over {memory:,} bytes of memory", field=name) from error
            raise InvalidInput(
                f"{name}: damaged, or too much for its parser, which failed (status {ended})", field=name
            ) from error
        except BaseException:
            process.kill()
            _ended(process)
            raise
        if len(data) > _LARGE:
            _ended(process)
        else:
            self._idle.put(process)
        if isinstance(made, QAError):
            raise made
        return made

    def _free(self) -> subprocess.Popen[bytes]:
        """Return a process that waits for a file."""
        while True:
            try:
                process = self._idle.get_nowait()
            except queue.Empty:
                return _started()
            if process.poll() is None:
                return process
            # Somebody ended it while it had nothing to do.
            _ended(process)

    def close(self) -> None:
        """End the processes that are idle."""
        while True:
            try:
                _ended(self._idle.get_nowait())
            except queue.Empty:
                return


def _started() -> subprocess.Popen[bytes]:
    # Not with modules of the folder that this was started in.
    command = [sys.executable, "-P", "-m", "qa.documents.extract.extractor"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process that has nothing more to do, and return its status."""
    for pipe in (process.stdin, process.stdout):
        # There may be something that it did not take any more.
        with suppress(BrokenPipeError):
            cast(IO[bytes], pipe).close()
    return process.wait()


def main() -> None:
    """Extract what comes on standard input, until it ends."""
    # Whoever started this decides when it ends, and not what stops all processes of a terminal or a service.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(os.dup(1), "wb")
    # What parsers print must not be taken for a reply.
    os.dup2(2, 1)
    while True:
        try:
            data, name, columns, seconds, memory = pickle.load(sys.stdin.buffer)  # noqa: S301
            _limit(seconds, memory)
            _reply(replies, data, name, columns)
        except EOFError:
            return
        except MemoryError:
            sys.exit(_OUT_OF_MEMORY)
        del data


def _reply(replies: IO[bytes], data: bytes, name: str, columns: Columns | None) -> None:
    try:
        made: list[ExtractedText] | QAError = extract(data, name, columns)
    except QAError as error:
        made = error
    pickle.dump(made, replies)
    replies.flush()


def _limit(seconds: int, memory: int) -> None:
    """Allow so many more seconds of processor time, and so many bytes in all."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = ceil(used.ru_utime + used.ru_stime) + seconds
    for kind, wanted in ((resource.RLIMIT_CPU, until), (resource.RLIMIT_AS, memory)):
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


if __name__ == "__main__":
    main()
