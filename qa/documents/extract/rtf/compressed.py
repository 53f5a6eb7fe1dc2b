"""The compression of RTF in Outlook messages (MS-OXRTFCP)."""

from __future__ import annotations

import struct

from qa.errors import InvalidInput

_HEADER = struct.Struct("<IIII")
_COMPRESSED, _UNCOMPRESSED = 0x75465A4C, 0x414C454D
# The dictionary holds this text before the first byte is decompressed.
_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_DICTIONARY = 4096
_MAX_BYTES = 50_000_000


def decompress_rtf(data: bytes) -> bytes:
    """Return the RTF.

    Raises:
        InvalidInput: the data is damaged, or too large.
    """
    if len(data) < _HEADER.size:
        raise InvalidInput("compressed RTF is damaged; save the mail again")
    _, size, kind, _ = _HEADER.unpack_from(data)
    if size > _MAX_BYTES or kind not in (_COMPRESSED, _UNCOMPRESSED):
        raise InvalidInput(f"compressed RTF is damaged or has over {_MAX_BYTES:,} bytes; save the mail again")
    if kind == _UNCOMPRESSED:
        return data[_HEADER.size :][:size]
    dictionary = bytearray(_START.ljust(_DICTIONARY, b"\0"))
    position = len(_START)
    output = bytearray()
    offset = _HEADER.size
    while offset < len(data) and len(output) < size:
        # Each bit says whether a byte or a reference to the dictionary follows.
        flags = data[offset]
        offset += 1
        for bit in range(8):
            if flags >> bit & 1:
                if offset + 2 > len(data):
                    return bytes(output)
                reference = data[offset] << 8 | data[offset + 1]
                offset += 2
                start, length = reference >> 4, (reference & 15) + 2
                if start == position:
                    return bytes(output)
            else:
                if offset >= len(data):
                    return bytes(output)
                dictionary[position] = data[offset]
                start, length = position, 1
                offset += 1
            for step in range(length):
                byte = dictionary[(start + step) % _DICTIONARY]
                output.append(byte)
                dictionary[position] = byte
                position = (position + 1) % _DICTIONARY
    return bytes(output)
