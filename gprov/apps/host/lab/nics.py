"""Models of network interfaces of lab units. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.apps.host.lab.machine import E1000E, VIRTIO


@dataclass(frozen=True, slots=True, kw_only=True)
class NicModel:
    """``vendor`` and ``device``: PCI ids. ``rom``: name of its option ROM for network boot in Debian's package
    ipxe-qemu, "" if there is none."""

    description: str
    vendor: int
    device: int
    rom: str = ""


# By QEMU's name of the device, without variants of the same chip. The virtio device is a transitional one.
NICS: Mapping[str, NicModel] = {
    E1000E: NicModel(description="Intel 82574L", vendor=0x8086, device=0x10D3, rom="e1000e"),
    VIRTIO: NicModel(description="virtio-net", vendor=0x1AF4, device=0x1000, rom="virtio"),
    "e1000": NicModel(description="Intel 82540EM", vendor=0x8086, device=0x100E, rom="e1000"),
    "vmxnet3": NicModel(description="VMware VMXNET3", vendor=0x15AD, device=0x07B0, rom="vmxnet3"),
    "rtl8139": NicModel(description="Realtek RTL8139C+", vendor=0x10EC, device=0x8139, rom="rtl8139"),
    "pcnet": NicModel(description="AMD PCnet", vendor=0x1022, device=0x2000, rom="pcnet"),
    "ne2k_pci": NicModel(description="NE2000 on PCI", vendor=0x10EC, device=0x8029, rom="ne2k_pci"),
    "tulip": NicModel(description="DEC 21143", vendor=0x1011, device=0x0019),
    "i82550": NicModel(description="Intel 82550 (PRO/100)", vendor=0x8086, device=0x1209, rom="eepro100"),
}
