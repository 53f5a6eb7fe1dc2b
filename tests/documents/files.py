"""Files that no library writes: small ones that stand for more work or text than anybody has time or memory for."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

_FONT = b"<< /Font << /F 4 0 R >> "
_WORD = b"BT /F 12 Tf 80 700 Td (lol) Tj ET "


def pdf_of_much_work(depth: int = 25) -> bytes:
    """A page that draws something ten times, which draws something ten times, and so on."""
    drawn = []
    for level in range(depth):
        innermost = level == depth - 1
        resources = _FONT + (b"" if innermost else b"/XObject << /X %d 0 R >> " % (7 + level)) + b">>"
        kind = b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources " + resources
        drawn.append(_stream(_WORD if innermost else b"/X Do " * 10, kind))
    return _pdf(_stream(b"/X Do"), _FONT + b"/XObject << /X 6 0 R >> >>", drawn)


def pdf_of_much_text(megabytes: int) -> bytes:
    """A page whose content is a word, over and over, deflated."""
    content = zlib.compress(_WORD * (megabytes * 1_000_000 // len(_WORD)), 9)
    return _pdf(_stream(content, b"/Filter /FlateDecode"), _FONT + b">>")


def pdf_with_properties(entries: bytes) -> bytes:
    """A page with a word."""
    return _pdf(_stream(_WORD), _FONT + b">>", [b"<< %s >>" % entries], b"/Info 6 0 R")


def docx_of_much_text(megabytes: int) -> bytes:
    """A document whose only part is zeros."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", b"0" * megabytes * 1_000_000)
    return packed.getvalue()


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def _pdf(content: bytes, resources: bytes, more: Sequence[bytes] = (), trailer: bytes = b"") -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 5 0 R /Resources %s >>" % resources
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        content,
        *more,
    ]
    made = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF"
    made += end % (len(objects) + 1, trailer, start)
    return bytes(made)
