"""Extraction in child processes, with limits on processor time and memory.

A few kilobytes of PDF can expand to years of work, or to more text than fits into memory, and a crash in a C parser
ends its process. A child process contains both, so the server keeps running. The limits bound what a file costs; they
are not a sandbox against a file that takes over its parser.
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

# A base for any file, plus an allowance for each byte: one megabyte of PDF that is all deflated text took 38 s on a
# slow processor.
_SECONDS, _SECONDS_PER_BYTE = 60.0, 40e-6
_MEMORY, _MEMORY_PER_BYTE = 2_000_000_000, 20
_OUT_OF_MEMORY = 3
# In bytes. A process ends after a larger file, because memory it keeps would count against the next file's limit.
_LARGE_FILE = 1_000_000


class Extractor:
    """Extracts files in child processes within limits. Safe to share between threads.

    The first file starts a process, and so does any file that arrives while all processes are busy.
    """

    def __init__(self, seconds: float = _SECONDS, memory: int = _MEMORY) -> None:
        """Set the limits for a small file; a larger file has proportionally more.

        Args:
            seconds: processor time.
            memory: address space in bytes.
        """
        self._seconds = seconds
        self._memory = memory
        self._idle: queue.LifoQueue[subprocess.Popen[bytes]] = queue.LifoQueue()

    def extract(self, data: bytes, name: str, columns: Columns | None = None) -> list[ExtractedText]:
        """Extract the documents of a file, as `qa.documents.extract.formats.extract` does.

        Raises:
            TooLarge: the file needs more time or memory than the limits allow.
            InvalidInput: the file cannot be read, or its parser crashes.
        """
        seconds = ceil(self._seconds + _SECONDS_PER_BYTE * len(data))
        memory = self._memory + _MEMORY_PER_BYTE * len(data)
        process = self._acquire()
        try:
            requests, replies = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            pickle.dump((data, name, columns, seconds, memory), requests)
            requests.flush()
            reply: list[ExtractedText] | QAError = pickle.load(replies)  # noqa: S301 - written by the child process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            status = _stop(process)
            if status == -signal.SIGXCPU:
                raise TooLarge(
                    f"{name}: extraction takes over {seconds:,} s of processor time; split the file", field=name
                ) from error
            # Parsers in C abort when an allocation fails.
            if status in (_OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL):
                raise TooLarge(
                    f"{name}: extraction takes over {memory:,} bytes of memory; split the file", field=name
                ) from error
            raise InvalidInput(
                f"{name}: damaged, or too complex for its parser, which crashed (status {status}); save the file again",
                field=name,
            ) from error
        except BaseException:
            process.kill()
            _stop(process)
            raise
        if len(data) > _LARGE_FILE:
            _stop(process)
        else:
            self._idle.put(process)
        if isinstance(reply, QAError):
            raise reply
        return reply

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
    # -P keeps modules in the working folder from being imported.
    command = [sys.executable, "-P", "-m", "qa.documents.extract.extractor"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Close the pipes of a process, wait for its exit, and return its status."""
    for pipe in (process.stdin, process.stdout):
        # Closing flushes input that a dead process can no longer read.
        with suppress(BrokenPipeError):
            cast(IO[bytes], pipe).close()
    return process.wait()


def main() -> None:
    """Answer extraction requests from standard input until it closes."""
    # The parent ends this process by closing its pipe. Signals sent to all processes of a terminal or service do not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(os.dup(1), "wb")
    # Parsers may print to standard output, which would corrupt the replies.
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
        reply: list[ExtractedText] | QAError = extract(data, name, columns)
    except QAError as error:
        reply = error
    pickle.dump(reply, replies)
    replies.flush()


def _limit(seconds: int, memory: int) -> None:
    """Allow this process `seconds` more of processor time and `memory` bytes in all."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    deadline = ceil(usage.ru_utime + usage.ru_stime) + seconds
    for kind, limit in ((resource.RLIMIT_CPU, deadline), (resource.RLIMIT_AS, memory)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    main()
