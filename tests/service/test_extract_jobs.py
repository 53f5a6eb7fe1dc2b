"""Jobs that ask the same questions of every document: progress, results, cancellation, and resuming after a crash."""

from __future__ import annotations

import csv
import io
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qa.answering import extraction as extraction_module
from qa.client import Client
from qa.config import Settings
from qa.engine import Engine
from qa.errors import NotFound, Overloaded, Unavailable
from qa.index.questions import search_documents
from qa.reading.reader import Pair
from qa.reading.spans import PassageLogits
from qa.service import app as app_module
from qa.service import background
from qa.service.app import create_app
from qa.service.extract_results import ResultFile
from qa.service.job_types import Job, ReportProgress, StartJob, Work
from qa.service.jobs import Jobs
from qa.types import Document
from qa.wire.extraction import RowOut, row_out
from tests.answering.test_extraction import contract
from tests.conftest import PROCESS_TIMEOUT_S, WordReader, running
from tests.service.test_bad_input import read_problem
from tests.service.test_extract_calls import CAP, FEE
from tests.service.test_jobs import in_thread, wait_for

CONTENT: dict[str, Any] = {"filters": {}, "document_ids": None, "min_confidence": None}


class WaitingReader(WordReader):
    """Reads one batch for each permit."""

    def __init__(self) -> None:
        # A server reads once when it starts.
        self.permits = threading.Semaphore(1)

    def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
        assert self.permits.acquire(timeout=PROCESS_TIMEOUT_S)
        return super().read_batch(pairs)


def extracting(jobs: Jobs, engine: Engine, id: str) -> Work:
    """Return what the process of a job does, with an engine that is loaded already."""

    def work(report_progress: ReportProgress) -> dict[str, Any]:
        background.extract(engine.answerer, jobs, jobs.get(id), report_progress)
        return {}

    return work


def in_this_process(jobs: Jobs, engine: Engine) -> StartJob:
    """Return a function that runs extractions in threads."""
    return lambda job, lock: in_thread(jobs, extracting(jobs, engine, job))(job, lock)


@contextmanager
def serving_in_threads(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Run the service; its jobs run in threads, because their processes would load the shipped models."""
    jobs = Jobs(engine.indexes.folder)
    monkeypatch.setattr(app_module, "job_process_starter", lambda _: in_this_process(jobs, engine))
    app = create_app(Settings(index_dir=engine.indexes.folder), engine)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def contracts(word_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Ten contracts; each is a batch."""
    monkeypatch.setattr(extraction_module, "_CELLS", 1)
    word_engine.add([contract(n) for n in range(10)])
    return word_engine


def rows_of(engine: Engine) -> list[RowOut]:
    names = {"fee": FEE["question"], "cap": CAP["question"]}
    return [row_out(row) for row in engine.extract(names)]


def parse_rows(text: str) -> list[RowOut]:
    return [RowOut.model_validate_json(line) for line in text.splitlines()]


def follow(service: TestClient, location: str) -> dict[str, Any]:
    while (job := service.get(location).json())["state"] == "running":
        time.sleep(0.01)
    last: dict[str, Any] = job
    return last


def test_a_job_writes_the_rows_of_every_document(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_in_threads(contracts, monkeypatch) as service:
        response = service.post("/v1/extract/jobs", json={"questions": [FEE, CAP]})
        assert response.status_code == 202
        started = response.json()
        assert (started["kind"], started["state"], started["total"], started["revision"]) == (
            "extract",
            "running",
            10,
            10,
        )
        assert started["questions"] == [FEE, CAP]
        location = response.headers["location"]
        job = follow(service, location)
        assert (job["state"], job["done"], job["total"], job["error"]) == ("done", 10, 10, None)
        ndjson = service.get(f"{location}/result")
        assert ndjson.headers["content-type"] == "application/x-ndjson"
        assert parse_rows(ndjson.text) == rows_of(contracts)
        table = service.get(f"{location}/result", params={"format": "csv"})
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        assert f"extraction-{job['id']}.csv" in table.headers["content-disposition"]
        header, *lines = csv.reader(io.StringIO(table.text, newline=""))
        assert header[4:6] == ["fee", "fee status"]
        assert [line[0] for line in lines] == [f"c{n:02}" for n in range(10)]
        assert lines[3][4:6] == ["The yearly fee is 300 euros.", "answered"]
        assert read_problem(service.get(f"{location}/result", params={"format": "xml"})) == (422, "format")
        assert read_problem(service.get("/v1/jobs/none/result")) == (404, "id")


def test_the_result_grows_while_the_job_runs_and_stays_when_it_is_cancelled(
    contracts: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = WaitingReader()
    waiting = Engine(contracts.documents, reader, contracts.calibration)
    with serving_in_threads(waiting, monkeypatch) as service:
        location = service.post("/v1/extract/jobs", json={"questions": [FEE]}).headers["location"]
        # Each contract is read in one round or more, so most of them cannot be done.
        reader.permits.release(6)
        while (job := service.get(location).json())["done"] < 1:
            time.sleep(0.01)
        assert (job["state"], job["total"]) == ("running", 10)
        assert job["rate"] > 0
        partial = parse_rows(service.get(f"{location}/result").text)
        assert partial[0].document_id == "c00"
        assert len(partial) < 10
        assert service.delete(location).status_code == 202
        reader.permits.release(100)
        assert follow(service, location)["state"] == "cancelled"
        last = parse_rows(service.get(f"{location}/result").text)
        assert 1 <= len(last) < 10
        assert last[: len(partial)] == partial
        assert len(service.get(f"{location}/result", params={"format": "csv"}).text.splitlines()) == len(last) + 1


def test_a_document_added_while_a_job_runs_is_left_out(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = WaitingReader()
    waiting = Engine(contracts.documents, reader, contracts.calibration)
    with serving_in_threads(waiting, monkeypatch) as service:
        response = service.post("/v1/extract/jobs", json={"questions": [FEE]})
        contracts.add([Document("zz", "The yearly fee is 1 euro.")])
        reader.permits.release(100)
        job = follow(service, response.headers["location"])
        rows = parse_rows(service.get(f"{response.headers['location']}/result").text)
        assert (job["revision"], {row.revision for row in rows}) == (10, {10})
        assert [row.document_id for row in rows] == [f"c{n:02}" for n in range(10)]


def test_only_extractions_have_a_result(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(contracts.indexes.folder)
    job = wait_for(jobs, jobs.start("rebuild", "default", 1, in_thread(jobs, lambda _: {})).id)
    with serving_in_threads(contracts, monkeypatch) as service:
        assert read_problem(service.get(f"/v1/jobs/{job.id}/result")) == (404, "id")
        assert service.get(f"/v1/jobs/{job.id}").json()["questions"] is None


def start_extraction(jobs: Jobs, start_job: StartJob, engine: Engine | None = None) -> Job:
    mark = "-"
    if engine:
        with engine.indexes.get("default").catalog.read() as transaction:
            mark = transaction.mark_of(10) or ""
    content = {**CONTENT, "questions": [FEE, CAP], "revision": 10, "mark": mark}
    return jobs.start("extract", "default", 10, start_job, extraction=content)


def test_an_interrupted_job_resumes_where_it_was(contracts: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, expected = Jobs(contracts.indexes.folder), rows_of(contracts)
    # The process of this job dies before it does anything.
    job = start_extraction(jobs, lambda *_: None, contracts)
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("failed", "the job was interrupted: its process died")
    path = contracts.indexes.folder / ".jobs" / f"{job.id}.rows"
    # It wrote three rows and a part of the fourth.
    whole = "".join(f"{row.model_dump_json()}\n" for row in expected)
    lines = whole.splitlines(keepends=True)
    path.write_text("".join(lines[:3]) + lines[3][:50])
    read: list[str] = []

    def record(*arguments: Any) -> Any:
        found = search_documents(*arguments)
        read.extend(document.info.id for document in found)
        return found

    monkeypatch.setattr(extraction_module, "search_documents", record)
    jobs.resume_interrupted(in_this_process(jobs, contracts))
    last = wait_for(jobs, job.id)
    assert (last.state, last.done, last.total) == ("done", 10, 10)
    assert path.read_text() == whole
    # The first three were not read again.
    assert read == [f"c{n:02}" for n in range(3, 10)]
    # A job that has ended is not resumed.
    jobs.resume_interrupted(lambda *_: pytest.fail("resumed"))


def test_is_resumed_only_as_long_as_it_has_new_rows(tmp_path: Path) -> None:
    jobs, started = Jobs(tmp_path), []
    job = start_extraction(jobs, lambda *_: None)

    def resume() -> int:
        jobs.resume_interrupted(lambda id_, _: started.append(id_))
        return len(started)

    # It may die at once for a reason that is gone, such as a full memory.
    assert [resume(), resume()] == [1, 1]
    (tmp_path / ".jobs" / f"{job.id}.rows").write_bytes(b"{}\n")
    assert [resume(), resume()] == [2, 2]
    # Rows may quote documents that were removed, so purging deletes them.
    jobs.delete_ended()
    assert [path.name for path in (tmp_path / ".jobs").iterdir()] == ["lock"]


def test_limits_the_number_of_running_extractions(contracts: Engine) -> None:
    jobs, reader = Jobs(contracts.indexes.folder), WaitingReader()
    start_job = in_this_process(jobs, Engine(contracts.documents, reader, contracts.calibration))
    running_jobs = [start_extraction(jobs, start_job, contracts) for _ in range(2)]
    with pytest.raises(Overloaded, match="2 extractions are already running"):
        start_extraction(jobs, start_job)
    # Other kinds of jobs are not affected.
    wait_for(jobs, jobs.start("rebuild", "default", 0, in_thread(jobs, lambda _: {})).id)
    reader.permits.release(500)
    assert [wait_for(jobs, job.id).state for job in running_jobs] == ["done", "done"]


def test_a_job_whose_index_is_deleted_fails_with_the_reason(word_engine: Engine) -> None:
    jobs = Jobs(word_engine.indexes.folder)
    content = {**CONTENT, "questions": [FEE], "revision": 0, "mark": "-"}
    job = jobs.start("extract", "gone", 0, in_this_process(jobs, word_engine), extraction=content)
    last = wait_for(jobs, job.id)
    assert last.state == "failed"
    assert "index 'gone' not found" in str(last.error)


def test_a_job_whose_index_was_replaced_does_not_mix_the_two(contracts: Engine) -> None:
    jobs = Jobs(contracts.indexes.folder)
    job = start_extraction(jobs, in_this_process(jobs, contracts))
    last = wait_for(jobs, job.id)
    assert (last.state, jobs.result(job.id).size()) == ("failed", 0)
    assert "index 'default' was replaced since the job began" in str(last.error)


def test_a_result_that_cannot_be_written_is_reported(tmp_path: Path, contracts: Engine) -> None:
    row = rows_of(contracts)[0]
    (tmp_path / "taken").mkdir()
    with pytest.raises(Unavailable, match="cannot write the result"):
        ResultFile(tmp_path / "taken").append([row])
    missing = ResultFile(tmp_path / "missing")
    assert (missing.size(), list(missing.lines()), missing.recover()) == (0, [], (0, None))
    with pytest.raises(NotFound, match=r"job '\.\./x' not found"):
        Jobs(tmp_path).result("../x")


def _process_of(job: str) -> int | None:
    """Return the process id of a job."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"qa.service.background\0{job}\0".encode() in path.read_bytes():
                return int(path.parent.name)
        except OSError:
            continue
    return None


def _wait_for_rows(client: Client, job: str, count: int) -> int:
    """Wait until a job has written a number of rows; return the id of its process."""
    deadline = time.monotonic() + 10 * PROCESS_TIMEOUT_S
    while client.job(job).done < count or (process := _process_of(job)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.slow
def test_a_killed_job_is_finished_by_its_server_or_by_the_next(shipped: Engine, tmp_path: Path) -> None:
    with shipped.in_folder(tmp_path) as engine:
        engine.indexes.get_or_create("default")
        engine.add([contract(4 * n) for n in range(200)])
        expected = list(engine.extract(["yearly fee", "notice period"]))
    with running(tmp_path) as (url, _), Client(url) as client:
        job = client.extract_later(["yearly fee", "notice period"]).id
        first = _wait_for_rows(client, job, 1)
        os.kill(first, signal.SIGKILL)
        # Its server starts it again.
        second = _wait_for_rows(client, job, 60)
        assert second != first
    # The job outlives its server.
    os.kill(second, signal.SIGKILL)
    with running(tmp_path) as (url, _), Client(url) as client:
        assert _wait_for_rows(client, job, 61) != second
        while (state := client.job(job)).state == "running":
            time.sleep(0.1)
        assert (state.state, state.done, state.total) == ("done", 200, 200)
        assert client.extracted_rows(job) == expected
        assert len(list(csv.reader(io.StringIO(client.extracted_csv(job), newline="")))) == 201
