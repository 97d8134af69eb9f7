"""EFI device paths (UEFI specification 2.10, chapter 10): bytes ↔ nodes.

A path is a list of nodes, each ``type u8, sub-type u8, length u16`` (header included) and its data, closed by an End
node. What has no class of its own, and every node whose data is not what its sub-type says, is kept raw as ``Unknown``.
So no information is lost: ``serialise(parse(data)) == data`` for every well-formed path.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.efi.device_nodes import (
    Acpi,
    DevicePath,
    FilePath,
    HardDrive,
    InstanceEnd,
    Mac,
    Node,
    Nvme,
    Pci,
    Sata,
    SignatureKind,
    Unknown,
    Usb,
)

HEADER = struct.Struct("<BBH")
END_TYPE = 0x7F
END_ENTIRE = 0xFF
_END_NODE = HEADER.pack(END_TYPE, END_ENTIRE, HEADER.size)

_PCI = struct.Struct("<BB")
_ACPI = struct.Struct("<II")
_USB = struct.Struct("<BB")
_SATA = struct.Struct("<HHH")
_NVME = struct.Struct("<I8s")
_MAC = struct.Struct("<32sB")
_HARD_DRIVE = struct.Struct("<IQQ16sBB")


def parse_device_path(data: bytes) -> DevicePath:
    """The nodes in front of the End node, which must be the last thing in ``data``. Raises BadInput."""
    nodes: list[Node] = []
    offset = 0
    while True:
        left = len(data) - offset
        if left < HEADER.size:
            raise _bad(offset, "node header is cut off" if left else "ends without an End node")
        kind, subtype, length = HEADER.unpack_from(data, offset)
        if length < HEADER.size:
            raise _bad(offset, f"node length {length} is shorter than its header")
        if length > left:
            raise _bad(offset, f"node of {length} bytes reaches over the end, {left} bytes are left")
        body = data[offset + HEADER.size : offset + length]
        offset += length
        if (kind, subtype) == (END_TYPE, END_ENTIRE):
            if body or offset != len(data):
                raise _bad(offset - length, "End node is not the end")
            return tuple(nodes)
        nodes.append(_node(kind, subtype, body))


def serialise_device_path(path: DevicePath) -> bytes:
    """With the End node. Raises BadInput if a value does not fit its field."""
    out = bytearray()
    for index, node in enumerate(path):
        try:
            kind, subtype, body = _fields(node)
            out += HEADER.pack(kind, subtype, HEADER.size + len(body)) + body
        except (struct.error, UnicodeEncodeError) as exc:
            raise BadInput("device path", [Problem(f"node {index}", f"{node} does not fit: {exc}")]) from exc
    return bytes(out) + _END_NODE


def _bad(offset: int, message: str) -> BadInput:
    return BadInput("device path", [Problem(f"byte {offset}", message)])


def _pci(body: bytes) -> Node:
    function, device = _PCI.unpack(body)
    return Pci(device, function)


def _hard_drive(body: bytes) -> Node | None:
    number, start, size, signature, table, kind = _HARD_DRIVE.unpack(body)
    if kind > SignatureKind.GPT:
        return None
    return HardDrive(
        number=number, start=start, size=size, signature=signature, table=table, signature_kind=SignatureKind(kind)
    )


def _file_path(body: bytes) -> Node | None:
    if not body.endswith(b"\0\0"):
        return None
    try:
        return FilePath(body[:-2].decode("utf-16-le"))
    except UnicodeDecodeError:
        return None


# (type, sub-type) -> size of the data (None: any), reader of the data (None: not what the sub-type says)
_READERS: Mapping[tuple[int, int], tuple[int | None, Callable[[bytes], Node | None]]] = {
    (1, 1): (_PCI.size, _pci),
    (2, 1): (_ACPI.size, lambda body: Acpi(*_ACPI.unpack(body))),
    (3, 5): (_USB.size, lambda body: Usb(*_USB.unpack(body))),
    (3, 11): (_MAC.size, lambda body: Mac(*_MAC.unpack(body))),
    (3, 18): (_SATA.size, lambda body: Sata(*_SATA.unpack(body))),
    (3, 23): (_NVME.size, lambda body: Nvme(*_NVME.unpack(body))),
    (4, 1): (_HARD_DRIVE.size, _hard_drive),
    (4, 4): (None, _file_path),
    (END_TYPE, 1): (0, lambda _: InstanceEnd()),
}


def _node(kind: int, subtype: int, body: bytes) -> Node:
    size, read = _READERS.get((kind, subtype), (None, lambda _: None))
    known = read(body) if size is None or size == len(body) else None
    return Unknown(kind, subtype, body) if known is None else known


def _fields(node: Node) -> tuple[int, int, bytes]:
    """Type, sub-type and data. Raises struct.error or UnicodeEncodeError."""
    match node:
        case Pci():
            return 1, 1, _PCI.pack(node.function, node.device)
        case Acpi():
            return 2, 1, _ACPI.pack(node.hid, node.uid)
        case HardDrive():
            place = (node.number, node.start, node.size)
            return 4, 1, _HARD_DRIVE.pack(*place, _exact(node.signature, 16), node.table, node.signature_kind)
        case FilePath():
            return 4, 4, node.path.encode("utf-16-le") + b"\0\0"
        case InstanceEnd():
            return END_TYPE, 1, b""
        case Unknown():
            return node.type, node.subtype, node.data
        case _:
            return _messaging_fields(node)


def _messaging_fields(node: Usb | Mac | Sata | Nvme) -> tuple[int, int, bytes]:
    match node:
        case Usb():
            return 3, 5, _USB.pack(node.port, node.interface)
        case Mac():
            return 3, 11, _MAC.pack(_exact(node.address, 32), node.interface_type)
        case Sata():
            return 3, 18, _SATA.pack(node.port, node.multiplier, node.lun)
        case Nvme():
            return 3, 23, _NVME.pack(node.namespace, _exact(node.eui64, 8))


def _exact(data: bytes, size: int) -> bytes:
    """struct would pad or cut silently."""
    if len(data) != size:
        raise struct.error(f"{size} bytes expected, {len(data)} given")
    return data
