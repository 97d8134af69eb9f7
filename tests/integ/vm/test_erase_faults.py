"""Erases of units in virtual machines that do not end well: power cut, bad sector, pulled disk."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_argv import block_node, disk_device
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.machine import DiskBus, Durability, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.unit import SERVER
from tests.integ.vm.erased import (
    CERTIFICATE,
    ERASED,
    FAILED,
    LOGGED,
    RECORD,
    SECTOR,
    OverlayAs,
    RunStage,
    allocated,
    assert_did_not_wait,
    assert_erased,
    assert_recovery_is_intact,
    assert_restores_itself,
    console,
    erasing,
    plant,
    press_key,
    recovery,
    remains,
    report,
)

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

# Of a disk whose overwrite then takes long enough for something to happen meanwhile: bytes per second, no other limits.
SLOW = {"bps": 40 << 20} | dict.fromkeys(("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
# So many bytes on disk after former content show that the overwrite is under way.
UNDER_WAY = 300 << 20


def test_a_power_cut_in_the_middle_of_the_overwrite_is_resumed_by_the_next_start(
    container: LabContainer, small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = small_overlay_as(unit_spec("small"))
    former = plant(unit, tmp_path)
    machine = erasing(unit.machine(Durability.HONOUR_FLUSH), unit, small_products)
    enough = allocated(unit) + UNDER_WAY
    with container.runner().start(machine, unit.serial_log("cut")) as live:
        live.qmp.execute("block_set_io_throttle", {"id": "primary0-device", **SLOW})
        assert live.wait_end(ERASED.seconds, lambda: allocated(unit) < enough) is Ending.TIMEOUT
        live.cut_power()
    assert allocated(unit) < unit.spec.primary_size
    assert remains(unit, former)

    result = run_stage("resumed", unit, ERASED)
    assert "Data erase goes on after an interruption" in console(result)
    assert_erased(unit, former)
    assert_restores_itself(unit, run_stage)


@pytest.mark.parametrize("bus", [DiskBus.AHCI, DiskBus.VIRTIO])
def test_a_bad_sector_is_the_only_one_that_is_left_and_the_report_names_it(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, bus: DiskBus
) -> None:
    unit = small_overlay_as(replace(unit_spec("small"), primaries=(bus,)))
    former = plant(unit, tmp_path)
    bad = former.canaries[-1]
    machine = with_bad_sector(unit.machine(), bad)
    result = run_stage("erase", unit, FAILED, erasing(machine, unit, small_products), partial(press_key, unit))
    assert "ONLY PARTLY" in console(result)
    found = report(unit)
    [disk] = found["disks"]
    assert (found["verdict"], disk["verdict"], disk["achieved"]) == ("partial", "partial", "not classified")
    place = {"bytes": SECTOR, "ranges": [{"start": bad, "end": bad + SECTOR}]}
    assert disk["passes"][-1]["unwritten"] == place
    assert disk["verification"]["unreadable"] == place
    assert remains(unit, former) == ["disk 0: the marker is in 1 lines", "disk 0: 1 sectors are as before"]
    assert_recovery_is_intact(unit, former)

    result = run_stage("refused", unit, ERASED, machine)
    assert "ONLY PARTLY" in console(result)
    assert "Any key: boot menu" in console(result)
    assert_did_not_wait(console(result), rf"{LOGGED} ERROR .*ONLY PARTLY")
    assert not [each.name for each in result.milestones if each.name == "FR_STARTED"]
    assert report(unit) == found


def with_bad_sector(machine: Machine, offset: int) -> Machine:
    """The same machine; the first disk can neither write nor read the sector at ``offset``."""
    disk = machine.disks[0]
    image = {**block_node(disk), "node-name": "image"}
    rules = [
        {"event": "none", "iotype": kind, "sector": offset // SECTOR, "errno": 5, "once": False}
        for kind in ("read", "write")
    ]
    node = {"driver": "blkdebug", "node-name": disk.name, "image": image, "inject-error": rules}
    arguments = ("-blockdev", json.dumps(node), "-device", json.dumps(disk_device(disk)))
    return replace(machine, disks=machine.disks[1:], extra=(*machine.extra, *arguments))


@pytest.mark.parametrize("bus", [DiskBus.SCSI, DiskBus.NVME, DiskBus.VIRTIO])
def test_a_pulled_disk_fails_alone_and_its_ranges_are_stated(
    container: LabContainer,
    small_overlay_as: OverlayAs,
    small_products: Products,
    run_stage: RunStage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    bus: DiskBus,
) -> None:
    unit = small_overlay_as(replace(unit_spec("smallraid1"), primaries=(DiskBus.AHCI, bus)))
    former = plant(unit, tmp_path)
    enough = allocated(unit, 1) + UNDER_WAY

    def pull(live: RunningMachine) -> None:
        backend = "/virtio-backend" if bus is DiskBus.VIRTIO else ""
        throttled = f"/machine/peripheral/primary1-device{backend}"
        live.qmp.execute("block_set_io_throttle", {"id": throttled, **SLOW})
        assert live.wait_end(ERASED.seconds, lambda: allocated(unit, 1) < enough) is Ending.TIMEOUT
        live.qmp.execute("device_del", {"id": "primary1-device"})
        press_key(unit, live)

    with factory_for(container.processes(), unit, "") as factory:
        words = (f"PROVISION_XLOG={factory.server.guest_url}", "DATA_ERASE_OPTIONS=technique:overwrite")
        machine = erasing(with_pluggable_disk(unit.machine(), 1), unit, small_products, *words)
        result = run_stage("erase", unit, FAILED, machine, pull)
    assert "FAILED" in console(result)
    assert "Data erase done" not in console(result)
    # Which disk is sda is not defined.
    found = report(unit)
    [pulled] = [disk for disk in found["disks"] if disk["verdict"] != "erased"]
    [other] = [disk for disk in found["disks"] if disk["verdict"] == "erased"]
    assert (found["verdict"], found["achieved"]) == ("failed", "not classified")
    assert (pulled["verdict"], pulled["achieved"], pulled["technique"]) == ("failed", "not classified", None)
    [left] = pulled["passes"][-1]["unwritten"]["ranges"]
    assert (left["start"] < left["end"], left["end"]) == (True, unit.spec.primary_size)
    assert pulled["errors"]
    assert (other["technique"], other["achieved"]) == ("overwrite", "clear")
    assert other["verification"]["examined"] == unit.spec.primary_size
    assert {one.partition(":")[0] for one in remains(unit, former)} == {"disk 1"}
    assert_recovery_is_intact(unit, former)
    with recovery(unit) as volume:
        certificate = volume.read(CERTIFICATE)
        assert json.loads(volume.read(RECORD))["State"] == "failed"
        (tmp_path / "X.json.sig").write_bytes(volume.read(f"{CERTIFICATE}.sig"))
    (tmp_path / "X.json").write_bytes(certificate)
    assert json.loads(certificate)["report"] == found
    assert main(["server", "key", "--data", unit.path(SERVER)]) == 0
    (tmp_path / "factory.pem").write_text(capsys.readouterr().out)
    assert main(["erase", "verify-certificate", str(tmp_path / "X.json"), "--key", str(tmp_path / "factory.pem")]) == 0


def with_pluggable_disk(machine: Machine, index: int) -> Machine:
    """The same machine; a PCI disk is behind a port from which it can be pulled. (SCSI disks can be pulled anyway.)"""
    disk = machine.disks[index]
    if disk.bus.pluggable:
        return machine
    port = {"driver": "pcie-root-port", "id": "hotplug0", "chassis": 1}
    device = {**disk_device(disk), "bus": "hotplug0"}
    arguments = (
        # The kernel of units has the driver for PCI Express hot-plug, not that for ACPI's.
        *("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"),
        *("-blockdev", json.dumps(block_node(disk)), "-device", json.dumps(port), "-device", json.dumps(device)),
    )
    others = (*machine.disks[:index], *machine.disks[index + 1 :])
    return replace(machine, disks=others, extra=(*machine.extra, *arguments))
