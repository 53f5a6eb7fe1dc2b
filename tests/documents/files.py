"""Build small files that no library writes: ones that expand to more work or text than time or memory allows."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

_FONT = b"<< /Font << /F 4 0 R >> "
_WORD = b"BT /F 12 Tf 80 700 Td (lol) Tj ET "


def pdf_with_nested_drawings(depth: int = 25) -> bytes:
    """Return a PDF whose page draws a form ten times, which draws another ten times, and so on for `depth` levels."""
    forms = []
    for level in range(depth):
        is_innermost = level == depth - 1
        resources = _FONT + (b"" if is_innermost else b"/XObject << /X %d 0 R >> " % (7 + level)) + b">>"
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources " + resources
        forms.append(_stream(_WORD if is_innermost else b"/X Do " * 10, entries))
    return _pdf(_stream(b"/X Do"), _FONT + b"/XObject << /X 6 0 R >> >>", forms)


def pdf_with_compressed_text(megabytes: int) -> bytes:
    """Return a PDF of one page whose content is a repeated word, deflated."""
    content = zlib.compress(_WORD * (megabytes * 1_000_000 // len(_WORD)), 9)
    return _pdf(_stream(content, b"/Filter /FlateDecode"), _FONT + b">>")


def pdf_with_properties(entries: bytes) -> bytes:
    """Return a PDF of one page and one word, with these entries in its information dictionary."""
    return _pdf(_stream(_WORD), _FONT + b">>", [b"<< %s >>" % entries], b"/Info 6 0 R")


def docx_with_compressed_text(megabytes: int) -> bytes:
    """Return a document whose only part is zeros."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", b"0" * megabytes * 1_000_000)
    return archive.getvalue()


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def _pdf(content: bytes, resources: bytes, extra_objects: Sequence[bytes] = (), trailer: bytes = b"") -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R /Resources %s >>" % resources
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        content,
        *extra_objects,
    ]
    data = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF"
    data += end % (len(objects) + 1, trailer, start)
    return bytes(data)
