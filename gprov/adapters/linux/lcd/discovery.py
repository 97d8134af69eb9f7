"""Finds the ports of Crystalfontz displays in sysfs. No port is opened for that.

Displays have an FTDI adapter with their manufacturer's name, or are CDC-ACM devices of their own. Runs every second of
every boot: imports no more than ``os``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

_MANUFACTURER = "crystalfontz"
_CDC_ACM_IDS = ("223b", "000b")


def find_ports(sys: str, dev: str, manufacturers: Sequence[str] = ()) -> tuple[str, ...]:
    """Return device files, sorted by name. ``sys``, ``dev``: where these file systems are mounted. ``manufacturers``:
    of further FTDI adapters that may belong to displays; upper and lower case are equal."""
    allowed = {name.strip().casefold() for name in manufacturers if name.strip()}
    return tuple(f"{dev}/{name}" for name in sorted({*_adapters(sys, allowed), *_own_devices(sys)}))


def _adapters(sys: str, allowed: set[str]) -> Iterator[str]:
    """Names of the ports of FTDI adapters. A port is a folder below its USB interface, which is below its device."""
    driver = f"{sys}/bus/usb-serial/drivers/ftdi_sio"
    for name in _names(driver):
        if name.startswith("tty"):
            port = os.path.realpath(f"{driver}/{name}")
            manufacturer = _text(f"{os.path.dirname(os.path.dirname(port))}/manufacturer").casefold()
            if manufacturer.startswith(_MANUFACTURER) or manufacturer in allowed:
                yield name


def _own_devices(sys: str) -> Iterator[str]:
    """Names of the ports of CDC-ACM devices. An interface of them has a folder with its port."""
    driver = f"{sys}/bus/usb/drivers/cdc_acm"
    for interface in _names(driver):
        device = os.path.dirname(os.path.realpath(f"{driver}/{interface}"))
        if (_text(f"{device}/idVendor"), _text(f"{device}/idProduct")) == _CDC_ACM_IDS:
            yield from _names(f"{driver}/{interface}/tty")


def _names(folder: str) -> list[str]:
    """Empty if there is no such folder: the driver has no device yet, or the device was removed meanwhile."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _text(path: str) -> str:
    """Empty for a device without this string, and for one that was removed meanwhile: both are no display."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
