"""Clients that follow jobs: they wait on the event loop, so that they take no thread from other calls."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from anyio import Lock, sleep, to_thread

from qa.errors import RateLimited
from qa.service.draining import Draining
from qa.service.job_types import Job
from qa.service.jobs import Jobs

_MAX_FOLLOWED = 20
# Seconds between two reads of the state of a job.
_INTERVAL_S = 0.5
_RETRY_AFTER_S = 5


class JobEvents:
    """The states of the jobs that clients follow. One thread reads a job, however many clients follow it."""

    def __init__(self, jobs: Jobs, draining: Draining) -> None:
        self._jobs = jobs
        self._draining = draining
        self._followed = Counter[str]()
        # When each job was read last, and its state then.
        self._latest: dict[str, tuple[float, Job]] = {}
        self._reading = Lock()

    @contextmanager
    def admit(self, caller: str) -> Iterator[None]:
        """Count a caller's request to follow a job until the context ends; use it on the event loop only.

        Raises:
            RateLimited: the caller follows too many.
        """
        if self._followed[caller] >= _MAX_FOLLOWED:
            raise RateLimited(
                f"too many requests: this caller follows {_MAX_FOLLOWED} jobs, the maximum; retry in"
                f" {_RETRY_AFTER_S} s",
                _RETRY_AFTER_S,
            )
        self._followed[caller] += 1
        try:
            yield
        finally:
            self._followed[caller] -= 1
            # Drops the callers that follow no job.
            self._followed += Counter()

    async def follow(self, id: str) -> AsyncIterator[Job]:
        """Yield the state of a job now and after every change, until it has ended or the server is about to stop.

        Raises:
            NotFound: there is no job with this id.
        """
        last = None
        try:
            while True:
                job = await self._read(id)
                if job != last:
                    yield job
                if job.state != "running" or self._draining.active:
                    return
                last = job
                await sleep(_INTERVAL_S)
        finally:
            self._latest.pop(id, None)

    async def _read(self, id: str) -> Job:
        async with self._reading:
            read_at, job = self._latest.get(id, (0.0, None))
            if job is None or time.monotonic() - read_at > _INTERVAL_S / 2:
                job = await to_thread.run_sync(self._jobs.get, id)
                self._latest[id] = (time.monotonic(), job)
            return job
