"""Ten thousand power cuts over all flows, both firmwares, one disk and an array: every unit comes to rest, whole."""

from __future__ import annotations

import random
from copy import deepcopy

import pytest

from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.cli.main import main
from gprov.apps.host.simulation.cut_campaign import cut_everywhere, lose_power
from gprov.apps.host.simulation.cut_flows import Flow, flows
from gprov.apps.host.simulation.fingerprint import fingerprint
from gprov.apps.host.simulation.machine_shapes import simulated
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.files import FileType

# Of each flow on each firmware (2): 10,000 in all. Drives that erase themselves (2 of 9 flows) take longer.
SHARE = {"sata": 380, "raid1": 256}
OF_DRIVES = {"sata": 110, "raid1": 170}


@pytest.mark.parametrize("flow", flows(), ids=lambda flow: flow.name)
@pytest.mark.parametrize("disks", SHARE)
@pytest.mark.parametrize("firmware", FirmwareKind)
def test_every_cut_is_survived(firmware: FirmwareKind, disks: str, flow: Flow) -> None:
    count = (OF_DRIVES if "drives" in flow.name else SHARE)[disks]
    row = cut_everywhere(flow, firmware, disks, seed=0, count=count)
    assert row.failures == []
    assert row.cuts == count
    assert row.operations > 30
    assert row.states > 60


def test_the_command_prints_the_same_table_for_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "cuts", "--count", "40", "--firmware", "uefi", "--disks", "sata", "--seed", "5"]
    tables = []
    for _ in range(2):
        assert main(words) == 0
        tables.append(capsys.readouterr().out.splitlines()[:-1])
    assert tables[0] == tables[1]
    assert len(tables[0]) == 1 + len(flows())
    assert all(line.split()[-1] == line.split()[-3] for line in tables[0][1:])  # survived: all cuts


def test_a_cut_loses_different_parts_of_what_was_not_flushed_by_its_seed() -> None:
    """The luck of a cut changes what is left; the same luck leaves the same."""
    world = simulated(FirmwareKind.UEFI, "sata")
    world.provision()
    recovery = next(volume for volume in world.machine.volumes() if volume.label == "RECOVERY")
    for name in "abc":
        recovery.write(f"/{name}", Node(type=FileType.FILE, content=b"12345678"))
    left = {}
    for luck in range(40):
        copy = deepcopy(world)
        lose_power(copy, random.Random(luck), torn=True)
        left[luck] = fingerprint(copy)
        again = deepcopy(world)
        lose_power(again, random.Random(luck), torn=True)
        assert fingerprint(again) == left[luck]
    assert len(set(left.values())) > 5
