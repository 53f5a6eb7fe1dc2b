"""Settings, from command-line options, `QA_*` variables and a TOML file, in this order of precedence."""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from qa.errors import InvalidInput

SHIPPED = "shipped"
_FILE_NAME = "spanlight.toml"
_PREFIX = "QA_"


def _default_cache_dir() -> Path | None:
    """Return the user's cache folder for spanlight; None for a user without a home folder."""
    with suppress(RuntimeError):
        return platformdirs.user_cache_path("spanlight")
    return None


def _settings_file() -> Path:
    """Return the settings file: that of `QA_CONFIG`, else that in the working directory, else the user's.

    Raises:
        InvalidInput: `QA_CONFIG` names a file that does not exist.
    """
    if "QA_CONFIG" in os.environ:
        file = Path(os.environ["QA_CONFIG"])
        if not file.is_file():
            raise InvalidInput(f"{file}: no such file; correct or unset QA_CONFIG", field="QA_CONFIG")
        return file
    file = Path(_FILE_NAME)
    if not file.is_file():
        # A user without a home folder has no other file.
        with suppress(RuntimeError):
            return platformdirs.user_config_path("spanlight") / _FILE_NAME
    return file


class Settings(BaseSettings):
    """Everything that can be configured. Fields that are not set come from `QA_*` variables, the file or defaults."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True)

    index_dir: Path = Path("indexes")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    api_keys: Annotated[tuple[str, ...], NoDecode] = ()
    threads: int | None = Field(default=None, ge=1, le=1024)
    embedder: str = SHIPPED
    reader: str = SHIPPED
    store: str = "local"
    cache_dir: Path | None = Field(
        default_factory=_default_cache_dir, description="of compiled models; blank disables it"
    )
    arithmetic: Literal["auto", "int8", "float32"] = Field(
        default="auto", description="of the int8 models; auto takes the faster one on this processor"
    )
    ocr: Literal["auto", "off"] = Field(
        default="auto", description="of pages and pictures without text; auto recognises it if the extra is installed"
    )
    keep_files: bool = Field(default=True, description="store the original files of documents in the index")
    insecure: bool = Field(default=False, description="listen on other addresses than loopback without a key")
    rate_limit: str | None = Field(default=None, description="calls of one key or address, such as 100/minute")
    max_questions: int = Field(default=16, ge=1, le=10_000, description="questions answered or queued at once")
    max_body_mb: int = Field(
        default=128, ge=64, le=65_536, description="megabytes of request bodies that a process holds at once"
    )
    body_seconds: float = Field(
        default=20.0, gt=0, le=3600, description="time for a body to arrive, besides 1 s for every 20 kB"
    )
    max_connections: int = Field(default=500, ge=8, le=100_000, description="connections that a process accepts")
    max_connections_per_address: int = Field(default=250, ge=1, le=100_000, description="connections of one client")
    header_seconds: float = Field(default=10.0, gt=0, le=3600, description="time for the headers of a request")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="addresses or networks of proxies whose X-Forwarded-For header is used"
    )
    workers: int = Field(default=1, ge=1, le=256, description="server processes")
    drain_seconds: float = Field(default=0.0, ge=0, le=600, description="seconds that a stopping server still serves")

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            if any(not isinstance(key, str) or "," in key or not key or key != key.strip() for key in value):
                raise ValueError("a key must not be blank, contain commas, or have white space around it")
            return value
        if not isinstance(value, str):
            return value
        keys = tuple(key.strip() for key in value.split(",") if key.strip())
        if value and not keys:
            raise ValueError("is set but contains no key; add a key, or unset it to serve without keys")
        return keys

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: object) -> object:
        proxies = [proxy.strip() for proxy in value.split(",") if proxy.strip()] if isinstance(value, str) else value
        if isinstance(proxies, list | tuple):
            for proxy in proxies:
                try:
                    ip_network(str(proxy))
                except ValueError as error:
                    raise ValueError(f"must be addresses or networks such as 10.0.0.0/8: {error}") from None
        return proxies

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("rate_limit")
    @classmethod
    def _check_rate_limit(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", value, re.ASCII):
            raise ValueError("must be a number of calls and a unit, such as 100/minute (or second, hour, day)")
        return value

    @field_validator("store")
    @classmethod
    def _check_store(cls, value: str) -> str:
        if value != "local":
            raise ValueError("this version stores indexes in local folders only; unset it or use 'local'")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the TOML file as the source of lowest precedence."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _settings_file())


def as_environment(settings: Settings) -> dict[str, str]:
    """Return environment variables that give another process the same settings."""
    values = {name: value for name, value in settings.model_dump(mode="json").items() if value not in (None, [])}
    lists = {"api_keys": settings.api_keys, "trusted_proxies": settings.trusted_proxies}
    joined = {name: ",".join(items) for name, items in lists.items() if items}
    cache = {"cache_dir": settings.cache_dir or ""}
    return {f"{_PREFIX}{name.upper()}": str(value) for name, value in {**values, **joined, **cache}.items()}


def load_settings(**options: object) -> Settings:
    """Load the settings; options that are None are not set.

    Raises:
        InvalidInput: a value is not valid, or the settings file has an unknown name.
    """
    overrides = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # validated by pydantic
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        file = str(_settings_file())
        raise InvalidInput(f"{file} is not valid TOML: {error}", field=file) from error
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            file = str(_settings_file())
            raise InvalidInput(f"{file}: unknown setting {name!r}; correct or remove it", field=file) from error
        variable = f"{_PREFIX}{name.upper()}"
        raise InvalidInput(f"{variable}: {first['msg']}", field=variable) from error
