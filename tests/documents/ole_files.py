"""Write Outlook messages: a compound file (MS-CFB) of property streams (MS-OXMSG)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

Tree = Mapping[str, "bytes | Tree"]
"""The streams and storages of a compound file, named."""

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_INTEGER, _BINARY, _UNICODE, _STRING8, _TIME = 0x0003, 0x0102, 0x001F, 0x001E, 0x0040


@dataclass(frozen=True)
class MsgFile:
    """An attachment: a file, a message, or a reference to a file elsewhere if it has neither."""

    name: str
    data: bytes | None = None
    message: Msg | None = None
    content_id: str = ""


@dataclass(frozen=True)
class Msg:
    """A message.

    Attributes:
        texts: text properties by number.
        binaries: binary properties by number.
        sent: when it was sent.
        code_page: the code page of texts that are not Unicode; None for Unicode.
        recipients: name, address and type of each (1: to, 2: cc).
        files: its attachments.
    """

    texts: Mapping[int, str] = field(default_factory=dict)
    binaries: Mapping[int, bytes] = field(default_factory=dict)
    sent: datetime | None = None
    code_page: int | None = None
    recipients: Sequence[tuple[str, str, int]] = ()
    files: Sequence[MsgFile] = ()


def write_msg(message: Msg) -> bytes:
    """Return a message as a file."""
    return write_compound_file(_message_tree(message, header=32))


def _message_tree(message: Msg, header: int) -> Tree:
    tree: dict[str, bytes | Tree] = {}
    properties = bytes(header)
    if message.code_page:
        properties += _fixed(0x3FFD, _INTEGER, message.code_page)
    if message.sent:
        since = message.sent - datetime(1601, 1, 1, tzinfo=UTC)
        properties += _fixed(0x0039, _TIME, int(since.total_seconds()) * 10**7)
    for number, text in message.texts.items():
        kind = _STRING8 if message.code_page else _UNICODE
        data = text.encode(f"cp{message.code_page}" if message.code_page else "utf-16-le")
        properties += _add_stream(tree, number, kind, data)
    for number, data in message.binaries.items():
        properties += _add_stream(tree, number, _BINARY, data)
    for index, (name, address, kind) in enumerate(message.recipients):
        recipient: dict[str, bytes | Tree] = {}
        inner = bytes(8) + _fixed(0x0C15, _INTEGER, kind)
        inner += _add_stream(recipient, 0x3001, _UNICODE, name.encode("utf-16-le"))
        inner += _add_stream(recipient, 0x39FE, _UNICODE, address.encode("utf-16-le"))
        tree[f"__recip_version1.0_#{index:08X}"] = {**recipient, "__properties_version1.0": inner}
    for index, file in enumerate(message.files):
        tree[f"__attach_version1.0_#{index:08X}"] = _file_tree(file)
    return {**tree, "__properties_version1.0": properties}


def _file_tree(file: MsgFile) -> Tree:
    tree: dict[str, bytes | Tree] = {}
    method = 5 if file.message else 2 if file.data is None else 1
    properties = bytes(8) + _fixed(0x3705, _INTEGER, method)
    properties += _add_stream(tree, 0x3707, _UNICODE, file.name.encode("utf-16-le"))
    if file.content_id:
        properties += _add_stream(tree, 0x3712, _UNICODE, file.content_id.encode("utf-16-le"))
    if file.data is not None:
        properties += _add_stream(tree, 0x3701, _BINARY, file.data)
    if file.message:
        tree["__substg1.0_3701000D"] = _message_tree(file.message, header=24)
    return {**tree, "__properties_version1.0": properties}


def _fixed(number: int, kind: int, value: int) -> bytes:
    return struct.pack("<HHIQ", kind, number, 6, value)


def _add_stream(tree: dict[str, bytes | Tree], number: int, kind: int, data: bytes) -> bytes:
    """Add a property's stream to a storage and return the property's entry."""
    tree[f"__substg1.0_{number:04X}{kind:04X}"] = data
    return struct.pack("<HHIII", kind, number, 6, len(data), 0)


@dataclass
class _Entry:
    """A directory entry: its name, type, links and content."""

    name: str
    kind: int
    data: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END
    size: int = 0

    def pack(self) -> bytes:
        name = self.name.encode("utf-16-le")
        head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, self.kind, 1)
        return (
            head
            + struct.pack("<III", _FREE, self.right, self.child)
            + bytes(36)
            + struct.pack("<IQ", self.start, self.size)
        )


def write_compound_file(tree: Tree) -> bytes:
    """Return a compound file of version 3 with these streams and storages."""
    entries = [_Entry("Root Entry", 5)]
    _add_children(entries, 0, tree)
    fat: list[int] = []
    mini_fat: list[int] = []
    sectors, mini_stream = bytearray(), bytearray()
    for entry in entries:
        if entry.kind == 2 and entry.data:
            small = len(entry.data) < _CUTOFF
            entry.size = len(entry.data)
            entry.start = _store(entry.data, *((mini_stream, mini_fat, _MINI) if small else (sectors, fat, _SECTOR)))
    entries[0].size = len(mini_stream)
    entries[0].start = _store(bytes(mini_stream), sectors, fat, _SECTOR) if mini_stream else _END
    mini_start = (
        _store(struct.pack(f"<{len(mini_fat)}I", *mini_fat), sectors, fat, _SECTOR, b"\xff") if mini_fat else _END
    )
    directory = _store(b"".join(entry.pack() for entry in entries), sectors, fat, _SECTOR)
    count = 1
    while count * (_SECTOR // 4) < len(fat) + count:
        count += 1
    first = len(fat)
    fat += [_FAT] * count
    sectors += struct.pack(f"<{len(fat)}I", *fat).ljust(count * _SECTOR, b"\xff")
    difat = [*range(first, first + count), *[_FREE] * (109 - count)]
    mini_count = -(-len(mini_fat) * 4 // _SECTOR)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, count, directory, 0, _CUTOFF, mini_start, mini_count, _END, 0, *difat[:1])
    return header + struct.pack("<108I", *difat[1:]) + bytes(sectors)


def _add_children(entries: list[_Entry], parent: int, tree: Tree) -> None:
    """Add the entries of a storage, each linked to the next as its right sibling."""
    numbers = []
    for name in sorted(tree, key=lambda name: (len(name), name.upper())):
        content = tree[name]
        numbers.append(len(entries))
        entries.append(_Entry(name, 2, content) if isinstance(content, bytes) else _Entry(name, 1))
        if not isinstance(content, bytes):
            _add_children(entries, numbers[-1], content)
    for number, following in pairwise(numbers):
        entries[number].right = following
    if numbers:
        entries[parent].child = numbers[0]


def _store(data: bytes, sectors: bytearray, fat: list[int], size: int, padding: bytes = b"\0") -> int:
    """Append data in sectors and return the number of the first."""
    start, count = len(fat), max(1, -(-len(data) // size))
    fat += [*range(start + 1, start + count), _END]
    sectors += data.ljust(count * size, padding)
    return start
