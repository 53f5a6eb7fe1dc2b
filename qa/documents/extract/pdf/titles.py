"""Clean the titles that programs write into the properties of files (pure)."""

from __future__ import annotations

import re

_PROGRAM = re.compile(
    r"(?:microsoft (?:office )?(?:word|excel|powerpoint|visio)|powerpoint|openoffice)\s*[-–]\s*", re.I
)
_SUFFIX = re.compile(
    r"\.(?:docx?|docm|dotx?|rtf|odt|ott|odp|ods|pptx?|ppsx?|potx?|xlsx?|pdf|ps|eps|dvi|tex|html?|txt|indd|qxp|qxd|pub|"
    r"pages|key|fm|book|vsdx?|dwg|cdr|ai|psd|tiff?|jpe?g|png|wpd|p65|pmd|sxw|xml|md)$",
    re.I,
)
# Titles that programs give to any document, with the number of a copy.
_JUNK = re.compile(
    r"(?:(?:untitled|no ?title|no ?name|unknown|none|null|default|title|document title|your title( here)?|name|"
    r"(?:new |blank |microsoft word |word )?(?:document|dokument)|doc|presentation|powerpoint[- ]presentation|"
    r"slides?|folie|page|layout|sheet|book|workbook|mappe|chapter|scan(?:ned)?(?: document| image)?|"
    r"full page (?:fax )?print|print|output|report viewer|template|vorlage|normal|letterhead|blank|about:blank|"
    r"(?:slide|presentation|document) title|title of (?:the )?(?:document|presentation|paper|article)|"
    r"\(?anonymous\)?|\(?unspecified\)?|temp|tmp|test|draft|final|adobe photoshop pdf|crystal reports.*)"
    r"[-_ .#]*\(?\d*\)?|[\W\d_]*)",
    re.I,
)
_TEMPLATE = re.compile(r"\btemplate\b", re.I)
_PATH = re.compile(r"[a-z]:\\|\\\\|/\w|\w+://", re.I)
_MIN_WORDS = 3
_MAX_LENGTH = 1_000


def clean_title(title: str, text: str) -> str:
    """Return a file's title without the name of a program; empty if it is not a title.

    File names, and titles that programs give to any document, are none, unless the text has them too.

    Args:
        title: the title in the properties of the file.
        text: the beginning of the text.
    """
    title = _PROGRAM.sub("", " ".join(title[:_MAX_LENGTH].split()), count=1)
    stem = _SUFFIX.sub("", title)
    is_path = _PATH.match(title) is not None
    if is_path:
        stem = re.split(r"[\\/]", stem)[-1]
    words = re.split(r"[\W_]+", stem)
    if _JUNK.fullmatch(stem):
        return ""
    is_file_name = stem != title or is_path
    is_doubtful = (is_file_name and len([word for word in words if word.isalpha()]) < _MIN_WORDS) or _TEMPLATE.search(
        stem
    )
    if is_doubtful and stem.casefold() not in " ".join(text.split()).casefold():
        return ""
    return stem.replace("_", " ") if is_file_name and " " not in stem else stem
