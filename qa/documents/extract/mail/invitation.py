"""Calendar entries (iCalendar, RFC 5545) that a mail carries beside its text (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

_FOLDED = re.compile(r"\n[ \t]")
# A name, parameters, of which quoted values may have any mark, and a value.
_LINE = re.compile(r'([A-Za-z-]{1,40})((?:;[^;:="]{1,40}=(?:"[^"]{0,200}"|[^;:"]{0,200}))*):(.*)')
_ZONE = re.compile(r';TZID="?([^;"]+)', re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_DATE, _TIME = "%Y%m%d", "%Y%m%dT%H%M%S"
_ENTRIES = frozenset({"VEVENT", "VTODO"})
_LABELS = {
    "SUMMARY": "Event",
    "DTSTART": "Start",
    "DTEND": "End",
    "DUE": "Due",
    "RRULE": "Repeats",
    "LOCATION": "Place",
}
_TIMES = frozenset({"DTSTART", "DTEND", "DUE"})


def read_invitation(text: str) -> str:
    """Return what calendar entries say of their subject, time and place: a line for each, a blank line between entries.

    Descriptions repeat the text of the mail and are left out. A time has its zone as the entry names it.

    Args:
        text: the entries, with line feeds.
    """
    entries: list[dict[str, str]] = []
    inside: list[str] = []
    is_cancelled = False
    for name, parameters, value in _iterate_lines(text):
        if name == "BEGIN":
            inside.append(value.upper())
            if value.upper() in _ENTRIES:
                entries.append({})
        elif name == "END" and inside:
            inside.pop()
        elif inside and inside[-1] in _ENTRIES and name in _LABELS:
            shown = _format_time(value, parameters) if name in _TIMES else _unescape(value)
            entries[-1].setdefault(name, shown)
        is_cancelled = is_cancelled or (name in ("METHOD", "STATUS") and value.upper() in ("CANCEL", "CANCELLED"))
    return "\n\n".join(filter(None, (_format(entry, is_cancelled=is_cancelled) for entry in entries)))


def _iterate_lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name, parameters and value of each line."""
    for line in _FOLDED.sub("", text).split("\n"):
        match = _LINE.fullmatch(line.rstrip())
        if match:
            yield match[1].upper(), match[2], match[3].strip()


def _format(entry: Mapping[str, str], *, is_cancelled: bool) -> str:
    lines = [f"{label}: {entry[name]}" for name, label in _LABELS.items() if entry.get(name)]
    return "\n".join([*lines, "Cancelled"] if is_cancelled and lines else lines)


def _format_time(value: str, parameters: str) -> str:
    """Return a date or time in ISO form with its zone; the value as it is if it is neither."""
    for format, timespec in ((_TIME, "minutes"), (_DATE, None)):
        try:
            time = datetime.strptime(value.removesuffix("Z"), format)
        except ValueError:
            continue
        if timespec is None:
            return time.date().isoformat()
        zone = _ZONE.search(parameters)
        shown = time.isoformat(" ", timespec)
        return f"{shown} UTC" if value.endswith("Z") else f"{shown} ({zone[1]})" if zone else shown
    return value


def _unescape(value: str) -> str:
    text = _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)
    return " ".join(text.split())
