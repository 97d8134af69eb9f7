"""The Linux adapters on captured trees of /proc and /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.adapters.fake.dmi.tables import build_table
from gprov.adapters.linux.dmi.inventory import LinuxInventory
from gprov.adapters.linux.dmi.smbios import LinuxSmbios
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.platform.inventory import BusDevice, Cpus


def write(root: Path, **files: str) -> None:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


def processor(number: int, package: int, model: str = "Fast CPU @ 2.0GHz") -> str:
    return (
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: {model}\n"
        f"physical id\t: {package}\ncore id\t\t: 0\npower management: a:b\n"
    )


def topology(root: Path, number: int, package: int, die: int, core: int) -> None:
    folder = root / f"sys/devices/system/cpu/cpu{number}/topology"
    folder.mkdir(parents=True)
    for name, value in (("physical_package_id", package), ("die_id", die), ("core_id", core)):
        (folder / name).write_text(f"{value}\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sockets with two dies of one core each, two threads per core."""
    (tmp_path / "proc").mkdir()
    cpuinfo = "\n".join(processor(number, number // 4) for number in range(8))
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16377520 kB\nMemFree:        1 kB\n")
    for number in range(8):
        topology(tmp_path, number, number // 4, number // 2 % 2, 0)
    (tmp_path / "sys/devices/system/cpu/cpufreq").mkdir()
    return tmp_path


def test_processors_and_memory(root: Path) -> None:
    inventory = LinuxInventory(str(root)).read()
    assert inventory.cpus == Cpus(("Fast CPU @ 2.0GHz",) * 2, cores=4, sockets=2, threads=8)
    assert inventory.cpus.logical == 8
    assert inventory.memory == 16377520 * 1024
    assert inventory.pci == inventory.usb == ()


def test_processors_without_topology(root: Path) -> None:
    write(root, proc__cpuinfo="processor\t: 0\nmodel name\t: A\n\nprocessor\t: 1\nmodel name\t: A\n")
    for file in (root / "sys/devices/system/cpu").glob("cpu*/topology/core_id"):
        file.unlink()
    assert LinuxInventory(str(root)).read().cpus == Cpus(("A",), cores=2, sockets=1, threads=2)


def test_different_models(root: Path) -> None:
    write(root, proc__cpuinfo=f"{processor(0, 1, 'B')}\n{processor(1, 0, 'A')}")
    assert LinuxInventory(str(root)).read().cpus.models == ("A", "B")


def test_pci(root: Path) -> None:
    folder = root / "sys/bus/pci/devices"
    write(folder / "0000:00:1f.2", vendor="0x8086", device="0x2922", **{"class": "0x010601"})
    write(folder / "0000:00:00.0", vendor="0x8086", device="0x29c0", **{"class": "0x060000"})
    (folder / "0000:00:09.0").mkdir()  # vanished
    assert LinuxInventory(str(root)).read().pci == (
        BusDevice("0000:00:00.0", 0x8086, 0x29C0, 0x060000),
        BusDevice("0000:00:1f.2", 0x8086, 0x2922, 0x010601),
    )


def test_usb(root: Path) -> None:
    folder = root / "sys/bus/usb/devices"
    hub = {"bDeviceClass": "09", "bDeviceSubClass": "00", "bDeviceProtocol": "01"}
    write(folder / "usb1", idVendor="1d6b", idProduct="0002", **hub)
    write(folder / "1-0:1.0", bInterfaceClass="09")
    assert LinuxInventory(str(root)).read().usb == (BusDevice("usb1", 0x1D6B, 0x0002, 0x090001),)


def test_what_must_be_there(root: Path) -> None:
    (root / "proc/meminfo").write_text("MemFree: 1 kB\n")
    with pytest.raises(DeviceFault, match="MemTotal is missing"):
        LinuxInventory(str(root)).read()
    (root / "proc/cpuinfo").write_text("")
    with pytest.raises(DeviceFault, match="lists no processor"):
        LinuxInventory(str(root)).read()
    (root / "proc/cpuinfo").unlink()
    with pytest.raises(DeviceFault, match="proc/cpuinfo: cannot be read: No such file"):
        LinuxInventory(str(root)).read()


def test_an_attribute_that_cannot_be_read_is_a_fault(root: Path) -> None:
    (root / "sys/bus/pci/devices/0000:00:00.0/vendor").mkdir(parents=True)  # reading it gives EISDIR
    with pytest.raises(DeviceFault, match=r"0000:00:00\.0/vendor: cannot be read"):
        LinuxInventory(str(root)).read()


def test_this_machine() -> None:
    inventory = LinuxInventory().read()
    assert inventory.cpus.sockets >= 1
    assert inventory.cpus.logical >= inventory.cpus.cores >= 1
    assert inventory.memory > 1 << 20


def test_smbios_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "DMI").write_bytes(build_table())
    assert LinuxSmbios(str(tmp_path / "DMI")).structures() == build_table()
    with pytest.raises(DeviceMissing, match="no SMBIOS table"):
        LinuxSmbios(str(tmp_path / "nothing")).structures()
    with pytest.raises(DeviceFault, match="cannot be read"):
        LinuxSmbios(str(tmp_path)).structures()
