"""Which ports are those of displays: trees of sysfs as the kernel makes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.linux.lcd.discovery import find_ports


@dataclass
class Sysfs:
    root: Path

    def _device(self, name: str, strings: dict[str, str]) -> Path:
        device = self.root / "devices/pci0000:00/0000:00:14.0/usb1" / name
        device.mkdir(parents=True)
        for key, text in strings.items():
            (device / key).write_text(text + "\n")
        return device

    def _link(self, path: str, target: Path) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    def adapter(self, tty: str, name: str, driver: str = "ftdi_sio", **strings: str) -> None:
        device = self._device(name, {"idVendor": "0403", "idProduct": "6001", **strings})
        port = device / f"{name}:1.0" / tty
        port.mkdir(parents=True)
        self._link(f"bus/usb-serial/drivers/{driver}/{tty}", port)
        for other in ("bind", "unbind", "new_id", "module"):
            (self.root / f"bus/usb-serial/drivers/{driver}/{other}").touch()

    def cdc(self, tty: str, name: str, vendor: str, product: str) -> None:
        device = self._device(name, {"idVendor": vendor, "idProduct": product})
        for number in (0, 1):
            interface = device / f"{name}:1.{number}"
            interface.mkdir()
            self._link(f"bus/usb/drivers/cdc_acm/{interface.name}", interface)
        (device / f"{name}:1.0/tty" / tty).mkdir(parents=True)

    def ports(self, *manufacturers: str) -> tuple[str, ...]:
        return find_ports(str(self.root), "/dev", manufacturers)


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def test_adapters_of_the_manufacturer_are_displays(sysfs: Sysfs) -> None:
    sysfs.adapter("ttyUSB0", "1-1", manufacturer="FTDI")
    sysfs.adapter("ttyUSB1", "1-2", manufacturer="Crystalfontz")
    sysfs.adapter("ttyUSB2", "1-3", manufacturer="crystalfontz America, Inc. ")
    sysfs.adapter("ttyUSB3", "1-4")
    assert sysfs.ports() == ("/dev/ttyUSB1", "/dev/ttyUSB2")


def test_other_drivers_have_no_displays(sysfs: Sysfs) -> None:
    sysfs.adapter("ttyUSB0", "1-1", driver="cp210x", manufacturer="Crystalfontz")
    assert sysfs.ports() == ()


def test_cdc_devices_of_their_own_are_displays(sysfs: Sysfs) -> None:
    sysfs.cdc("ttyACM0", "1-1", "223b", "000b")
    sysfs.cdc("ttyACM1", "1-2", "223b", "0003")
    sysfs.cdc("ttyACM2", "1-3", "1234", "000b")
    assert sysfs.ports() == ("/dev/ttyACM0",)


def test_further_manufacturers(sysfs: Sysfs) -> None:
    sysfs.adapter("ttyUSB0", "1-1", manufacturer="QEMU")
    sysfs.adapter("ttyUSB1", "1-2", manufacturer="QEMU Inc")
    sysfs.adapter("ttyUSB2", "1-3")
    assert sysfs.ports() == ()
    assert sysfs.ports("qemu") == ("/dev/ttyUSB0",)
    assert sysfs.ports("", " ") == ()


def test_without_drivers_there_are_no_displays(sysfs: Sysfs) -> None:
    assert sysfs.ports("QEMU") == ()


def test_a_device_that_is_removed_meanwhile_is_no_display(sysfs: Sysfs) -> None:
    sysfs.adapter("ttyUSB0", "1-1", manufacturer="Crystalfontz")
    link = sysfs.root / "bus/usb-serial/drivers/ftdi_sio/ttyUSB1"
    link.symlink_to(sysfs.root / "devices/removed/1-9:1.0/ttyUSB1")
    sysfs._link("bus/usb/drivers/cdc_acm/1-8:1.0", sysfs.root / "devices/removed/1-8/1-8:1.0")
    assert sysfs.ports() == ("/dev/ttyUSB0",)
