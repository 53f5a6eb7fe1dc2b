"""Logging configuration of the server."""

from __future__ import annotations

import copy
import logging
import re
from numbers import Number
from typing import Any

from uvicorn.config import LOGGING_CONFIG

QUESTIONS = "qa.questions"

# Line ends, terminal codes, and characters that change the direction of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class EscapeControlCharacters(logging.Filter):
    """Escapes control characters in the values of a log line, so that no client can forge a line or its look."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Escape the values; keep every record."""
        if isinstance(record.args, tuple):
            record.args = tuple(value if isinstance(value, Number) else _escape(str(value)) for value in record.args)
        return True


def _escape(text: str) -> str:
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def log_config() -> dict[str, Any]:
    """Return uvicorn's configuration with this package's loggers; each line of the `QUESTIONS` logger is plain JSON."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("qa", "%(asctime)s %(levelname)s %(name)s %(message)s"), (QUESTIONS, "%(message)s")):
        config["formatters"][name] = {"format": form}
        config["handlers"][name] = {"class": "logging.StreamHandler", "formatter": name, "stream": "ext://sys.stderr"}
        config["loggers"][name] = {"handlers": [name], "level": "INFO", "propagate": False}
    config["filters"] = {"escape": {"()": EscapeControlCharacters}}
    for handler in config["handlers"].values():
        handler["filters"] = ["escape"]
    return config
