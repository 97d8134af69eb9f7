"""A unit whose kernel has the keys of its owner: what it takes from RECOVERY and from a stick.

The keys come in a second initramfs, which QEMU's loader puts beside that of the kernel, instead of with a kernel of
their own: that would be linked for minutes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cpio import archive, folder, regular
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, DiskBus, Machine, VirtualDisk
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import remove_flag
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.image.manifest import Release
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy
from tests.integ.vm.conftest import PrepareUnit, RunStage
from tests.integ.vm.test_emergency import make_stick
from tests.integ.vm.test_restore import tag
from tests.integ.vm.unit_disks import disktags, newest_log, recovery_of

pytestmark = pytest.mark.vm

PREFIX = "EmergencyFile_"
# The newest is tried first.
UNSIGNED = "WIDGET.LNX.SHINY.2027-04-01.1.upd"
OF_A_STRANGER = "WIDGET.LNX.SHINY.2027-03-01.1.upd"
OLD = "WIDGET.LNX.SHINY.2027-02-01.1.upd"
ALTERED = "WIDGET.LNX.SHINY.2027-01-15.1.upd"
GOOD = "WIDGET.LNX.SHINY.2027-01-01.1.upd"
# The restore from the stick fails before anything is written, and the system starts.
REFUSED = replace(STARTED, milestones=(INIT_STARTED, "FR_STARTED", "FR_FAILED", HANDOVER), seconds=600.0)
OWNER = Owner()
OWNER.state(["later signer"], ["owner signer 1"])


def keys(path: Path, policy: TrustPolicy) -> str:
    """An initramfs with the trust of a kernel whose images must have the security version 2."""
    files = {
        built_in.CHAIN_PATH: OWNER.chain,
        built_in.POLICY_FILE: built_in.serialise_policy(policy),
        built_in.SECURITY_VERSION_FILE: built_in.serialise_security_version(2),
    }
    nodes = [folder("etc"), folder("etc/gprov"), folder("etc/gprov/trust")]
    path.write_bytes(archive([*nodes, *(regular(name.lstrip("/"), content) for name, content in files.items())]))
    return str(path)


def put(unit: VirtualUnit, work: Path, files: Mapping[str, bytes]) -> None:
    with recovery_of(unit, writable=True) as recovery:
        for name, content in files.items():
            (work / "file").write_bytes(content)
            recovery.add(str(work / "file"), f"/Image/{name}")


def under_keys(machine: Machine, products: Products, initramfs: str, *sticks: str) -> Machine:
    disks = tuple(
        VirtualDisk(name=f"stick{index}", file=file, bus=DiskBus.USB, serial=f"STICK{index}")
        for index, file in enumerate(sticks)
    )
    arguments = ("quiet", "real_root=LABEL=PRIMARY", *UNIT_ARGUMENTS, "PROVISION_EMERGENCY_WAIT=120")
    started = machine.booting(DirectKernel(products.normal_kernel, arguments, initramfs))
    return replace(started, disks=(*machine.disks, *disks))


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=str)
def test_a_unit_takes_only_what_its_owner_allows(
    firmware: FirmwareKind,
    small_prepared_as: PrepareUnit,
    small_products: Products,
    run_stage: RunStage,
    tmp_path: Path,
) -> None:
    processes = SystemProcesses()
    unit = small_prepared_as(unit_spec("small", firmware)).overlay(str(tmp_path / "unit"), processes)
    image = Path(small_products.image).read_bytes()
    signer, release = "later signer", Release(security_version=2, floor=2)
    altered = dict(signed_files(ALTERED, image, OWNER, release, signer))
    middle = len(image) // 2
    altered[ALTERED] = image[:middle] + bytes((image[middle] ^ 1,)) + image[middle + 1 :]
    files = {
        UNSIGNED: image,
        **signed_files(OF_A_STRANGER, image, Owner("stranger"), release),
        **signed_files(OLD, image, OWNER, Release(1, 1), signer),
        **altered,
        **signed_files(GOOD, image, OWNER, release, signer),
    }
    put(unit, tmp_path, files)
    remove_flag(processes, unit)
    initramfs = keys(tmp_path / "keys", TrustPolicy.ENFORCE)

    run_stage("allowed", unit, RESTORED, under_keys(unit.machine(), small_products, initramfs))
    assert disktags(unit) == [tag(GOOD)]
    with recovery_of(unit) as recovery:
        log = newest_log(recovery, "recov")
        assert recovery.read("/trust/trust.chain") == OWNER.chain
        numbers = json.loads(recovery.read("/trust/ratchets.json"))
    assert (numbers["SecurityFloor"], numbers["TrustVersion"]) == (0, 2)
    for name, reason in (
        (UNSIGNED, "is not signed"),
        (OF_A_STRANGER, "which is no key of the owner"),
        (OLD, "has the security version 1, below the floor of this unit, 2"),
        (ALTERED, "SHA-256"),
    ):
        assert [line for line in log.splitlines() if f" ERROR /mnt/RECOVERY/Image/{name}" in line and reason in line]

    sticks = tmp_path / "sticks"
    sticks.mkdir()
    stick = make_stick(sticks, "vfat", {f"{PREFIX}WIDGET.LNX.SHINY.2028-01-01.1.upd": Path(small_products.image)})
    # Under enforce the console would be asked, for a minute.
    always = keys(tmp_path / "always", TrustPolicy.ENFORCE_ALWAYS)
    run_stage("stick", unit, REFUSED, under_keys(unit.machine(), small_products, always, stick))
    assert disktags(unit) == [tag(GOOD)]
    assert "is not signed" in Path(unit.serial_log("stick")).read_text(errors="replace")
    shutil.rmtree(tmp_path / "unit")
