"""Clients that follow jobs: many of them do not stop other calls, and none delays a server that stops."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from qa.client import Client
from qa.errors import RateLimited
from qa.service.draining import Draining
from qa.service.job_events import JobEvents
from qa.service.job_types import Job
from qa.service.jobs import Jobs
from tests.conftest import PROCESS_TIMEOUT_S, running
from tests.service.conftest import Opener


@contextmanager
def running_job(jobs: Jobs) -> Iterator[Job]:
    """Start a job that does nothing until the context ends; it is then an interrupted one."""
    locks: list[int] = []
    job = jobs.start("rebuild", "default", 1, lambda _, lock: locks.append(os.dup(lock)))
    try:
        yield job
    finally:
        os.close(locks[0])


async def states(events: JobEvents, id: str) -> list[str]:
    return [job.state async for job in events.follow(id)]


def test_three_hundred_followers_do_not_stop_other_calls(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    jobs = Jobs(tmp_path / "indexes")
    events: JobEvents = service.app.state.services.job_events  # type: ignore[attr-defined]
    assert service.portal
    with running_job(jobs) as job:
        followers = [service.portal.start_task_soon(states, events, job.id) for _ in range(300)]
        for _ in range(5):
            assert service.get("/v1/documents").status_code == 200
        assert not any(follower.done() for follower in followers)
    assert [follower.result(PROCESS_TIMEOUT_S) for follower in followers] == [["running", "failed"]] * 300


def test_followers_of_a_job_share_its_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(tmp_path)
    reads: list[str] = []
    get = Jobs.get

    def count_reads(self: Jobs, id: str) -> Job:
        reads.append(id)
        return get(self, id)

    async def follow_for(seconds: float) -> None:
        followers = [asyncio.create_task(states(events, job.id)) for _ in range(50)]
        await asyncio.sleep(seconds)
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)

    events = JobEvents(jobs, Draining(0))
    with running_job(jobs) as job:
        monkeypatch.setattr(Jobs, "get", count_reads)
        asyncio.run(follow_for(0.2))
    assert 1 <= len(reads) < 10


def test_a_caller_may_follow_a_limited_number_of_jobs(tmp_path: Path) -> None:
    events = JobEvents(Jobs(tmp_path), Draining(0))
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(events.admit("desk"))
        with pytest.raises(RateLimited, match="follows 20 jobs") as rejected:
            stack.enter_context(events.admit("desk"))
        assert rejected.value.retry_after_s == 5
        stack.enter_context(events.admit("another"))
    with events.admit("desk"):
        assert events._followed == {"desk": 1}
    assert not events._followed


def test_releases_the_place_of_a_follower_when_its_response_has_ended(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    with running_job(Jobs(tmp_path / "indexes")) as job:
        pass
    for _ in range(25):
        response = service.get(f"/v1/jobs/{job.id}/events")
        assert (response.status_code, "event: failed" in response.text) == (200, True)


def test_rejects_more_followers_with_429(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    events: JobEvents = service.app.state.services.job_events  # type: ignore[attr-defined]
    with running_job(Jobs(tmp_path / "indexes")) as job, ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(events.admit("testclient"))
        response = service.get(f"/v1/jobs/{job.id}/events")
        assert (response.status_code, response.headers["Retry-After"]) == (429, "5")


def test_followers_end_when_the_server_is_about_to_stop(tmp_path: Path) -> None:
    jobs, draining = Jobs(tmp_path), Draining(0)
    draining.active = True
    with running_job(jobs) as job:
        assert asyncio.run(states(JobEvents(jobs, draining), job.id)) == ["running"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_server_does_not_wait_for_followers(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (url, process), Client(url) as client, running_job(Jobs(tmp_path)) as job:
        received: list[str] = []

        def follow() -> None:
            with client._http.stream("GET", f"/v1/jobs/{job.id}/events") as response:
                received.extend(response.iter_lines())

        follower = threading.Thread(target=follow)
        follower.start()
        while "event: running" not in received:
            time.sleep(0.05)
        process.send_signal(number)
        # Without an end of the events, the server waits for 30 seconds.
        process.wait(20)
        follower.join(5)
        assert not follower.is_alive()
