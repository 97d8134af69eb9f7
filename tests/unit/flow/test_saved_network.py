"""Network configuration through a restore, on the simulated machine: defaults, what was saved, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from gprov.domain.files import FileType
from gprov.domain.unit.netconfig import default_files
from tests.unit.flow.driver import UnitDriver

NETWORK = "/etc/systemd/network"
DEFAULTS = "/etc/systemd/network-defaults"
SAVED = "/log/netd.tar"
WIREGUARD = b"[NetDev]\nName=wg0\nKind=wireguard\n\n[WireGuard]\nPrivateKey=c2VjcmV0\n"


def archive(files: dict[str, bytes], link: str = "", mode: int = 0o640) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.gname = len(content), mode, "systemd-journal"
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("99-default.link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return buffer.getvalue()


@pytest.fixture
def unit(flagless: UnitDriver) -> UnitDriver:
    """Every test here begins with a unit that is about to be restored."""
    return flagless


def restore(unit: UnitDriver) -> None:
    assert unit.settle() == ("reboot", "switched root")


def files(unit: UnitDriver, folder: str) -> dict[str, bytes]:
    tree = unit.machine.volume_tree("PRIMARY")
    nodes = {path: tree.get(path) for path in tree.paths() if path.startswith(f"{folder}/")}
    found = {path: node for path, node in nodes.items() if node is not None and node.type is not FileType.FOLDER}
    return {path.removeprefix(f"{folder}/"): node.content for path, node in found.items()}


def defaults(unit: UnitDriver) -> dict[str, bytes]:
    return default_files(sorted(unit.machine.nics, key=lambda nic: nic.mac), names=["Port 1 (WAN)"])


def test_without_saved_configuration_the_defaults_are_used(unit: UnitDriver) -> None:
    restore(unit)
    assert files(unit, NETWORK) == files(unit, DEFAULTS) == defaults(unit) != {}


def test_saved_configuration_comes_back_byte_for_byte(unit: UnitDriver) -> None:
    saved = {"10-wan.network": b"[Match]\nName=eth0\n", "10-wan.network.d/x.conf": b"\xff\n", "wg0.netdev": WIREGUARD}
    unit.put("RECOVERY", SAVED, archive(saved, link="/dev/null"))
    for _ in range(2):  # the archive stays for the next restore
        restore(unit)
        assert files(unit, NETWORK) == {**saved, "99-default.link": b"/dev/null", ".config-preserved": b""}
        assert files(unit, DEFAULTS) == defaults(unit)
        node = unit.node("PRIMARY", f"{NETWORK}/wg0.netdev")
        assert node.mode == 0o640
        assert node.gid
        unit.machine.restart()
        unit.remove_flag()


def test_saved_configuration_is_ignored_and_removed_if_fr_data_says_so(unit: UnitDriver) -> None:
    unit.put("RECOVERY", SAVED, archive({"10-wan.network": b"[Match]\n"}))
    unit.put("RECOVERY", "/fr.data", json.dumps({"IgnoreNetCfg": True}).encode())
    restore(unit)
    assert files(unit, NETWORK) == defaults(unit)
    assert not unit.exists("RECOVERY", SAVED)


@pytest.mark.parametrize(
    "hostile",
    [
        archive({"../../../etc/shadow": b"x"}),
        archive({"/etc/shadow": b"x"}),
        archive({"a.network": b"x"}, link="/etc/shadow"),
        archive({"a.network": b"x" * 70000}),
        archive({"a.network": b"x"}) + b"\0" * (17 << 20),
        b"no archive",
    ],
    ids=["climbing", "absolute", "link", "large file", "huge", "nonsense"],
)
def test_a_hostile_archive_is_refused_as_a_whole_and_the_unit_is_restored_with_the_defaults(
    unit: UnitDriver, hostile: bytes
) -> None:
    before = dict(files(unit, "/etc"))
    unit.put("RECOVERY", SAVED, hostile)
    restore(unit)
    assert files(unit, NETWORK) == defaults(unit)
    assert files(unit, "/etc")["shadow"] == before["shadow"]
    assert "saved network configuration not used" in unit.log()
