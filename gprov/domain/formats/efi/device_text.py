"""EFI device paths as text, for logs (UEFI specification 2.10, 10.6.1.6)."""

from __future__ import annotations

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

# ACPI _HID of a PCI root bridge, PNP0A03 as EISA id (10.3.3)
_PCI_ROOT = 0x0A0341D0


def describe_device_path(path: DevicePath) -> str:
    """For logs, in the notation of the specification (10.6.1.6) as far as it has one."""
    return "/".join(_describe(node) for node in path)


def _describe(node: Node) -> str:
    match node:
        case Pci():
            return f"Pci({node.device:#x},{node.function:#x})"
        case Acpi(hid=hid, uid=uid):
            return f"PciRoot({uid:#x})" if hid == _PCI_ROOT else f"Acpi({hid:#x},{uid:#x})"
        case HardDrive():
            return _describe_hard_drive(node)
        case FilePath():
            return node.path
        case InstanceEnd():
            return ","
        case Unknown():
            return f"Path({node.type},{node.subtype},{node.data.hex()})"
        case _:
            return _describe_messaging(node)


def _describe_messaging(node: Usb | Mac | Sata | Nvme) -> str:
    match node:
        case Usb():
            return f"USB({node.port:#x},{node.interface:#x})"
        case Mac():
            digits = node.address[:6] if node.interface_type <= 1 else node.address
            return f"MAC({digits.hex()},{node.interface_type:#x})"
        case Sata():
            return f"Sata({node.port:#x},{node.multiplier:#x},{node.lun:#x})"
        case Nvme():
            return f"NVMe({node.namespace:#x},{node.eui64[::-1].hex('-').upper()})"


def _describe_hard_drive(node: HardDrive) -> str:
    place = f"{node.start:#x},{node.size:#x}"
    match node.signature_kind:
        case SignatureKind.GPT:
            return f"HD({node.number},GPT,{node.guid},{place})"
        case SignatureKind.MBR:
            return f"HD({node.number},MBR,{int.from_bytes(node.signature[:4], 'little'):#010x},{place})"
        case SignatureKind.NONE:
            return f"HD({node.number},{node.table},0,{place})"
