from __future__ import annotations

import io
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.errors import Conflict, NotFound, Overloaded, Unavailable
from qa.service import jobs as jobs_module
from qa.service.jobs import Advance, Begin, Job, Jobs, Work
from tests.service.conftest import Opener


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "_LOOK_EVERY", 0.01)


def by(jobs: Jobs, work: Work) -> Begin:
    """Return what carries jobs out in a thread, which holds the lock as a process would that inherited it."""

    def begin(id: str, lock: int) -> None:
        held = os.dup(lock)

        def carry_out() -> None:
            jobs.carry_out(id, work)
            os.close(held)

        threading.Thread(target=carry_out, daemon=True).start()

    return begin


def ended(jobs: Jobs, id: str) -> Job:
    *_, last = jobs.follow(id)
    return last


def test_a_rebuild_over_http(service: TestClient) -> None:
    documents = [{"id": f"d{n}", "text": f"Mill {n} was built in {1700 + n}."} for n in range(20)]
    service.post("/v1/documents", json=documents)
    question = {"question": "When was mill 7 built?", "min_confidence": 0}
    before = service.post("/v1/query", json=question).json()
    refused = service.post("/v1/indexes/default/rollback")
    assert refused.status_code == 202
    assert "event: failed" in service.get(f"{refused.headers['location']}/events").text
    response = service.post("/v1/indexes/default/rebuild")
    assert response.status_code == 202
    place = response.headers["location"]
    events = service.get(f"{place}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    told: list[dict[str, Any]] = [
        json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")
    ]
    assert (told[-1]["state"], told[-1]["done"], told[-1]["generation"]) == ("done", 20, 2)
    assert f"event: {told[-1]['state']}" in events.text
    assert service.get(place).json() == told[-1]
    after = service.post("/v1/query", json=question).json()
    assert after["generation"] == 2
    assert [a["answer"] for a in after["answers"]] == [a["answer"] for a in before["answers"]]
    kinds = [(job["kind"], job["state"]) for job in service.get("/v1/jobs").json()["jobs"]]
    assert kinds == [("rebuild", "done"), ("rollback", "failed")]
    assert "no previous generation" in service.get("/v1/jobs").json()["jobs"][1]["error"]
    assert service.delete(place).status_code == 409
    assert service.post("/v1/indexes/none/rebuild").status_code == 404
    for path in ("/v1/jobs/none", "/v1/jobs/none/events", "/v1/jobs/..%2F..%2Fetc"):
        assert service.get(path).status_code == 404


def test_a_job_needs_a_key_where_keys_are_set(open_service: Opener) -> None:
    locked = open_service(api_keys="secret")
    assert locked.post("/v1/indexes/default/rebuild").status_code == 401
    assert locked.get("/v1/jobs").status_code == 401


def test_progress_and_cancelling(tmp_path: Path) -> None:
    jobs, go_on = Jobs(tmp_path), threading.Semaphore(0)

    def work(advance: Advance) -> dict[str, Any]:
        for _ in range(3):
            go_on.acquire()
            advance(5)
        return {"generation": 7}

    job = jobs.start("rebuild", "books", 12, by(jobs, work))
    assert (job.state, job.done, job.total) == ("running", 0, 12)
    with pytest.raises(Conflict, match="works on index 'books'"):
        Jobs(tmp_path).start("rollback", "books", 1, by(jobs, work))
    go_on.release()
    while (job := jobs.get(job.id)).done < 5:
        time.sleep(0.01)
    assert job.rate > 0
    assert job.seconds_left is not None
    # Another process asks for it.
    assert Jobs(tmp_path).cancel(job.id).state == "running"
    go_on.release()
    last = ended(jobs, job.id)
    # It looks after each step: after the one that was told, if it had not looked yet, or after the next one.
    assert (last.state, last.done in (5, 10), last.seconds_left, last.generation) == ("cancelled", True, None, None)
    for _ in range(3):
        go_on.release()
    last = ended(jobs, jobs.start("rebuild", "books", 12, by(jobs, work)).id)
    assert (last.state, last.done, last.total, last.generation) == ("done", 15, 15, 7)
    for _ in range(3):
        go_on.release()
    # A part of these was there already.
    last = ended(jobs, jobs.start("rebuild", "books", 20, by(jobs, work)).id)
    assert (last.state, last.done, last.total) == ("done", 15, 15)
    with pytest.raises(Conflict, match="has ended: done"):
        jobs.cancel(last.id)


def test_a_job_whose_process_died_is_reported_so(tmp_path: Path) -> None:
    jobs, held = Jobs(tmp_path), threading.Event()

    def work(_: Advance) -> dict[str, Any]:
        held.wait()
        return {"generation": 1}

    alive = jobs.start("rebuild", "books", 1, by(jobs, work))
    # What a process leaves that was killed: a file that says it runs, and a lock that nobody holds.
    state = (tmp_path / ".jobs" / f"{alive.id}.json").read_text()
    (tmp_path / ".jobs" / "dead.json").write_text(state.replace(alive.id, "dead"))
    dead = jobs.get("dead")
    assert (dead.state, dead.error) == ("failed", "the process that did it ended")
    assert jobs.get(alive.id).state == "running"
    held.set()
    assert ended(jobs, alive.id).state == "done"


def test_an_unexpected_error_is_not_told_to_everybody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def work(_: Advance) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    jobs = Jobs(tmp_path)
    last = ended(jobs, jobs.start("rebuild", "books", 1, by(jobs, work)).id)
    assert last.state == "failed"
    assert "secret" not in str(last.error)
    assert "secret" in caplog.text


def test_a_job_that_cannot_be_written_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(jobs_module, "write_durably", full)
    begun: list[str] = []
    with pytest.raises(Unavailable, match="cannot be begun"):
        Jobs(tmp_path).start("rebuild", "books", 1, lambda job, _: begun.append(job))
    assert begun == []
    assert [path.name for path in (tmp_path / ".jobs").iterdir()] == ["lock"]


def test_an_upload_whose_process_died_is_taken_up_again_once(tmp_path: Path) -> None:
    jobs, died = Jobs(tmp_path), []
    job = jobs.start("upload", "books", 1, lambda id_, _: died.append(id_), [("a.txt", io.BytesIO(b"So it is."))])
    assert died == [job.id]
    assert jobs.get(job.id).error == "the process that did it ended"
    seen: list[bytes] = []

    def work(advance: Advance) -> dict[str, Any]:
        seen.append(jobs.given(job.id, 0).read_bytes())
        advance(1, files=[{"file": "a.txt", "documents": [], "error": "told"}])
        return {}

    # Purging leaves what was accepted.
    jobs.forget_ended()
    jobs.take_up(by(jobs, work))
    last = ended(jobs, job.id)
    assert (last.state, last.done, seen) == ("done", 1, [b"So it is."])
    assert [file["error"] for file in last.files or ()] == ["told"]
    again = jobs.start("upload", "books", 1, lambda *_: None, [("b.txt", io.BytesIO(b"It kills whoever reads it."))])
    for _ in range(3):
        jobs.take_up(lambda id_, _: died.append(id_))
    assert died == [job.id, again.id]
    jobs.forget_ended()
    assert jobs.all() == []
    assert [path.name for path in (tmp_path / ".jobs").iterdir()] == ["lock"]


def test_not_more_than_a_few_uploads_at_once(tmp_path: Path) -> None:
    jobs, go_on = Jobs(tmp_path), threading.Event()

    def work(_: Advance) -> dict[str, Any]:
        assert go_on.wait(30)
        return {}

    running = [jobs.start("upload", "books", 0, by(jobs, work), []) for _ in range(2)]
    with pytest.raises(Overloaded, match="2 uploads"):
        jobs.start("upload", "letters", 0, by(jobs, work), [])
    jobs.start("rebuild", "books", 0, by(jobs, work))
    go_on.set()
    assert [ended(jobs, job.id).state for job in running] == ["done", "done"]
    jobs.start("upload", "letters", 0, by(jobs, work), [])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".jobs").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be begun"):
        Jobs(tmp_path).start("rebuild", "books", 1, lambda *_: None)


def test_old_jobs_are_forgotten(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    for _ in range(103):
        last = ended(jobs, jobs.start("rebuild", "books", 1, by(jobs, lambda _: {})).id)
    assert len(jobs.all()) == 101
    assert jobs.all()[0] == last
    with pytest.raises(NotFound):
        jobs.get("none")
