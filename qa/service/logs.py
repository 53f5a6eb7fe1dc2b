"""What the server writes to its log, and where."""

from __future__ import annotations

import copy
from typing import Any

from uvicorn.config import LOGGING_CONFIG


def log_config() -> dict[str, Any]:
    """Return the server's own logging with this package's beside it: a line of JSON for each question."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    config["formatters"]["qa"] = {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    config["handlers"]["qa"] = {"class": "logging.StreamHandler", "formatter": "qa", "stream": "ext://sys.stderr"}
    config["loggers"]["qa"] = {"handlers": ["qa"], "level": "INFO", "propagate": False}
    return config
