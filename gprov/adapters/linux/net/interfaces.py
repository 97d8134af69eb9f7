"""Ethernet interfaces of the machine: lists them (sysfs) and enables them (netdevice(7))."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.unit.nics import Nic, natural

# linux/sockios.h, linux/if.h, linux/if_arp.h
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
ARPHRD_ETHER = "1"

_IFREQ_FLAGS = struct.Struct("16sH22x")  # struct ifreq: name, ifr_flags, rest of the union
_PCI = re.compile(r"/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?=/|$)")
_MAX_NAME = 15  # IFNAMSIZ less the terminating NUL


def physical_nics(sysfs: str = "/sys") -> tuple[Nic, ...]:
    """Ethernet interfaces with a socket: those with a device (no bridges, VLANs, tunnels), without radios, virtual
    functions of another port, and the CPU port of a switch chip (its external ports are listed). eth2 is sorted before
    eth10.

    Raises DeviceFault if sysfs cannot be read.
    """
    folder = f"{sysfs}/class/net"
    try:
        names = os.listdir(folder)
    except OSError as exc:
        raise fault_from_oserror(folder, "cannot list network interfaces", exc) from exc
    found = [nic for nic in (_nic(f"{folder}/{name}", name) for name in names) if nic is not None]
    return tuple(sorted(found, key=lambda nic: natural(nic.name)))


def bring_up(name: str) -> None:
    """Enable an interface, as ``ip link set up`` does. Needs CAP_NET_ADMIN. Raises DeviceMissing, DeviceFault."""
    request = _IFREQ_FLAGS.pack(name.encode()[:_MAX_NAME], 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
            _, flags = _IFREQ_FLAGS.unpack(fcntl.ioctl(handle, SIOCGIFFLAGS, request))
            fcntl.ioctl(handle, SIOCSIFFLAGS, _IFREQ_FLAGS.pack(name.encode()[:_MAX_NAME], flags | IFF_UP))
    except OSError as exc:
        raise fault_from_oserror(name, "cannot be switched on", exc) from exc


def _nic(path: str, name: str) -> Nic | None:
    # phys…: cfg80211; physfn: PCI SR-IOV (Documentation/ABI/testing/sysfs-bus-pci); dsa: the interface that leads to a
    # switch chip (net/dsa/master.c). The last two have the MAC of the port or ports that they belong to.
    other = any(os.path.exists(f"{path}/{mark}") for mark in ("wireless", "phy80211", "device/physfn", "dsa"))
    mac = _attribute(path, "address").lower()
    if _attribute(path, "type") != ARPHRD_ETHER or not os.path.exists(f"{path}/device") or other:
        return None
    if not mac.strip("0:"):  # not given: it would fit other interfaces too
        return None
    try:
        driver = os.path.basename(os.readlink(f"{path}/device/driver"))
    except OSError:
        driver = ""
    return Nic(
        name=name,
        mac=mac,
        driver=driver,
        carrier=_attribute(path, "carrier") == "1",
        path=_device_path(os.path.realpath(f"{path}/device")),
    )


def _device_path(device: str) -> str:
    """Path as in systemd's udev-builtin-path_id.c for PCI, virtio on PCI, and USB on PCI; "" for anything else."""
    addresses = list(_PCI.finditer(device))
    if not addresses:
        return ""
    place, rest = f"pci-{addresses[-1][1]}", device[addresses[-1].end() :]
    if not rest or re.fullmatch(r"/virtio\d+", rest):
        return place
    usb = re.fullmatch(r"/usb\d+/(?:[^/]+/)*?\d+-([\d.]+)/\d+-[\d.]+:(\d+\.\d+)", rest)
    return f"{place}-usb-0:{usb[1]}:{usb[2]}" if usb else ""


def _attribute(path: str, name: str) -> str:
    """Empty if the interface was removed, or has no value (``carrier`` of a disabled one)."""
    try:
        with open(f"{path}/{name}", encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
