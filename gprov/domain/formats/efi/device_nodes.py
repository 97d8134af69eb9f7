"""What EFI device paths are made of (UEFI specification 2.10, chapter 10): one value for each kind of node.

Only the nodes that boot entries of appliances are made of have a class of their own; everything else is ``Unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gprov.domain.formats.efi.guid import guid_from_bytes, guid_to_bytes


class SignatureKind(IntEnum):
    """Kind of the signature in a HardDrive node. It follows from the format of the partition table."""

    NONE = 0
    MBR = 1
    GPT = 2


@dataclass(frozen=True, slots=True)
class Pci:
    """Hardware node 1."""

    device: int
    function: int


@dataclass(frozen=True, slots=True)
class Acpi:
    """ACPI node 1. ``hid``: compressed EISA id."""

    hid: int
    uid: int


@dataclass(frozen=True, slots=True)
class Usb:
    """Messaging node 5: port of the parent hub or controller, and interface of the device."""

    port: int
    interface: int


@dataclass(frozen=True, slots=True)
class Mac:
    """Messaging node 11. ``address``: 32 bytes, zero-padded; ``interface_type``: RFC 3232 (1: Ethernet)."""

    address: bytes
    interface_type: int


@dataclass(frozen=True, slots=True)
class Sata:
    """Messaging node 18. ``multiplier``: 0xFFFF if the device hangs on the port itself."""

    port: int
    multiplier: int
    lun: int


@dataclass(frozen=True, slots=True)
class Nvme:
    """Messaging node 23. ``eui64``: 8 bytes as stored (zeros if the namespace has none)."""

    namespace: int
    eui64: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HardDrive:
    """Media node 1: a partition. ``start`` and ``size`` in logical blocks.

    ``signature``: 16 bytes as stored — the partition's GUID (GPT), or the disk's 32-bit id in the first four (MBR).
    ``table`` is the format byte as stored: 1 MBR, 2 GPT.
    """

    number: int
    start: int
    size: int
    signature: bytes
    table: int
    signature_kind: SignatureKind

    @property
    def guid(self) -> str:
        """Partition GUID in lower case, "" if the signature is not one."""
        return guid_from_bytes(self.signature) if self.signature_kind is SignatureKind.GPT else ""


@dataclass(frozen=True, slots=True)
class FilePath:
    r"""Media node 4: a file below what the preceding nodes name, with ``\`` as separator, without the closing NUL."""

    path: str


@dataclass(frozen=True, slots=True)
class InstanceEnd:
    """End node 1: another path follows (consoles on several devices)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any other node. ``data``: what follows its header."""

    type: int
    subtype: int
    data: bytes


Node = Pci | Acpi | Usb | Mac | Sata | Nvme | HardDrive | FilePath | InstanceEnd | Unknown
DevicePath = tuple[Node, ...]

# Messaging nodes by which a loader comes over the network: IPv4, IPv6, URI (HTTP boot)
_NETWORK_SUBTYPES = (12, 13, 24)


def gpt_partition(number: int, start: int, size: int, guid: str) -> HardDrive:
    """The node for a GPT partition. ``start``, ``size`` in logical blocks. Raises BadInput (GUID)."""
    return HardDrive(
        number=number,
        start=start,
        size=size,
        signature=guid_to_bytes(guid),
        table=SignatureKind.GPT,
        signature_kind=SignatureKind.GPT,
    )


def is_network_path(path: DevicePath) -> bool:
    """Does it lead over a network interface?"""
    return any(
        isinstance(node, Mac) or (isinstance(node, Unknown) and node.type == 3 and node.subtype in _NETWORK_SUBTYPES)
        for node in path
    )
