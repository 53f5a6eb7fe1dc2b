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
from qa.service.keys import ANYONE, Keys
from tests.service.conftest import Opener
from tests.service.test_service import DOCUMENT


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    assert keys.bearer(None, None) is ANYONE
    made = keys.create("desk", "read", "books")
    file = tmp_path / ".keys.json"
    assert made not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for given in ((f"Bearer {made}", None), (f"bearer {made}", None), (None, made)):
        found = Keys(tmp_path).bearer(*given)
        assert (found.name, found.scope, found.index) == ("desk", "read", "books")
    for wrong in ((None, None), (f"Basic {made}", None), (f"Bearer {made}x", None), (None, found.sha256), ("", "")):
        with pytest.raises(Unauthorized):
            keys.bearer(*wrong)


def test_another_process_sees_what_was_made_and_revoked(tmp_path: Path) -> None:
    here, there = Keys(tmp_path), Keys(tmp_path)
    one, two = here.create("one", "admin"), here.create("two", "write")
    assert there.bearer(None, one).name == "one"
    here.revoke("one")
    with pytest.raises(Unauthorized):
        there.bearer(None, one)
    assert there.bearer(None, two).name == "two"
    here.revoke("two")
    # A server does not open up because its last key is gone.
    with pytest.raises(Unauthorized):
        there.bearer(None, None)


def test_what_cannot_be_made(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(NotFound):
        keys.revoke("desk")
    for name, scope, index, field in (
        ("", "read", None, "name"),
        ("desk", "root", None, "scope"),
        ("desk", "read", "../x", "index"),
    ):
        with pytest.raises(InvalidInput) as refused:
            keys.create(name, scope, index)
        assert refused.value.field == field
    assert not keys.required()
    keys.create("desk", "read")
    with pytest.raises(Conflict):
        keys.create("desk", "admin")


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "x"}]'])
def test_keys_that_cannot_be_read_let_nobody_in(tmp_path: Path, content: str) -> None:
    (tmp_path / ".keys.json").write_text(content)
    with pytest.raises(Unavailable, match=r"\.keys\.json"):
        Keys(tmp_path).bearer(None, "key")


def test_scopes(tmp_path: Path) -> None:
    keys = Keys(tmp_path, ["master"])
    assert keys.bearer(None, "master").scope == "admin"
    reader = keys.bearer(None, keys.create("desk", "read", "books"))
    reader.check_scope("read")
    reader.check_index("books")
    with pytest.raises(Forbidden, match="takes one for write"):
        reader.check_scope("write")
    with pytest.raises(Forbidden, match="'books' only"):
        reader.check_index("default")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_without_a_key_this_machine_may_listen_to_itself(tmp_path: Path, host: str) -> None:
    check_exposure(host, Keys(tmp_path), insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_and_to_nobody_else_unless_that_is_meant(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidInput, match="no key is needed"):
        check_exposure(host, Keys(tmp_path), insecure=False)
    check_exposure(host, Keys(tmp_path), insecure=True)
    check_exposure(host, Keys(tmp_path, ["key"]), insecure=False)


# What a key for reading may call with another method than GET.
FOR_READERS = {
    ("POST", "/v1/query"),
    ("POST", "/v1/query/batch"),
    ("POST", "/v1/read"),
    ("POST", "/v1/search"),
    ("POST", "/v1/feedback"),
}
NOT_FOR_READERS = {("GET", "/v1/feedback/export")}
BODIES = {
    "/v1/query": {"question": "Who?", "index": "books"},
    "/v1/query/batch": {"questions": ["Who?"], "index": "books"},
    "/v1/search": {"question": "Who?", "index": "books"},
}


def calls(app: FastAPI, prefix: str = "/v1") -> Iterator[tuple[str, str]]:
    described = app.openapi()["paths"]
    for path, methods in described.items():
        if path.startswith(prefix):
            yield from ((method.upper(), path) for method in methods)


def test_every_call_needs_a_key_and_its_scope(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    app = service.app
    assert isinstance(app, FastAPI)
    keys = Keys(tmp_path / "indexes")
    reader, writer = headers(keys.create("reader", "read")), headers(keys.create("writer", "write"))
    seen = 0
    for method, path in calls(app):
        place = path.replace("{id}", "x").replace("{name}", "default")
        assert service.request(method, place).status_code == 401, (method, path)
        for_readers = (method, path) in FOR_READERS or (method == "GET" and (method, path) not in NOT_FOR_READERS)
        status = service.request(method, place, headers=reader).status_code
        assert (status == 403) is not for_readers, (method, path, status)
        for_writers = for_readers or path.startswith(("/v1/documents", "/v1/feedback"))
        status = service.request(method, place, headers=writer).status_code
        assert (status == 403) is not for_writers, (method, path, status)
        seen += 1
    assert seen >= 20


def test_a_key_for_one_index_opens_no_other(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    keys = Keys(tmp_path / "indexes")
    master = headers(keys.create("master", "admin"))
    for name in ("books", "letters"):
        assert service.put(f"/v1/indexes/{name}", headers=master).status_code == 201
        service.post(f"/v1/documents?index={name}", json=DOCUMENT, headers=master)
    one = headers(keys.create("letters", "admin", "letters"))
    job = service.post("/v1/indexes/books/rebuild", headers=master).json()["id"]
    app = service.app
    assert isinstance(app, FastAPI)
    refused = 0
    for method, path in calls(app):
        if path in ("/v1/read", "/v1/indexes", "/v1/jobs"):
            continue
        place = path.replace("{name}", "books").replace("{id}", job if "/jobs/" in path else "hours")
        response = service.request(method, f"{place}?index=books", headers=one, json=BODIES.get(path))
        assert response.status_code == 403, (method, path, response.text)
        refused += 1
    assert refused >= 18
    assert [i["name"] for i in service.get("/v1/indexes", headers=one).json()["indexes"]] == ["letters"]
    assert service.get("/v1/jobs", headers=one).json()["jobs"] == []
    assert service.get("/v1/documents/hours?index=letters", headers=one).status_code == 200
    while service.get(f"/v1/jobs/{job}", headers=master).json()["state"] == "running":
        pass


def test_calls_are_limited_by_key(open_service: Opener) -> None:
    service = open_service(api_keys="one,two", rate_limit="3/minute")
    for _ in range(3):
        assert service.get("/v1/documents", headers=headers("one")).status_code == 200
    refused = service.get("/v1/documents", headers=headers("one"))
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "3 calls in 1 minute" in refused.json()["detail"]


def test_a_key_has_a_limit_of_its_own(open_service: Opener, tmp_path: Path) -> None:
    service = open_service(rate_limit="2/hour")
    keys = Keys(tmp_path / "indexes")
    for key in (keys.create("one", "read"), keys.create("two", "read")):
        codes = [service.get("/v1/documents", headers=headers(key)).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
    assert service.get("/healthz").status_code == 200


@pytest.mark.parametrize("rate", ["", "often", "0/minute", "5/fortnight", "-1/hour", "1/minute\n"])
def test_a_rate_that_is_none(rate: str) -> None:
    from qa.config import load_settings

    with pytest.raises(InvalidInput, match="QA_RATE_LIMIT"):
        load_settings(rate_limit=rate)


def test_every_response_carries_the_security_headers(service: TestClient) -> None:
    for path in ("/", "/healthz", "/v1/documents", "/v1/nowhere", "/docs"):
        sent = service.get(path, headers={"Origin": "https://elsewhere.example"}).headers
        assert (sent["X-Content-Type-Options"], sent["X-Frame-Options"]) == ("nosniff", "DENY")
        assert not any(name.lower().startswith("access-control") for name in sent)


def test_the_listed_operations_name_the_refusals(service: TestClient) -> None:
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
def test_a_page_from_elsewhere_changes_nothing(service: TestClient, sent: dict[str, str]) -> None:
    for refused in (
        service.post("/v1/documents/upload", headers=sent, files={"files": ("a.txt", b"planted")}),
        service.post("/v1/indexes/default/rebuild", headers=sent),
        service.put("/v1/indexes/x", headers=sent),
    ):
        assert (refused.status_code, refused.json()["field"]) == (403, "Origin")
    assert service.get("/v1/documents", headers=sent).json()["documents"] == []


@pytest.mark.parametrize(
    "sent", [{"Sec-Fetch-Site": "same-origin", "Origin": "https://proxied.example"}, {"Origin": "http://127.0.0.1"}, {}]
)
def test_its_own_page_and_programs_may(service: TestClient, sent: dict[str, str]) -> None:
    assert service.post("/v1/documents", json=DOCUMENT, headers=sent).status_code == 201


def test_a_name_that_was_made_to_lead_here_reads_nothing(service: TestClient) -> None:
    for host in ("evil.example", "evil.example:8000", "10.0.0.1", "", "[", "[::1"):
        assert service.get("/v1/documents", headers={"Host": host}).status_code == 403
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert service.get("/v1/documents", headers={"Host": host}).status_code == 200
    assert service.get("/healthz", headers={"Host": "evil.example"}).status_code == 200


def test_with_keys_any_name_will_do(open_service: Opener) -> None:
    service = open_service(api_keys="secret")
    assert service.get("/v1/documents", headers={"Host": "qa.example", "X-API-Key": "secret"}).status_code == 200
    assert service.get("/v1/documents", headers={"Host": "qa.example"}).status_code == 401
