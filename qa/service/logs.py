"""What the server writes to its log, and where."""

from __future__ import annotations

import copy
from typing import Any

from uvicorn.config import LOGGING_CONFIG

QUESTIONS = "qa.questions"


def log_config() -> dict[str, Any]:
    """Return the server's own logging with this package's beside it; a line of `QUESTIONS` is JSON and nothing else."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("qa", "%(asctime)s %(levelname)s %(name)s %(message)s"), (QUESTIONS, "%(message)s")):
        config["formatters"][name] = {"format": form}
        config["handlers"][name] = {"class": "logging.StreamHandler", "formatter": name, "stream": "ext://sys.stderr"}
        config["loggers"][name] = {"handlers": [name], "level": "INFO", "propagate": False}
    return config
