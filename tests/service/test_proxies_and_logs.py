"""Headers that claim another address, and log lines that quote what clients send."""

from __future__ import annotations

import io
import logging
import logging.config

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from qa.config import Settings, as_environment, load_settings
from qa.errors import InvalidInput
from qa.service.connections import ConnectionLimits, LimitedConnection
from qa.service.logs import log_config
from qa.service.server import _config

FORWARDED = {"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https"}


def seen_address(settings: Settings, peer: str) -> str:
    """Return the client's address that the application sees behind uvicorn's own middleware."""
    app = FastAPI()

    @app.get("/")
    async def address(request: Request) -> str:
        return request.client.host if request.client else ""

    config: uvicorn.Config = _config(settings, app)
    config.load()
    with TestClient(config.loaded_app, client=(peer, 1)) as client:
        seen: str = client.get("/", headers=FORWARDED).json()
    return seen


def test_the_forwarded_address_counts_only_from_named_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    # uvicorn would read this variable.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert seen_address(Settings(), "127.0.0.1") == "127.0.0.1"
    behind = load_settings(trusted_proxies="10.0.0.0/8, 192.0.2.1")
    assert seen_address(behind, "10.1.2.3") == "198.51.100.9"
    assert seen_address(behind, "192.0.2.1") == "198.51.100.9"
    for other in ("127.0.0.1", "192.0.2.2"):
        assert seen_address(behind, other) == other


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_rejects_proxies_that_are_not_addresses(proxies: str) -> None:
    with pytest.raises(InvalidInput, match=r"QA_TRUSTED_PROXIES: .*must be addresses or networks"):
        load_settings(trusted_proxies=proxies)


def test_workers_get_the_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(trusted_proxies="10.0.0.0/8,192.0.2.1")
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings().trusted_proxies == settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")


def test_proxies_may_have_more_connections_than_other_clients() -> None:
    config = _config(load_settings(trusted_proxies="10.0.0.0/8"), "app")
    limits: ConnectionLimits = config.http.keywords["limits"]  # type: ignore[union-attr]
    assert config.http.func is LimitedConnection  # type: ignore[union-attr]
    assert [limits.applies_to(address) for address in ("10.1.2.3", "192.0.2.1", "127.0.0.1", None)] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("logger", "message", "values", "line"),
    [
        ("qa.service", "cannot read %s", ("a\nINFO forged",), r"cannot read a\nINFO forged"),
        ("qa.service", "failed: %s", (ValueError("a\r\x1b[2J"),), r"failed: a\r\x1b[2J"),
        ("qa.service", "%d of %s", (3, "a\u2028\u202eb"), r"3 of a\u2028\u202eb"),
        ("uvicorn.error", "%s:%d", ("203.0.113.7\x1b[31m", 1), r"203.0.113.7\x1b[31m:1"),
        ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', ("\x1b[31m:1", "GET", "/", "1.1", 200), r"\x1b[31m:1"),
    ],
)
def test_log_lines_escape_control_characters(
    logger: str, message: str, values: tuple[object, ...], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    for stream in ("stderr", "stdout"):
        monkeypatch.setattr(f"sys.{stream}", written)
    before = {name: logging.getLogger(name).handlers[:] for name in ("qa", "uvicorn", "uvicorn.access", "qa.questions")}
    try:
        logging.config.dictConfig(log_config())
        logging.getLogger(logger).warning(message, *values)
    finally:
        for name, handlers in before.items():
            logging.getLogger(name).handlers = handlers
            logging.getLogger(name).propagate = True
    assert line in written.getvalue()
    assert written.getvalue().count("\n") == 1
    assert "\x1b[31m" not in written.getvalue().replace("\x1b[31mERROR", "")
