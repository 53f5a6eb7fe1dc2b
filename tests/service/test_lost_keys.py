"""Once keys have been created, their loss closes the service instead of opening it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import Unauthorized, Unavailable
from qa.service.csrf import check_exposure
from qa.service.keys import ANONYMOUS, Keys
from tests.service.conftest import Opener
from tests.service.test_keys import calls, headers


def test_rejects_every_call_when_the_keys_disappear_from_a_running_server(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    folder = tmp_path / "indexes"
    key = headers(Keys(folder).create("desk", "admin"))
    assert service.get("/v1/documents", headers=key).status_code == 200
    for hidden in folder.glob(".keys*"):
        hidden.unlink()
    for method, path in calls(service.app):  # type: ignore[arg-type]
        for sent in ({}, key):
            url = path.replace("{id}", "x").replace("{name}", "default")
            response = service.request(method, url, headers=sent)
            assert response.status_code == 503, (method, path, response.text)
            assert ".keys.json is missing" in response.json()["detail"]
    assert service.get("/healthz").status_code == 200
    assert service.get("/v1/documents", headers=headers(Keys(folder).create("new", "read"))).status_code == 200


def test_remembers_between_starts_that_keys_were_created(tmp_path: Path) -> None:
    Keys(tmp_path).create("desk", "read")
    (tmp_path / ".keys.json").unlink()
    restarted = Keys(tmp_path)
    assert restarted.required()
    check_exposure("0.0.0.0", restarted, insecure=False)
    with pytest.raises(Unavailable, match="missing, so no key can be checked"):
        restarted.authenticate(None, None)


def test_remembers_keys_that_an_earlier_version_created(tmp_path: Path) -> None:
    Keys(tmp_path).create("desk", "read")
    (tmp_path / ".keys.required").unlink()
    assert Keys(tmp_path).required()
    (tmp_path / ".keys.json").unlink()
    with pytest.raises(Unavailable, match="restore the file"):
        Keys(tmp_path).authenticate(None, None)


def test_serves_without_keys_again_after_their_marker_is_deleted_too(tmp_path: Path) -> None:
    Keys(tmp_path).create("desk", "read")
    for hidden in tmp_path.glob(".keys*"):
        hidden.unlink()
    assert Keys(tmp_path).authenticate(None, None) is ANONYMOUS


def test_requires_keys_where_their_file_cannot_be_looked_up(tmp_path: Path) -> None:
    file = tmp_path / ".keys.json"
    file.symlink_to(file)
    with pytest.raises(Unavailable, match="cannot read the API keys"):
        Keys(tmp_path).authenticate(None, None)
    folder = tmp_path / "a file"
    folder.write_text("")
    with pytest.raises(Unavailable, match="cannot read the API keys"):
        Keys(folder).authenticate(None, None)


def test_a_crash_before_the_first_key_is_written_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / ".keys.required").touch()
    keys = Keys(tmp_path)
    with pytest.raises(Unavailable, match="create a key"):
        keys.authenticate(None, None)
    secret = keys.create("desk", "read")
    assert keys.authenticate(None, secret).name == "desk"
    with pytest.raises(Unauthorized, match="missing or unknown"):
        keys.authenticate(None, None)
