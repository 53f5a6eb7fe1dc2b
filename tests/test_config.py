from __future__ import annotations

from pathlib import Path

import pytest

from qa.config import as_environment, load_settings
from qa.errors import InvalidInput


def test_cache_dir_is_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert load_settings().cache_dir == Path("/caches/spanlight")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings().cache_dir == Path("/home/someone/.cache/spanlight")


def test_a_user_without_a_home_folder_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QA_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert load_settings().cache_dir is None


def test_settings_have_an_order_of_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert load_settings().port == 8000
    (tmp_path / "config" / "spanlight").mkdir(parents=True)
    (tmp_path / "config" / "spanlight" / "spanlight.toml").write_text("port = 8001")
    assert load_settings().port == 8001
    (tmp_path / "spanlight.toml").write_text("port = 8002")
    assert load_settings().port == 8002
    (tmp_path / "other.toml").write_text("port = 8003")
    monkeypatch.setenv("QA_CONFIG", "other.toml")
    assert load_settings().port == 8003
    monkeypatch.setenv("QA_PORT", "8004")
    assert load_settings().port == 8004
    assert load_settings(port=8005).port == 8005


def test_names_the_settings_file_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(InvalidInput, match=r"missing\.toml: no such file"):
        load_settings()
    (tmp_path / "missing.toml").write_text("port = ")
    with pytest.raises(InvalidInput, match=r"missing\.toml is not valid TOML"):
        load_settings()


@pytest.mark.parametrize("cache", ["", "/caches"])
def test_environment_gives_another_process_the_same_settings(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_CACHE_DIR", cache)
    settings = load_settings(threads=2, api_keys="one,two", rate_limit="3/minute", keep_files=False)
    assert settings.cache_dir == (Path(cache) if cache else None)
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
