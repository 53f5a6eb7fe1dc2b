"""Guesses of keys, and what a caller without a key learns."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from qa.errors import RateLimited
from qa.service.guesses import GuessLimit
from qa.service.keys import Keys
from tests.service.conftest import Opener
from tests.service.test_keys import headers


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_of(guesses: GuessLimit, address: str, credentials: str = "Bearer guess") -> int:
    try:
        guesses.check(address, credentials)
    except RateLimited as error:
        return error.retry_after_s
    return 0


def test_each_further_guess_doubles_the_wait() -> None:
    clock = Clock()
    guesses, waits = GuessLimit(clock), []
    for _ in range(22):
        guesses.record_unknown("203.0.113.7")
        waits.append(wait_of(guesses, "203.0.113.7"))
        clock.now += waits[-1]
        assert wait_of(guesses, "203.0.113.7") == 0
    assert waits == [*[0] * 10, 2, 4, 8, 16, 32, 64, 128, 256, *[300] * 4]
    # An address is forgotten after a quarter of an hour without a guess.
    clock.now += 1000
    guesses.record_unknown("203.0.113.7")
    assert wait_of(guesses, "203.0.113.7") == 0


def test_a_client_cannot_guess_from_many_addresses_of_its_ipv6_prefix() -> None:
    guesses = GuessLimit(Clock())
    for n in range(20):
        guesses.record_unknown(f"2001:db8:1:2::{n}")
    assert wait_of(guesses, "2001:db8:1:2:ffff::1") > 0
    assert wait_of(guesses, "2001:db8:1:3::1") == 0


def test_accepted_credentials_stay_accepted_while_a_neighbour_guesses() -> None:
    guesses = GuessLimit(Clock())
    guesses.record_accepted("203.0.113.7", "Bearer right")
    for _ in range(20):
        guesses.record_unknown("203.0.113.7")
    assert wait_of(guesses, "203.0.113.7", "Bearer right") == 0
    assert wait_of(guesses, "203.0.113.7", "Bearer another") > 0
    # They prove nothing at another address.
    for _ in range(20):
        guesses.record_unknown("198.51.100.1")
    assert wait_of(guesses, "198.51.100.1", "Bearer right") > 0


def test_remembers_a_bounded_number_of_addresses() -> None:
    guesses = GuessLimit(Clock())
    for n in range(10_500):
        guesses.record_unknown(str(n))
        guesses.record_accepted(str(n), "Bearer right")
    assert len(guesses._guesses) == len(guesses._accepted) == 10_000


def test_rejects_guesses_over_http_but_no_request_without_a_key(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    keys = Keys(tmp_path / "indexes")
    used, unused = headers(keys.create("used", "read")), headers(keys.create("unused", "read"))
    assert service.get("/v1/documents", headers=used).status_code == 200
    codes = [service.get("/v1/documents", headers=headers(f"guess {n}")).status_code for n in range(12)]
    assert codes == [*[401] * 11, 429]
    rejected = service.get("/v1/documents", headers=headers("another guess"))
    assert rejected.status_code == 429
    assert rejected.headers["Retry-After"] in ("1", "2")
    assert "too many unknown API keys" in rejected.json()["detail"]
    # A right guess is not confirmed while the address is blocked, on no path.
    assert service.get("/v1/documents", headers=unused).status_code == 429
    assert "qa_index_documents{" not in service.get("/metrics", headers=unused).text
    assert service.get("/v1/documents", headers=used).status_code == 200
    assert [service.get("/v1/documents").status_code for _ in range(20)] == [401] * 20


def names_in_metrics(service: TestClient, key: str | None) -> set[str]:
    text = service.get("/metrics", headers=headers(key) if key else {}).text
    assert "qa_requests_total" in text
    return {name for name in ("default", "secret-merger") if f'index="{name}"' in text}


def test_metrics_name_indexes_only_to_callers_who_may_use_them(open_service: Opener, tmp_path: Path) -> None:
    service = open_service()
    service.put("/v1/indexes/secret-merger")
    assert names_in_metrics(service, None) == {"default", "secret-merger"}
    keys = Keys(tmp_path / "indexes")
    key, restricted = keys.create("desk", "read"), keys.create("shop", "read", "default")
    assert names_in_metrics(service, None) == set()
    assert names_in_metrics(service, "wrong") == set()
    assert names_in_metrics(service, restricted) == {"default"}
    assert names_in_metrics(service, key) == {"default", "secret-merger"}
    (tmp_path / "indexes" / ".keys.json").unlink()
    assert names_in_metrics(service, key) == set()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_state_of_the_server_needs_no_key(open_service: Opener, path: str) -> None:
    assert open_service(api_keys="secret").get(path).status_code == 200
