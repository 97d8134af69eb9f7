"""Which interfaces count, on this machine and in a sysfs made up from what others look like."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.linux.net.interfaces import bring_up, physical_nics
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.unit.nics import Nic


def interface(sysfs: Path, name: str, *, mac: str = "52:54:00:12:34:56", kind: str = "1", driver: str = "") -> Path:
    """As drivers/net shows itself; without a driver there is no device behind it."""
    folder = sysfs / "devices" / name
    folder.mkdir(parents=True)
    (folder / "address").write_text(f"{mac}\n")
    (folder / "type").write_text(f"{kind}\n")
    if driver:
        (sysfs / "drivers" / driver).mkdir(parents=True, exist_ok=True)
        (folder / "device").mkdir()
        (folder / "device" / "driver").symlink_to(sysfs / "drivers" / driver)
    (sysfs / "class" / "net").mkdir(parents=True, exist_ok=True)
    (sysfs / "class" / "net" / name).symlink_to(folder)
    return folder


def test_physical_ethernet_only_in_natural_order(tmp_path: Path) -> None:
    interface(tmp_path, "eth10", mac="56:78:90:00:00:0B", driver="e1000e")
    (interface(tmp_path, "eth2", driver="igb") / "carrier").write_text("1\n")
    (interface(tmp_path, "eno1", driver="igb") / "carrier").write_text("0\n")
    (interface(tmp_path, "wlan0", driver="iwlwifi") / "phy80211").mkdir()
    interface(tmp_path, "lo", kind="772")
    interface(tmp_path, "br0")
    interface(tmp_path, "ib0", kind="32", driver="mlx5")
    (tmp_path / "class" / "net" / "gone0").symlink_to("nowhere")
    (tmp_path / "class" / "net" / "bonding_masters").write_text("")
    assert physical_nics(str(tmp_path)) == (
        Nic(name="eno1", mac="52:54:00:12:34:56", driver="igb", carrier=False),
        Nic(name="eth2", mac="52:54:00:12:34:56", driver="igb", carrier=True),
        Nic(name="eth10", mac="56:78:90:00:00:0b", driver="e1000e", carrier=False),
    )


def test_what_has_no_socket_of_its_own_is_left_out(tmp_path: Path) -> None:
    """Virtual functions and the CPU's side of a switch chip have the MAC of a port; a MAC of zeros is none."""
    interface(tmp_path, "eth0", driver="igb")
    (interface(tmp_path, "eth0v0", driver="igbvf") / "device" / "physfn").mkdir()
    (interface(tmp_path, "eth1", driver="mvneta") / "dsa").mkdir()
    interface(tmp_path, "lan1", driver="mv88e6085")
    interface(tmp_path, "eth7", mac="00:00:00:00:00:00", driver="igb")
    assert [nic.name for nic in physical_nics(str(tmp_path))] == ["eth0", "lan1"]


@pytest.mark.parametrize(
    ("device", "path"),
    [
        ("pci0000:00/0000:00:1c.0/0000:03:00.1", "pci-0000:03:00.1"),
        ("pci0000:00/0000:00:03.0/virtio0", "pci-0000:00:03.0"),
        ("pci0000:00/0000:00:14.0/usb1/1-2/1-2.3/1-2.3:1.0", "pci-0000:00:14.0-usb-0:2.3:1.0"),
        ("pci0000:00/0000:00:1c.0/0000:03:00.1/mdio_bus/fixed-0/fixed-0:00", ""),
        ("platform/soc/eth", ""),
    ],
)
def test_places_are_those_of_udev(tmp_path: Path, device: str, path: str) -> None:
    folder = interface(tmp_path, "eth0")
    (tmp_path / "devices" / device).mkdir(parents=True)
    (folder / "device").symlink_to(tmp_path / "devices" / device)
    assert [nic.path for nic in physical_nics(str(tmp_path))] == [path]


def test_no_sysfs(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing):
        physical_nics(str(tmp_path))


@pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2")
def test_this_machine_agrees_with_iproute2() -> None:
    shown = json.loads(subprocess.run(["ip", "-j", "-d", "link"], capture_output=True, check=True, timeout=20).stdout)
    ethernet = {
        link["ifname"]: link["address"] for link in shown if link["link_type"] == "ether" and "linkinfo" not in link
    }
    found = {nic.name: nic.mac for nic in physical_nics() if nic.name in ethernet}
    assert found == ethernet


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(DeviceFault, match="nosuch0: cannot be switched on"):
        bring_up("nosuch0")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do this")
def test_without_the_right_to() -> None:
    with pytest.raises(DeviceFault):
        bring_up("lo")
