"""Logging configuration of the server."""

from __future__ import annotations

import copy
from typing import Any

from uvicorn.config import LOGGING_CONFIG

QUESTIONS = "qa.questions"


def log_config() -> dict[str, Any]:
    """Return uvicorn's configuration with this package's loggers; each line of the `QUESTIONS` logger is plain JSON."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("qa", "%(asctime)s %(levelname)s %(name)s %(message)s"), (QUESTIONS, "%(message)s")):
        config["formatters"][name] = {"format": form}
        config["handlers"][name] = {"class": "logging.StreamHandler", "formatter": name, "stream": "ext://sys.stderr"}
        config["loggers"][name] = {"handlers": [name], "level": "INFO", "propagate": False}
    return config
