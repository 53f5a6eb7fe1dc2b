from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qa.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthorized, Unavailable
from qa.service.csrf import check_exposure
from qa.service.jobs import Jobs
from qa.service.keys import ANONYMOUS, Keys
from tests.service.conftest import Opener
from tests.service.test_service import DOCUMENT


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_stores_only_the_hash_of_a_key(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    assert keys.authenticate(None, None) is ANONYMOUS
    secret = keys.create("desk", "read", "books")
    file = tmp_path / ".keys.json"
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for values in ((f"Bearer {secret}", None), (f"bearer {secret}", None), (None, secret)):
        key = Keys(tmp_path).authenticate(*values)
        assert (key.name, key.scope, key.index) == ("desk", "read", "books")
    for wrong in ((None, None), (f"Basic {secret}", None), (f"Bearer {secret}x", None), (None, key.sha256), ("", "")):
        with pytest.raises(Unauthorized, match="missing or unknown API key"):
            keys.authenticate(*wrong)


def test_another_process_sees_created_and_revoked_keys(tmp_path: Path) -> None:
    here, there = Keys(tmp_path), Keys(tmp_path)
    first, second = here.create("one", "admin"), here.create("two", "write")
    assert there.authenticate(None, first).name == "one"
    here.revoke("one")
    with pytest.raises(Unauthorized, match="missing or unknown API key"):
        there.authenticate(None, first)
    assert there.authenticate(None, second).name == "two"
    here.revoke("two")
    # Revoking the last key does not make the server accept calls without a key.
    with pytest.raises(Unauthorized, match="missing or unknown API key"):
        there.authenticate(None, None)


def test_rejects_invalid_and_duplicate_keys(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(NotFound, match="'desk' not found"):
        keys.revoke("desk")
    for name, scope, index, field in (
        ("", "read", None, "name"),
        ("desk", "root", None, "scope"),
        ("desk", "read", "../x", "index"),
    ):
        with pytest.raises(InvalidInput) as rejected:
            keys.create(name, scope, index)
        assert rejected.value.field == field
    assert not keys.required()
    keys.create("desk", "read")
    with pytest.raises(Conflict, match="already exists"):
        keys.create("desk", "admin")


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "x"}]'])
def test_rejects_all_calls_if_the_keys_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / ".keys.json").write_text(content)
    with pytest.raises(Unavailable, match=r"\.keys\.json"):
        Keys(tmp_path).authenticate(None, "key")


def test_checks_scope_and_index(tmp_path: Path) -> None:
    keys = Keys(tmp_path, ["master"])
    assert keys.authenticate(None, "master").scope == "admin"
    reader = keys.authenticate(None, keys.create("desk", "read", "books"))
    reader.check_scope("read")
    reader.check_index("books")
    with pytest.raises(Forbidden, match="needs a key with scope 'write'"):
        reader.check_scope("write")
    with pytest.raises(Forbidden, match="'books' only"):
        reader.check_index("default")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_listens_on_loopback_without_a_key(tmp_path: Path, host: str) -> None:
    check_exposure(host, Keys(tmp_path), insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_refuses_to_listen_on_a_network_without_a_key(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidInput, match="without API keys"):
        check_exposure(host, Keys(tmp_path), insecure=False)
    check_exposure(host, Keys(tmp_path), insecure=True)
    check_exposure(host, Keys(tmp_path, ["key"]), insecure=False)


# Calls with a method other than GET that a key with scope read permits.
READABLE = {
    ("POST", "/v1/query"),
    ("POST", "/v1/query/batch"),
    ("POST", "/v1/read"),
    ("POST", "/v1/highlight"),
    ("POST", "/v1/verify"),
    ("POST", "/v1/search"),
    ("POST", "/v1/extract"),
    ("POST", "/v1/extract/jobs"),
    ("POST", "/v1/feedback"),
}
NOT_READABLE = {("GET", "/v1/feedback/export")}
EXTRACTION = {"questions": [{"name": "who", "question": "Who?"}], "index": "books"}
BODIES = {
    "/v1/query": {"question": "Who?", "index": "books"},
    "/v1/query/batch": {"questions": ["Who?"], "index": "books"},
    "/v1/search": {"question": "Who?", "index": "books"},
    "/v1/verify": {"quotes": [{"text": "the library"}], "index": "books"},
    "/v1/highlight": {"question": "Who?", "index": "books", "document_ids": ["hours"]},
    "/v1/extract": EXTRACTION,
    "/v1/extract/jobs": EXTRACTION,
}


def calls(app: FastAPI, prefix: str = "/v1") -> Iterator[tuple[str, str]]:
    for path, methods in app.openapi()["paths"].items():
        if path.startswith(prefix):
            yield from ((method.upper(), path) for method in methods)


def test_every_call_needs_a_key_with_its_scope(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    app = service.app
    assert isinstance(app, FastAPI)
    keys = Keys(tmp_path / "indexes")
    reader, writer = headers(keys.create("reader", "read")), headers(keys.create("writer", "write"))
    checked = 0
    for method, path in calls(app):
        url = path.replace("{id}", "x").replace("{name}", "default")
        assert service.request(method, url).status_code == 401, (method, path)
        is_readable = (method, path) in READABLE or (method == "GET" and (method, path) not in NOT_READABLE)
        status = service.request(method, url, headers=reader).status_code
        assert (status == 403) is not is_readable, (method, path, status)
        is_writable = is_readable or path.startswith(("/v1/documents", "/v1/feedback"))
        status = service.request(method, url, headers=writer).status_code
        assert (status == 403) is not is_writable, (method, path, status)
        checked += 1
    assert checked >= 20


def test_a_key_for_one_index_permits_no_other(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    keys = Keys(tmp_path / "indexes")
    master = headers(keys.create("master", "admin"))
    for name in ("books", "letters"):
        assert service.put(f"/v1/indexes/{name}", headers=master).status_code == 201
        service.post(f"/v1/documents?index={name}", json=DOCUMENT, headers=master)
    letters = headers(keys.create("letters", "admin", "letters"))
    job = service.post("/v1/indexes/books/rebuild", headers=master).json()["id"]
    app = service.app
    assert isinstance(app, FastAPI)
    rejected = 0
    for method, path in calls(app):
        if path in ("/v1/read", "/v1/indexes", "/v1/jobs"):
            continue
        url = path.replace("{name}", "books").replace("{id}", job if "/jobs/" in path else "hours")
        response = service.request(method, f"{url}?index=books", headers=letters, json=BODIES.get(path))
        assert response.status_code == 403, (method, path, response.text)
        rejected += 1
    assert rejected >= 18
    assert [i["name"] for i in service.get("/v1/indexes", headers=letters).json()["indexes"]] == ["letters"]
    assert service.get("/v1/jobs", headers=letters).json()["jobs"] == []
    assert service.get("/v1/documents/hours?index=letters", headers=letters).status_code == 200
    while service.get(f"/v1/jobs/{job}", headers=master).json()["state"] == "running":
        pass


def test_a_key_for_reading_cancels_extractions_only(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    folder = tmp_path / "indexes"
    jobs, reader = Jobs(folder), headers(Keys(folder).create("reader", "read"))
    # The processes of these jobs have died, so they have ended.
    content = {"questions": EXTRACTION["questions"], "revision": 0}
    extraction = jobs.start("extract", "default", 0, lambda *_: None, extraction=content)
    rebuild = jobs.start("rebuild", "default", 0, lambda *_: None)
    assert service.delete(f"/v1/jobs/{extraction.id}", headers=reader).status_code == 409
    assert service.delete(f"/v1/jobs/{rebuild.id}", headers=reader).status_code == 403


def test_limits_the_rate_of_calls(open_service: Opener) -> None:
    service = open_service(api_keys="one,two", rate_limit="3/minute")
    for _ in range(3):
        assert service.get("/v1/documents", headers=headers("one")).status_code == 200
    rejected = service.get("/v1/documents", headers=headers("one"))
    assert (rejected.status_code, rejected.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(rejected.headers["Retry-After"]) <= 60
    assert "3 calls in 1 minute" in rejected.json()["detail"]


def test_each_key_has_its_own_rate_limit(open_service: Opener, tmp_path: Path) -> None:
    service = open_service(rate_limit="2/hour")
    keys = Keys(tmp_path / "indexes")
    for key in (keys.create("one", "read"), keys.create("two", "read")):
        codes = [service.get("/v1/documents", headers=headers(key)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
    assert service.get("/healthz").status_code == 200


@pytest.mark.parametrize("rate", ["", "often", "0/minute", "5/fortnight", "-1/hour", "1/minute\n"])
def test_rejects_an_invalid_rate_limit(rate: str) -> None:
    from qa.config import load_settings

    with pytest.raises(InvalidInput, match="QA_RATE_LIMIT"):
        load_settings(rate_limit=rate)


def test_every_response_has_security_headers(service: TestClient) -> None:
    for path in ("/", "/healthz", "/v1/documents", "/v1/nowhere", "/docs"):
        response = service.get(path, headers={"Origin": "https://elsewhere.example"}).headers
        assert (response["X-Content-Type-Options"], response["X-Frame-Options"]) == ("nosniff", "DENY")
        assert not any(name.lower().startswith("access-control") for name in response)


def test_documents_authentication_errors_of_every_call(service: TestClient) -> None:
    for path, methods in service.get("/openapi.json").json()["paths"].items():
        if path.startswith("/v1"):
            for operation in methods.values():
                assert {"401", "403", "429"} <= set(operation["responses"]), (path, json.dumps(operation)[:80])


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
def test_rejects_cross_site_requests(service: TestClient, sent: dict[str, str]) -> None:
    for response in (
        service.post("/v1/documents/upload", headers=sent, files={"files": ("a.txt", b"planted")}),
        service.post("/v1/indexes/default/rebuild", headers=sent),
        service.put("/v1/indexes/x", headers=sent),
    ):
        assert (response.status_code, response.json()["field"]) == (403, "Origin")
    assert service.get("/v1/documents", headers=sent).json()["documents"] == []


@pytest.mark.parametrize(
    "sent", [{"Sec-Fetch-Site": "same-origin", "Origin": "https://proxied.example"}, {"Origin": "http://127.0.0.1"}, {}]
)
def test_accepts_requests_of_the_page_and_of_programs(service: TestClient, sent: dict[str, str]) -> None:
    assert service.post("/v1/documents", json=DOCUMENT, headers=sent).status_code == 201


def test_rejects_a_foreign_host_name_without_keys(service: TestClient) -> None:
    for host in ("evil.example", "evil.example:8000", "10.0.0.1", "", "[", "[::1"):
        assert service.get("/v1/documents", headers={"Host": host}).status_code == 403
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert service.get("/v1/documents", headers={"Host": host}).status_code == 200
    assert service.get("/healthz", headers={"Host": "evil.example"}).status_code == 200


def test_accepts_any_host_name_with_keys(open_service: Opener) -> None:
    service = open_service(api_keys="secret")
    assert service.get("/v1/documents", headers={"Host": "qa.example", "X-API-Key": "secret"}).status_code == 200
    assert service.get("/v1/documents", headers={"Host": "qa.example"}).status_code == 401
