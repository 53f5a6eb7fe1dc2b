from __future__ import annotations

import io
import json
import os
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.errors import Conflict, NotFound, Overloaded, Unavailable
from qa.index.registry import Indexes
from qa.indexing.indexer import Indexer
from qa.service import background, job_events
from qa.service import jobs as jobs_module
from qa.service.job_types import Job, ReportProgress, StartJob, Work
from qa.service.jobs import Jobs
from tests.conftest import EMBEDDER, SPECIFICATION
from tests.service.conftest import Opener
from tests.service.test_file_downloads import MANUAL


@pytest.fixture(autouse=True)
def short_poll_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "_INTERVAL_S", 0.01)


def in_thread(jobs: Jobs, work: Work) -> StartJob:
    """Return a function that runs jobs in a thread that keeps the lock, like a process that inherited it."""

    def start_job(id: str, lock: int) -> None:
        inherited = os.dup(lock)

        def run() -> None:
            jobs.run(id, work)
            os.close(inherited)

        threading.Thread(target=run, daemon=True).start()

    return start_job


def wait_for(jobs: Jobs, id: str) -> Job:
    while (job := jobs.get(id)).state == "running":
        time.sleep(0.01)
    return job


def test_rebuilds_over_http(service: TestClient) -> None:
    documents = [{"id": f"d{n}", "text": f"Mill {n} was built in {1700 + n}."} for n in range(20)]
    service.post("/v1/documents", json=documents)
    question = {"question": "When was mill 7 built?", "min_confidence": 0}
    before = service.post("/v1/query", json=question).json()
    rollback = service.post("/v1/indexes/default/rollback")
    assert rollback.status_code == 202
    assert "event: failed" in service.get(f"{rollback.headers['location']}/events").text
    response = service.post("/v1/indexes/default/rebuild")
    assert response.status_code == 202
    location = response.headers["location"]
    events = service.get(f"{location}/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    states: list[dict[str, Any]] = [
        json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")
    ]
    assert (states[-1]["state"], states[-1]["done"], states[-1]["generation"]) == ("done", 20, 2)
    assert f"event: {states[-1]['state']}" in events.text
    assert service.get(location).json() == states[-1]
    after = service.post("/v1/query", json=question).json()
    assert after["generation"] == 2
    assert [a["answer"] for a in after["answers"]] == [a["answer"] for a in before["answers"]]
    kinds = [(job["kind"], job["state"]) for job in service.get("/v1/jobs").json()["jobs"]]
    assert kinds == [("rebuild", "done"), ("rollback", "failed")]
    assert "no previous generation" in service.get("/v1/jobs").json()["jobs"][1]["error"]
    assert service.delete(location).status_code == 409
    assert service.post("/v1/indexes/none/rebuild").status_code == 404
    for path in ("/v1/jobs/none", "/v1/jobs/none/events", "/v1/jobs/..%2F..%2Fetc"):
        assert service.get(path).status_code == 404


def test_jobs_need_a_key(open_service: Opener) -> None:
    locked = open_service(api_keys="secret")
    assert locked.post("/v1/indexes/default/rebuild").status_code == 401
    assert locked.get("/v1/jobs").status_code == 401


def test_reports_progress_and_cancels(tmp_path: Path) -> None:
    jobs, proceed = Jobs(tmp_path), threading.Semaphore(0)

    def work(report_progress: ReportProgress) -> dict[str, Any]:
        for _ in range(3):
            proceed.acquire()
            report_progress(5)
        return {"generation": 7}

    job = jobs.start("rebuild", "books", 12, in_thread(jobs, work))
    assert (job.state, job.done, job.total) == ("running", 0, 12)
    with pytest.raises(Conflict, match="is running on index 'books'"):
        Jobs(tmp_path).start("rollback", "books", 1, in_thread(jobs, work))
    proceed.release()
    while (job := jobs.get(job.id)).done < 5:
        time.sleep(0.01)
    assert job.rate > 0
    assert job.seconds_left is not None
    # Another process cancels the job.
    assert Jobs(tmp_path).cancel(job.id).state == "running"
    proceed.release()
    last = wait_for(jobs, job.id)
    # A job checks for cancellation after each step: here after the step that was just reported, or after the next one.
    assert (last.state, last.done in (5, 10), last.seconds_left, last.generation) == ("cancelled", True, None, None)
    for _ in range(3):
        proceed.release()
    last = wait_for(jobs, jobs.start("rebuild", "books", 12, in_thread(jobs, work)).id)
    assert (last.state, last.done, last.total, last.generation) == ("done", 15, 15, 7)
    for _ in range(3):
        proceed.release()
    # Fewer documents than announced were left to process.
    last = wait_for(jobs, jobs.start("rebuild", "books", 20, in_thread(jobs, work)).id)
    assert (last.state, last.done, last.total) == ("done", 15, 15)
    with pytest.raises(Conflict, match=r"already ended \(done\)"):
        jobs.cancel(last.id)


def test_reports_a_job_whose_process_died_as_failed(tmp_path: Path) -> None:
    jobs, proceed = Jobs(tmp_path), threading.Event()

    def work(_: ReportProgress) -> dict[str, Any]:
        proceed.wait()
        return {"generation": 1}

    alive = jobs.start("rebuild", "books", 1, in_thread(jobs, work))
    # A killed process leaves a state file with state "running", and a free lock.
    state = (tmp_path / ".jobs" / f"{alive.id}.json").read_text()
    (tmp_path / ".jobs" / "dead.json").write_text(state.replace(alive.id, "dead"))
    dead = jobs.get("dead")
    assert (dead.state, dead.error) == ("failed", "the job was interrupted: its process died")
    assert jobs.get(alive.id).state == "running"
    proceed.set()
    assert wait_for(jobs, alive.id).state == "done"


def test_logs_an_unexpected_error_without_exposing_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def work(_: ReportProgress) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    jobs = Jobs(tmp_path)
    last = wait_for(jobs, jobs.start("rebuild", "books", 1, in_thread(jobs, work)).id)
    assert last.state == "failed"
    assert "secret" not in str(last.error)
    assert "secret" in caplog.text


def test_does_not_start_a_job_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(jobs_module, "write_durably", fail)
    started: list[str] = []
    with pytest.raises(Unavailable, match="cannot start the job"):
        Jobs(tmp_path).start("rebuild", "books", 1, lambda job, _: started.append(job))
    assert started == []
    assert [path.name for path in (tmp_path / ".jobs").iterdir()] == ["lock"]


def test_resumes_an_interrupted_upload_once(tmp_path: Path) -> None:
    jobs, started = Jobs(tmp_path), []
    job = jobs.start("upload", "books", 1, lambda id_, _: started.append(id_), [("a.txt", io.BytesIO(b"So it is."))])
    assert started == [job.id]
    assert jobs.get(job.id).error == "the job was interrupted: its process died"
    contents: list[bytes] = []

    def work(report_progress: ReportProgress) -> dict[str, Any]:
        contents.append(jobs.upload_path(job.id, 0).read_bytes())
        report_progress(1, files=[{"file": "a.txt", "documents": [], "error": "not a text"}])
        return {}

    # Purging keeps interrupted uploads, which were accepted.
    jobs.delete_ended()
    jobs.resume_interrupted(in_thread(jobs, work))
    last = wait_for(jobs, job.id)
    assert (last.state, last.done, contents) == ("done", 1, [b"So it is."])
    assert [file["error"] for file in last.files or ()] == ["not a text"]
    again = jobs.start(
        "upload", "books", 1, lambda *_: None, [("b.txt", io.BytesIO(b"It kills every process that reads it."))]
    )
    for _ in range(3):
        jobs.resume_interrupted(lambda id_, _: started.append(id_))
    assert started == [job.id, again.id]
    jobs.delete_ended()
    assert jobs.all() == []
    assert [path.name for path in (tmp_path / ".jobs").iterdir()] == ["lock"]


def test_limits_the_number_of_running_uploads(tmp_path: Path) -> None:
    jobs, proceed = Jobs(tmp_path), threading.Event()

    def work(_: ReportProgress) -> dict[str, Any]:
        assert proceed.wait(30)
        return {}

    running = [jobs.start("upload", "books", 0, in_thread(jobs, work), []) for _ in range(2)]
    with pytest.raises(Overloaded, match="2 uploads"):
        jobs.start("upload", "letters", 0, in_thread(jobs, work), [])
    jobs.start("rebuild", "books", 0, in_thread(jobs, work))
    proceed.set()
    assert [wait_for(jobs, job.id).state for job in running] == ["done", "done"]
    jobs.start("upload", "letters", 0, in_thread(jobs, work), [])


def test_reports_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".jobs").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot start the job"):
        Jobs(tmp_path).start("rebuild", "books", 1, lambda *_: None)


def test_deletes_old_jobs(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    for _ in range(103):
        last = wait_for(jobs, jobs.start("rebuild", "books", 1, in_thread(jobs, lambda _: {})).id)
    assert len(jobs.all()) == 101
    assert jobs.all()[0] == last
    with pytest.raises(NotFound, match="job 'none' not found"):
        jobs.get("none")


def test_follows_the_pages_of_a_file_before_the_first_is_done(tmp_path: Path) -> None:
    jobs, proceed = Jobs(tmp_path), threading.Semaphore(0)

    def work(report_progress: ReportProgress) -> dict[str, Any]:
        report_progress(0, page=2, pages=9)
        assert proceed.acquire(timeout=30)
        return {}

    id = jobs.start("upload", "books", 1, in_thread(jobs, work), [("a.pdf", io.BytesIO(b"a scan"))]).id
    while (job := jobs.get(id)).page is None:
        time.sleep(0.01)
    assert (job.state, job.page, job.pages, job.done, job.seconds_left) == ("running", 2, 9, 0, None)
    proceed.release()
    last = wait_for(jobs, id)
    assert (last.state, last.page, last.pages) == ("done", None, None)


def test_an_upload_reports_pages_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_PAGE_INTERVAL_S", 0.0)
    reports: list[tuple[int, dict[str, Any]]] = []

    def record(finished: int, **changes: Any) -> None:
        reports.append((finished, changes))

    jobs, folder = Jobs(tmp_path), tmp_path / "indexes"
    files = [("manual.pdf", io.BytesIO(MANUAL)), ("note.txt", io.BytesIO(b"The pump is green."))]
    job = jobs.start("upload", "books", 2, lambda *_: None, files)
    with closing(Indexes(folder, SPECIFICATION)) as indexes:
        indexer = Indexer(indexes, EMBEDDER)
        background._upload(indexer, jobs, job, record, ocr=False)
        assert [info.file and info.file.name for info in indexer(index="books")] == ["manual.pdf", "note.txt"]
    *pages, (finished, outcome) = reports
    assert [changes for _, changes in pages] == [{"page": page, "pages": 3} for page in (1, 2, 3)]
    assert (finished, outcome["page"], outcome["pages"]) == (2, None, None)
    assert [[part["page"] for part in file["unread"]] for file in outcome["files"]] == [[3], []]


def test_reads_the_jobs_of_earlier_versions(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = wait_for(jobs, jobs.start("rebuild", "books", 1, in_thread(jobs, lambda _: {})).id)
    path = tmp_path / ".jobs" / f"{job.id}.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({name: state[name] for name in state if name not in ("columns", "page", "pages")}))
    assert jobs.get(job.id) == job
