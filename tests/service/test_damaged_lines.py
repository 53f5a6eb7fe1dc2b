"""One damaged line or file costs what it held, not the whole call."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from qa.service.jobs import Jobs
from tests.service.conftest import Opener

DAMAGED_LINES = [
    b"\x00\x00\x00\n",
    b"{\n",
    b"null\n",
    b"[1]\n",
    b'[{"id": "x"}]\n',
    b"\xff\xfe\n",
    b"[" * 100_000 + b"\n",
]


@pytest.mark.parametrize("damage", DAMAGED_LINES, ids=range(len(DAMAGED_LINES)))
def test_skips_a_damaged_line_of_feedback(
    open_service: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    service = open_service()
    service.post("/v1/documents", json={"id": "kettle", "text": "The kettle is blue."})
    log = tmp_path / "indexes" / "default" / "feedback.jsonl"
    for question in ("Who?", "When?"):
        feedback = {"question": question, "document_id": "kettle", "verdict": "unanswerable"}
        assert service.post("/v1/feedback", json=feedback).status_code == 201
        log.write_bytes(log.read_bytes() + damage)
    with caplog.at_level(logging.WARNING):
        response = service.get("/v1/feedback/export")
    assert response.status_code == 200
    (article,) = response.json()["data"]
    assert [entry["question"] for entry in article["paragraphs"][0]["qas"]] == ["Who?", "When?"]
    assert "feedback.jsonl: line 2 is damaged, and is skipped" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"done": "many"},
        {"started_at": None},
        {"state": 7},
        {"files": [1]},
        {"files": [{"file": None}]},
        {"unknown": 1},
        None,
    ],
    ids=str,
)
def test_skips_a_damaged_job(
    open_service: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, Any] | None
) -> None:
    jobs = Jobs(tmp_path / "indexes")
    good, damaged = (jobs.start("rollback", name, 1, lambda *_: None) for name in ("default", "other"))
    path = tmp_path / "indexes" / ".jobs" / f"{damaged.id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    service = open_service()
    with caplog.at_level(logging.WARNING):
        response = service.get("/v1/jobs")
    assert (response.status_code, [job["id"] for job in response.json()["jobs"]]) == (200, [good.id])
    assert service.get(f"/v1/jobs/{damaged.id}").status_code == 404
    assert f"{damaged.id}.json cannot be read" in caplog.text


def test_reads_front_matter_with_a_number_too_long_to_print(open_service: Opener) -> None:
    service = open_service()
    for name, content in (
        ("a.md", f"---\nn: 0x{'f' * 4096}\n---\nThe cup is red.\n"),
        ("b.md", f"+++\nn = 0x{'f' * 4096}\n+++\nThe mat is red.\n"),
    ):
        uploaded = service.post("/v1/documents/upload", files={"files": (name, content.encode())})
        assert uploaded.status_code == 200
        assert uploaded.json()["files"][0]["error"] is None
    for document in service.get("/v1/documents").json()["documents"]:
        assert document["meta"]["n"] == f"0x{'f' * 4096}"
