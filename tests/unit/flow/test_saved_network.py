"""Network configuration through a restore, on the simulated machine: defaults, what was saved, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from copy import deepcopy

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.cuts import settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.event_text import body_text
from gprov.domain.files import FileType
from gprov.domain.unit.netconfig import default_files

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


@pytest.fixture(scope="module")
def first() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture
def world(first: World) -> World:
    """About to be restored."""
    copy = deepcopy(first)
    copy.machine.tree("PRIMARY").drop("/boot.normal")
    copy.machine.flush()
    copy.sinks = (MemorySink(),)
    return copy


def put(world: World, path: str, content: bytes) -> None:
    world.machine.tree("RECOVERY").put(path, Node(type=FileType.FILE, content=content))
    world.machine.flush()


def restore(world: World) -> None:
    assert settle(world) == ("reboot", "switched root")


def files(world: World, folder: str) -> dict[str, bytes]:
    tree = world.machine.tree("PRIMARY")
    nodes = {path: tree.get(path) for path in tree.paths() if path.startswith(f"{folder}/")}
    found = {path: node for path, node in nodes.items() if node is not None and node.type is not FileType.FOLDER}
    return {path.removeprefix(f"{folder}/"): node.content for path, node in found.items()}


def said(world: World) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    return "\n".join(body_text(event.body) for event in sink.events)


def defaults(world: World) -> dict[str, bytes]:
    return default_files(sorted(world.machine.nics, key=lambda nic: nic.mac), names=["Port 1 (WAN)"])


def test_without_saved_configuration_the_defaults_are_used(world: World) -> None:
    restore(world)
    assert files(world, NETWORK) == files(world, DEFAULTS) == defaults(world) != {}


def test_saved_configuration_comes_back_byte_for_byte(world: World) -> None:
    saved = {"10-wan.network": b"[Match]\nName=eth0\n", "10-wan.network.d/x.conf": b"\xff\n", "wg0.netdev": WIREGUARD}
    put(world, SAVED, archive(saved, link="/dev/null"))
    for _ in range(2):  # and is still there for the next one
        restore(world)
        assert files(world, NETWORK) == {**saved, "99-default.link": b"/dev/null", ".config-preserved": b""}
        assert files(world, DEFAULTS) == defaults(world)
        node = world.machine.tree("PRIMARY").get(f"{NETWORK}/wg0.netdev")
        assert node is not None
        assert node.mode == 0o640
        assert node.gid
        world.machine.restart()
        world.machine.tree("PRIMARY").drop("/boot.normal")
        world.machine.flush()


def test_it_is_ignored_and_dropped_if_a_person_says_so(world: World) -> None:
    put(world, SAVED, archive({"10-wan.network": b"[Match]\n"}))
    put(world, "/fr.data", json.dumps({"IgnoreNetCfg": True}).encode())
    restore(world)
    assert files(world, NETWORK) == defaults(world)
    assert world.machine.tree("RECOVERY").get(SAVED) is None


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
def test_a_hostile_archive_is_refused_as_a_whole_and_the_unit_restored_all_the_same(
    world: World, hostile: bytes
) -> None:
    before = dict(files(world, "/etc"))
    put(world, SAVED, hostile)
    restore(world)
    assert files(world, NETWORK) == defaults(world)
    assert files(world, "/etc")["shadow"] == before["shadow"]
    assert "saved network configuration not used" in said(world)
