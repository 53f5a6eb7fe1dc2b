"""Settings: command-line flags, then `QA_*` variables, then a TOML file, then defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated

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


def _cache() -> Path | None:
    """Return this program's folder among those where a user's programs keep what they can make again."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spanlight"
    except RuntimeError:
        # A user without a home.
        return None


class Settings(BaseSettings):
    """Where things are, what they are made with, and how much at once."""

    model_config = SettingsConfigDict(env_prefix="QA_", extra="forbid", frozen=True)

    index_dir: Path = Path("indexes")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    api_keys: Annotated[tuple[str, ...], NoDecode] = ()
    threads: int | None = Field(default=None, ge=1, le=1024)
    embedder: str = SHIPPED
    reader: str = SHIPPED
    store: str = "local"
    cache_dir: Path | None = Field(default_factory=_cache, description="of compiled models; blank: none are kept")
    insecure: bool = Field(default=False, description="listen on more than this machine without any key")
    rate_limit: str | None = Field(
        default=None, pattern=r"^[1-9]\d{0,8}/(second|minute|hour|day)$", description="of calls by one key or address"
    )
    max_questions: int = Field(default=16, ge=1, le=10_000, description="questions answered or waiting at once")
    workers: int = Field(default=1, ge=1, le=256, description="processes that serve")
    drain_seconds: float = Field(default=0.0, ge=0, le=600, description="unready, but serving, before a server stops")

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            if any(not isinstance(key, str) or "," in key or not key or key != key.strip() for key in value):
                raise ValueError("a key is not blank, and has no commas or white space around it")
            return value
        if not isinstance(value, str):
            return value
        keys = tuple(key.strip() for key in value.split(",") if key.strip())
        if value and not keys:
            raise ValueError("set, but without a key: that would leave the server open")
        return keys

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("store")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value != "local":
            raise ValueError("this version keeps indexes in local folders only: leave it out or say 'local'")
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
        """Put the TOML file behind the variables."""
        file = Path(os.environ.get("QA_CONFIG", "spanlight.toml"))
        if "QA_CONFIG" in os.environ and not file.is_file():
            raise InvalidInput(f"{file}: no such file", field="QA_CONFIG")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which another process has the same settings."""
    values = {name: value for name, value in settings.model_dump(mode="json").items() if value not in (None, [])}
    keys = {"api_keys": ",".join(settings.api_keys)} if settings.api_keys else {}
    cache = {"cache_dir": settings.cache_dir or ""}
    return {f"QA_{name.upper()}": str(value) for name, value in {**values, **keys, **cache}.items()}


def load_settings(**flags: object) -> Settings:
    """Read the settings; flags that are None count as not given.

    Raises:
        InvalidInput: a value is out of range, or a name in the file is unknown.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # validated by pydantic
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"the settings file is not TOML: {error}", field="QA_CONFIG") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = "QA_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidInput(f"{name}: {first['msg']}", field=name) from error
