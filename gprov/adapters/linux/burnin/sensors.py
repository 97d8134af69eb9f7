"""Sensors of a burn-in on /sys and /proc: hwmon, thermal zones, EDAC, and the kernel's log."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Iterator

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.domain.mfg.burnin.readings import MemoryErrors, Temperature
from gprov.ports.burnin import Sensors

_HWMON, _THERMAL, _EDAC = "sys/class/hwmon", "sys/class/thermal", "sys/devices/system/edac/mc"
_INPUT = re.compile(r"temp[0-9]+_input")
_ZONE = re.compile(r"thermal_zone[0-9]+")
_CONTROLLER = re.compile(r"mc[0-9]+")
_AVAILABLE = re.compile(r"^MemAvailable:\s+([0-9]+) kB$", re.MULTILINE)
# Sensors without a probe state values like these.
_LOWEST, _HIGHEST = -40_000, 200_000  # thousandths of a degree
# HW_ERR of the kernel (include/linux/printk.h).
_HARDWARE_ERROR = "[Hardware Error]"
_RECORD = 8192


class LinuxSensors(Sensors):
    """``root``: folder with ``sys``, ``proc`` and ``dev``; other than "/" for tests."""

    def __init__(self, root: str = "/") -> None:
        self._root = root

    @override
    def temperatures(self) -> tuple[Temperature, ...]:
        """Thermal zones are read if hwmon has none of them: they show the same sensors a second time."""
        found = [*self._hwmon()]
        found += [] if found else [*self._zones()]
        names = Counter(name for name, _ in found)
        seen: Counter[str] = Counter()
        unique = []
        for name, celsius in found:
            seen[name] += 1
            unique.append(Temperature(f"{name} {seen[name]}" if names[name] > 1 else name, celsius))
        return tuple(unique)

    @override
    def memory_errors(self) -> MemoryErrors | None:
        counts = [
            (corrected, uncorrected)
            for name in self._names(_EDAC)
            if _CONTROLLER.fullmatch(name)
            and (corrected := self._number(f"{_EDAC}/{name}/ce_count")) is not None
            and (uncorrected := self._number(f"{_EDAC}/{name}/ue_count")) is not None
        ]
        if not counts:
            return None
        return MemoryErrors(sum(one for one, _ in counts), sum(two for _, two in counts))

    @override
    def hardware_errors(self) -> tuple[str, ...]:
        path = self._path("dev/kmsg")
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            raise fault_from_oserror(path, "cannot open the kernel log", exc) from exc
        try:
            lines = [line for record in _records(fd, path) if (line := _kernel_line(record))]
        finally:
            os.close(fd)
        return tuple(line for line in lines if _HARDWARE_ERROR in line)

    @override
    def available_memory(self) -> int:
        text = self._text("proc/meminfo")
        match = _AVAILABLE.search(text or "")
        if match is None:
            raise DeviceFault(self._path("proc/meminfo"), "MemAvailable is missing")
        return int(match[1]) << 10

    def _hwmon(self) -> Iterator[tuple[str, float]]:
        for chip in self._names(_HWMON):
            folder = f"{_HWMON}/{chip}"
            name = self._text(f"{folder}/name") or chip
            for file in self._names(folder):
                if _INPUT.fullmatch(file):
                    label = self._text(f"{folder}/{file.removesuffix('_input')}_label") or ""
                    yield from self._temperature(" ".join((name, label)).strip(), f"{folder}/{file}")

    def _zones(self) -> Iterator[tuple[str, float]]:
        for zone in self._names(_THERMAL):
            if _ZONE.fullmatch(zone):
                name = self._text(f"{_THERMAL}/{zone}/type") or zone
                yield from self._temperature(name, f"{_THERMAL}/{zone}/temp")

    def _temperature(self, name: str, path: str) -> Iterator[tuple[str, float]]:
        value = self._number(path)
        if value is not None and _LOWEST <= value <= _HIGHEST:
            yield name, value / 1000

    def _names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self._path(folder)), key=_natural)
        except OSError:
            return []  # a machine without such devices

    def _number(self, path: str) -> int | None:
        text = self._text(path)
        return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,18}", text) else None

    def _text(self, path: str) -> str | None:
        """None also for a sensor that does not answer (EIO, ENODATA, EAGAIN)."""
        try:
            with open(self._path(path), encoding="utf-8", errors="replace") as file:
                return file.read(1 << 16).strip()
        except OSError:
            return None

    def _path(self, path: str) -> str:
        return os.path.join(self._root, path)


def _records(fd: int, path: str) -> Iterator[str]:
    """Each read returns one record (Documentation/ABI/testing/dev-kmsg)."""
    while True:
        try:
            record = os.read(fd, _RECORD)
        except BlockingIOError:
            return
        except OSError as exc:
            if exc.errno == errno.EPIPE:  # the oldest records were overwritten meanwhile; the next read goes on
                continue
            raise fault_from_oserror(path, "cannot read the kernel log", exc) from exc
        if not record:
            return
        yield from record.decode(errors="replace").splitlines()


def _kernel_line(record: str) -> str:
    """Time and text of a record that the kernel wrote itself (facility 0): ``PRIORITY,SEQUENCE,TIME,FLAGS;TEXT``.
    Empty for others. With the time, the same text a second time is another line."""
    head, separator, text = record.partition(";")
    fields = head.split(",")
    if not separator or len(fields) < 3 or not (fields[0].isdecimal() and fields[2].isdecimal()):
        return ""
    if int(fields[0]) >> 3:
        return ""
    return f"[{int(fields[2]) / 1e6:.6f}] {text}"


def _natural(name: str) -> tuple[str, int]:
    digits = re.search(r"[0-9]+", name)
    return (name[: digits.start()], int(digits[0])) if digits else (name, 0)
