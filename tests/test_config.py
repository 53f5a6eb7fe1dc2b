from __future__ import annotations

from pathlib import Path

import pytest

from qa.config import as_environment, load_settings


def test_compiled_models_are_kept_where_the_user_keeps_such_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert load_settings().cache_dir == Path("/caches/spanlight")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings().cache_dir == Path("/home/someone/.cache/spanlight")


def test_a_user_without_a_home_keeps_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("QA_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert load_settings().cache_dir is None


@pytest.mark.parametrize("cache", ["", "/caches"])
def test_another_process_has_the_same_settings(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CACHE_DIR", cache)
    settings = load_settings(threads=2, api_keys="one,two", rate_limit="3/minute")
    assert settings.cache_dir == (Path(cache) if cache else None)
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
