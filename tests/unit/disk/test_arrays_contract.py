"""The simulated machine keeps the contract of arrays that the Linux adapter keeps in tests/integ/disk."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gprov.adapters.fake.disk.arrays import FakeArrays
from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.plan_layout import primary_table


def contract() -> ModuleType:
    path = Path(__file__).parents[2] / "integ" / "disk" / "vm" / "arrays_contract.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Frozen dataclasses look their module up while they are made.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CONTRACT = contract()


@pytest.mark.parametrize("rule", CONTRACT.CONTRACT, ids=lambda rule: rule.__name__)
def test_arrays_of_the_simulated_machine(rule: object) -> None:
    machine = SimulatedMachine()
    partitioner = FakePartitioner(machine)
    for _ in range(5):
        machine.add_disk(1 * GIB)
    disks = [
        partitioner.write(disk, primary_table(FirmwareKind.UEFI, disk.size, raid=True))
        for disk in FakeBlockDevices(machine).disks()
    ]
    bench = CONTRACT.Bench(
        FakeArrays(machine),
        FakeBlockDevices(machine),
        FakeFileSystems(machine),
        FakeMounts(machine),
        FakeFiles(machine),
        tuple(disk.partitions[-1].node for disk in disks),
        "/mnt",
    )
    assert callable(rule)
    rule(bench)
