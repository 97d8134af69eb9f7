"""A plan that is carried out twice leaves what it left the first time: after an interruption the plan is run again."""

from __future__ import annotations

from datetime import date

import pytest

from gprov.adapters.fake.archive.archives import FakeArchives
from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.disk.arrays import FakeArrays
from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.firmware.firmware import FakeFirmware
from gprov.adapters.fake.firmware.secure_boot import FakeCodeSignatures
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.origin import FakeOrigin
from gprov.apps.unit.execution.destructive_ports import DestructivePorts
from gprov.apps.unit.execution.executor import Executor, PlanPorts
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus, Contents, Disk, Volume
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.formats.efi.boot_variables import BOOT_ORDER, numbers_in
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.name import ImageName
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.kernels import PresentKernels
from gprov.domain.plan.provision import (
    ProvisionFacts,
    plan_make_bootable,
    plan_recovery,
    plan_restore_options,
    plan_secret,
)
from gprov.domain.plan.restore import plan_restore
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.restore_options import RestoreOptions
from gprov.domain.unit.secret_file import SecretFile

MOUNT_POINTS, BRANDING = MountPoints(), Branding()
UNIT = Unit(platform=default_table()[0], manufacturer="GPROV_QEMU", product="mfg_test", sku="", serial="SIM0001")
KERNEL = build_kernel(100)
IMAGE = "/mnt/RECOVERY/Image/WIDGET.LNX.SHINY.2026-01-15.1.upd"
Content = dict[str, Node | None]


@pytest.fixture
def machine() -> SimulatedMachine:
    machine = SimulatedMachine()
    machine.add_disk(20 * GIB, serial="primary")
    machine.add_disk(4 * GIB, bus=Bus.USB, serial="recovery")
    return machine


def plan_ports(machine: SimulatedMachine) -> PlanPorts:
    return PlanPorts(
        blocks=FakeBlockDevices(machine),
        arrays=lambda: FakeArrays(machine),
        code_signatures=FakeCodeSignatures,
        sealing=lambda: TpmSealing(FakeTpm(machine), machine.clock),
        filesystems=lambda: FakeFileSystems(machine),
        mounts=FakeMounts(machine),
        files=FakeFiles(machine),
        firmware=lambda: FakeFirmware(machine),
        http=FakeHttp(machine, FakeOrigin()),
        clock=machine.clock,
    )


def destructive_ports(machine: SimulatedMachine) -> DestructivePorts:
    return DestructivePorts(
        partitioner=FakePartitioner(machine),
        filesystem_maker=FakeFileSystems(machine),
        array_writer=FakeArrays(machine),
        image_unpacker=FakeArchives(machine),
        variable_writer=FakeFirmware(machine),
    )


def disk(machine: SimulatedMachine, name: str) -> Disk:
    return next(disk for disk in FakeBlockDevices(machine).disks() if disk.name == name)


def content(machine: SimulatedMachine, *labels: str) -> dict[str, Content]:
    return {
        label: {path: machine.volume_tree(label).get(path) for path in machine.volume_tree(label).paths()}
        for label in labels
    }


def provision(machine: SimulatedMachine) -> None:
    """The provisioning plans as the flow runs them, ending with RECOVERY and ESP mounted."""
    ports = plan_ports(machine)
    executor = Executor(ports, destructive_ports(machine), EventBus(machine.clock))
    for target in [point.target for point in ports.mounts.mounted()][::-1]:
        ports.mounts.unmount(target)
    facts = ProvisionFacts(
        branding=BRANDING,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.UEFI,
        unit=UNIT,
        recovery=disk(machine, "sdb"),
        targets=(disk(machine, "sda"),),
        options=RestoreOptions(xlog="http://server/"),
    )
    executor.run(plan_recovery(facts))
    ports.files.replace(IMAGE, build_image(KERNEL))
    ports.files.replace("/mnt/RECOVERY/ESP/norm_boot", KERNEL)
    executor.run(plan_secret(facts, SecretFile("admin.hash", b"$fake$hash\n")))
    executor.run(plan_restore_options(facts))
    executor.run(plan_make_bootable(facts))


def restore_facts(machine: SimulatedMachine) -> RestoreFacts:
    recovery = disk(machine, "sdb")
    volumes = [
        Volume(
            disk=recovery,
            node=part.node,
            device=part.device,
            contents=Contents(kind, label, "0000-0000"),
            partition=part,
        )
        for part, (kind, label) in zip(recovery.partitions, (("vfat", "ESP"), ("ext4", "RECOVERY")), strict=True)
    ]
    return RestoreFacts(
        branding=BRANDING,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.UEFI,
        unit=UNIT,
        image=FakeArchives(machine).verify(IMAGE, lambda _done, _total: None, MAX_ARCHIVE),
        name=ImageName(date(2026, 1, 15), 1, "1", BRANDING.image_prefix),
        targets=(disk(machine, "sda"),),
        recovery=volumes[1],
        esp=volumes[0],
        kernels=PresentKernels(main=parse_bzimage(KERNEL), second=parse_bzimage(KERNEL)),
        admin_password=PasswordHash("$fake$hash"),
        network=NetworkFiles({"a.network": b"[Match]\n"}),
        keep_options=False,
        ignore_saved_network=True,
    )


def test_provisioning_twice(machine: SimulatedMachine) -> None:
    provision(machine)
    first = content(machine, "RECOVERY", "ESP")
    tables = [one.table for one in machine.disks]
    provision(machine)
    assert content(machine, "RECOVERY", "ESP") == first
    assert [one.table for one in machine.disks] == tables
    variables = {name.name: variable for name, variable in machine.nvram.items()}
    assert len([name for name in variables if name.startswith("Boot0")]) == 3
    assert numbers_in(variables, BOOT_ORDER) == (0,)


def test_restoring_twice(machine: SimulatedMachine) -> None:
    provision(machine)
    facts = restore_facts(machine)
    plan = plan_restore(facts)
    executor = Executor(plan_ports(machine), destructive_ports(machine), EventBus(machine.clock))
    executor.run(plan)
    first, writes = content(machine, "PRIMARY", "RECOVERY", "ESP"), machine.nvram_writes
    assert first["PRIMARY"]["/boot.normal"] is not None
    executor.run(plan)
    assert content(machine, "PRIMARY", "RECOVERY", "ESP") == first
    assert machine.nvram_writes == writes
    assert [point.target for point in FakeMounts(machine).mounted()] == [MOUNT_POINTS.recovery, MOUNT_POINTS.esp]


def test_a_plan_begun_anew_at_any_point_ends_the_same(machine: SimulatedMachine) -> None:
    provision(machine)
    plan = plan_restore(restore_facts(machine))
    ports = plan_ports(machine)
    Executor(ports, destructive_ports(machine), EventBus(machine.clock)).run(plan)
    expected = content(machine, "PRIMARY", "RECOVERY", "ESP")
    for end in range(len(plan)):
        Executor(ports, destructive_ports(machine), EventBus(machine.clock)).run(plan[:end])
        if any(point.target == MOUNT_POINTS.primary for point in ports.mounts.mounted()):
            ports.mounts.unmount(MOUNT_POINTS.primary)
        Executor(ports, destructive_ports(machine), EventBus(machine.clock)).run(plan)
        assert content(machine, "PRIMARY", "RECOVERY", "ESP") == expected, plan[end].describe()
