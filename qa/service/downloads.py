"""Headers of downloads: file names, media types and ranges of bytes (pure)."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.exceptions import HTTPException

from qa.types import SourceFile, Span

OTHER = "application/octet-stream"
# Browsers run scripts of other types, such as HTML and SVG. Those are sent as plain bytes.
_SAFE_TYPE = re.compile(
    r"application/(pdf|rtf|msword|epub\+zip|vnd\.ms-(excel|outlook|powerpoint)"
    r"|vnd\.openxmlformats-officedocument\.[a-z.]+|vnd\.oasis\.opendocument\.[a-z]+)"
    r"|image/(png|jpeg|gif|webp|tiff|bmp)|text/(plain|csv|markdown|tab-separated-values)|message/rfc822"
)
# Control characters, and those that end or escape the name in the header.
_UNFIT = re.compile(r'[^\x20-\x7e]|["\\%]')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def content_headers(file: SourceFile) -> dict[str, str]:
    """Return the headers that describe a file and make browsers save it."""
    # RFC 6266: old clients read the first name, others the second one, which RFC 5987 encodes.
    names = f"filename=\"{_UNFIT.sub('_', file.name)}\"; filename*=UTF-8''{quote(file.name, safe='', errors='replace')}"
    return {
        "Content-Type": file.media_type if _SAFE_TYPE.fullmatch(file.media_type) else OTHER,
        "Content-Disposition": f"attachment; {names}",
        # Browsers that show the file anyway run no script of it.
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def parse_range(header: str | None, size: int) -> Span | None:
    """Return the bytes of a file that a `Range` header asks for; None for the whole file.

    As RFC 9110 allows, the whole file is sent if the header is not valid or asks for several ranges.

    Raises:
        HTTPException: the range is outside the file (416).
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    first, last = match.groups() if match else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        detail = f"the range is outside the file, which has {size:,} bytes; ask for a part of it"
        raise HTTPException(416, detail, {"Content-Range": f"bytes */{size}"})
    return Span(start, end)
