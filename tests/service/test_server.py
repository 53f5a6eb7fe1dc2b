"""The service as processes: several workers with shared state, and graceful shutdown."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

import qa
from qa.client import Client
from qa.errors import QAError, RateLimited
from qa.results import Status
from qa.service.keys import Keys
from qa.wire.documents import DocumentIn
from tests.conftest import PROCESS_TIMEOUT_S, running

pytestmark = pytest.mark.slow


def test_workers_share_keys_jobs_metrics_and_rate_limits(tmp_path: Path) -> None:
    with running(tmp_path, workers=2, rate_limit="40/hour") as (url, _):
        key = Keys(tmp_path).create("desk", "admin")
        questions = 12
        with Client(url, key=key) as first:
            first.add([DocumentIn(id="kettle", text="The kettle is blue.")])
        for _ in range(questions):
            # Either worker may accept a new connection.
            with Client(url, key=key) as client:
                assert client.ask("What colour is the kettle?", min_confidence=0).answers[0].text == "blue"
        with Client(url, key=key) as client:
            job = client.rebuild("default")
        while job.state == "running":
            time.sleep(0.2)
            with Client(url, key=key) as client:
                job = client.job(job.id)
        assert (job.state, job.generation) == ("done", 2)
        with Client(url, key=key, retries=0) as client:
            response = client._http.get("/metrics")
        counted = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }
        assert sum(counted.get(("qa_questions_total", status), 0) for status in get_args(Status)) == questions
        assert counted["qa_requests_total", "POST", "/v1/query", "200"] == questions
        assert (counted["qa_inside", "questions"], counted["qa_index_generation", "default"]) == (0, 2)
        calls = 0
        try:
            while calls < 40:
                with Client(url, key=key, retries=0) as client:
                    client.indexes()
                calls += 1
        except RateLimited:
            pass
        # The limit applies to both workers together, and the questions above count too.
        assert calls < 40 - questions


def test_reports_workers_that_fail_to_start(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("qa")), "serve", "--workers", "2", "--port", "0"]
    environment = {**os.environ, "QA_INDEX_DIR": str(tmp_path), "QA_READER": str(tmp_path / "nowhere")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PROCESS_TIMEOUT_S)
    assert (done.returncode, "nowhere" in done.stderr) == (1, True)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_reports_a_port_that_is_in_use(tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        command = [str(Path(sys.executable).with_name("qa")), "serve", "--workers", workers, "--port", port]
        environment = {**os.environ, "QA_INDEX_DIR": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PROCESS_TIMEOUT_S)
    assert (done.returncode, f"127.0.0.1:{port}: the server failed to start" in done.stderr) == (1, True)


def test_drains_after_sigterm(tmp_path: Path) -> None:
    with running(tmp_path, drain_seconds=2) as (url, process), Client(url, retries=0) as client:
        client.add([DocumentIn(id="kettle", text="The kettle is blue.")])
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while client._http.get("/readyz").status_code == 200:
            assert time.monotonic() < deadline
        # It is not ready, but still serves.
        assert client.health().status == "ok"
        assert client.ask("What colour is the kettle?", min_confidence=0).answers[0].text == "blue"
        assert process.wait(PROCESS_TIMEOUT_S) in (0, -signal.SIGTERM)


def test_ctrl_c_stops_the_server_without_an_error(tmp_path: Path) -> None:
    with running(tmp_path) as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(PROCESS_TIMEOUT_S) == 0


def test_loses_no_acknowledged_write_when_stopped_under_load(tmp_path: Path) -> None:
    acknowledged: list[str] = []

    def write(url: str, writer: int) -> None:
        with Client(url, retries=0) as client:
            try:
                for number in range(1000):
                    id = f"{writer}-{number}"
                    client.add([DocumentIn(id=id, text=f"Mill {number} of {writer} stands by the river.")])
                    acknowledged.append(id)
            except QAError:
                pass

    with running(tmp_path) as (url, process):
        writers = [threading.Thread(target=write, args=(url, writer)) for writer in range(4)]
        for writer in writers:
            writer.start()
        while len(acknowledged) < 20:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for writer in writers:
            writer.join()
    engine = qa.open(tmp_path)
    stored = {info.id for info in engine.documents.all()}
    engine.close()
    assert len(acknowledged) >= 20
    assert set(acknowledged) <= stored
