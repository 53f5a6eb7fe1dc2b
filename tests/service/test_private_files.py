"""Only the owner of an index may read its files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.service.keys import Keys
from tests.service.conftest import Opener


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The most permissive mask: what is private then is private by its own mode."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_index_folders_and_files_are_private(open_service: Opener, tmp_path: Path) -> None:
    service = open_service(rate_limit="100/hour")
    document = {"id": "kettle", "text": "The kettle is blue."}
    added = service.post("/v1/documents", json=document, headers={"Idempotency-Key": "once"})
    assert added.status_code == 201
    feedback = {"question": "Who?", "document_id": "kettle", "verdict": "unanswerable"}
    assert service.post("/v1/feedback", json=feedback).status_code == 201
    assert service.post("/v1/query", json={"question": "What colour is the kettle?"}).status_code == 200
    upload = service.post(
        "/v1/documents/upload", files={"files": ("a.txt", b"The cup is red.")}, headers={"Prefer": "respond-async"}
    )
    assert "event: done" in service.get(f"{upload.headers['location']}/events").text
    folder = tmp_path / "indexes"
    Keys(folder).create("desk", "read")
    modes = {path.relative_to(folder): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    folders = [path for path in modes if (folder / path).is_dir()]
    assert {str(path): oct(modes[path]) for path in folders if len(path.parts) == 1 and modes[path] != 0o700} == {}
    # Locks are empty. The library that writes postings sets no mode, and the folder around them is private.
    files = [path for path in modes if (folder / path).is_file() and (folder / path).stat().st_size]
    exposed = {str(path): oct(modes[path]) for path in files if modes[path] != 0o600 and "lexical" not in str(path)}
    assert exposed == {}
    assert len(files) > 5
