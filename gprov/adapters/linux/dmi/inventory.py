"""Inventory port on /proc and /sys."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

from typing_extensions import override

from gprov.domain.errors import DeviceFault
from gprov.domain.platform.inventory import BusDevice, Cpus, Inventory
from gprov.ports.hardware import HardwareInventory

_ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO))
_CPU = re.compile(r"cpu[0-9]+")
_MEMORY = re.compile(r"^MemTotal:\s+([0-9]+) kB$", re.MULTILINE)


class LinuxInventory(HardwareInventory):
    """``root``: folder with ``proc`` and ``sys``; other than "/" for a captured machine."""

    def __init__(self, root: str = "/") -> None:
        self._root = root

    @override
    def read(self) -> Inventory:
        return Inventory(
            cpus=self._cpus(),
            memory=self._memory(),
            pci=tuple(self._devices("pci", ("vendor", "device"), ("class",))),
            usb=tuple(
                self._devices("usb", ("idVendor", "idProduct"), ("bDeviceClass", "bDeviceSubClass", "bDeviceProtocol"))
            ),
        )

    def _cpus(self) -> Cpus:
        """Processors that are online: an offline one has no topology."""
        models: dict[int, str] = {}
        threads = 0
        for record in self._needed("proc/cpuinfo").split("\n\n"):
            facts = dict(_fact(line) for line in record.splitlines() if ":" in line)
            if "processor" in facts:
                threads += 1
                models.setdefault(_number(facts.get("physical id", "0"), 10) or 0, facts.get("model name", ""))
        cores = set(self._cores())
        if not threads:
            raise DeviceFault(self._path("proc/cpuinfo"), "lists no processor")
        return Cpus(
            models=tuple(model for _, model in sorted(models.items())),
            cores=len(cores) or threads,
            sockets=len({package for package, _, _ in cores}) or len(models),
            threads=threads,
        )

    def _cores(self) -> Iterator[tuple[int, int, int]]:
        """Package, die and core of each processor: a core's number is unique within its die only."""
        folder = "sys/devices/system/cpu"
        for name in self._names(folder):
            core = self._number(f"{folder}/{name}/topology/core_id", 10) if _CPU.fullmatch(name) else None
            if core is not None:
                package = self._number(f"{folder}/{name}/topology/physical_package_id", 10)
                die = self._number(f"{folder}/{name}/topology/die_id", 10)
                yield package or 0, die or 0, core

    def _memory(self) -> int:
        total = _MEMORY.search(self._needed("proc/meminfo"))
        if total is None:
            raise DeviceFault(self._path("proc/meminfo"), "MemTotal is missing")
        return int(total[1]) * 1024

    def _devices(self, bus: str, identity: tuple[str, str], classes: tuple[str, ...]) -> Iterator[BusDevice]:
        """Devices of a bus. Numbers are hexadecimal, with 0x on PCI. Entries without numbers (a USB interface) and
        removed devices are skipped. A class in several files is combined, 8 bits each."""
        folder = f"sys/bus/{bus}/devices"
        for address in self._names(folder):
            vendor, device = (self._number(f"{folder}/{address}/{name}", 16) for name in identity)
            if vendor is None or device is None:
                continue
            device_class = 0
            for name in classes:
                device_class = device_class << 8 | (self._number(f"{folder}/{address}/{name}", 16) or 0)
            yield BusDevice(address, vendor, device, device_class)

    def _path(self, path: str) -> str:
        return os.path.join(self._root, path)

    def _names(self, folder: str) -> list[str]:
        """Sorted; empty if the folder does not exist (a machine without that bus)."""
        try:
            return sorted(os.listdir(self._path(folder)))
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise DeviceFault(self._path(folder), f"cannot be listed: {exc.strerror}", errno=exc.errno) from exc

    def _number(self, path: str, base: int) -> int | None:
        """Content of an attribute; None if it does not exist or is not a number."""
        try:
            with open(self._path(path), encoding="ascii", errors="replace") as file:
                return _number(file.read(), base)
        except OSError as exc:
            if exc.errno in _ABSENT:
                return None
            raise DeviceFault(self._path(path), f"cannot be read: {exc.strerror}", errno=exc.errno) from exc

    def _needed(self, path: str) -> str:
        try:
            with open(self._path(path), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError as exc:
            raise DeviceFault(self._path(path), f"cannot be read: {exc.strerror}", errno=exc.errno) from exc


def _fact(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _number(text: str, base: int) -> int | None:
    try:
        return int(text.strip(), base)
    except ValueError:
        return None
