"""Describe the original file of a document."""

from __future__ import annotations

import hashlib
import mimetypes

from qa.types import SourceFile


def source_file(data: bytes, name: str) -> SourceFile:
    """Return a file's bytes with their hash, and the media type that its name implies."""
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return SourceFile(name, media_type, hashlib.sha256(data).hexdigest(), len(data), data)
