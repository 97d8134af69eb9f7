"""Units as gprovision leaves them get gprov's kernel and an image, as docs/how-to/takeover.md says, are restored and
start.

`GPROV_GRUB4DOS=FOLDER`, with ``grldr`` and ``bootlace64.com`` of gprovision's tree, installs grub4dos on the disks of
the BIOS unit, and every stage starts from it. Debian has no package of it. Without it, QEMU loads the kernel of the
boot partition with the arguments of its menu, and GRUB on the data disk starts the restored system.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.external_tools import ext_digest, ext_problems, fat_digest, partition_copy
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.products import file_digest
from gprov.apps.host.lab.smallroot import renumbered
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, ext_volume, partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.image.name import ImageName
from tests.gprovision import menus, volumes
from tests.gprovision.disks import OLD_BUILD, EarlierUnit, Grub4Dos, first_sectors

pytestmark = pytest.mark.vm

RunStage = Callable[..., object]
PROCESSES = SystemProcesses()
NEW_BUILD = 9
NEW_IMAGE = ImageName(date(2024, 2, 1), 2, "0002", Branding().image_prefix)
ARGUMENTS = (
    "quiet console=ttyS0 PROVISION_VERBOSE=1 PROVISION_KEY_WINDOW=0 PROVISION_FAILURE_HOLD=5 no_timer_check panic=5"
)
BOOT, SYSTEM, STICK = 1, 2, 1  # partitions of a BIOS unit
LOADER = os.environ.get("GPROV_GRUB4DOS", "")


@pytest.fixture(scope="module")
def kernel(container: LabContainer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kernel") / "norm_boot"
    path.write_bytes(renumbered(Path(container.builder().kernel(Flavor.NORMAL)).read_bytes(), NEW_BUILD))
    return path


@pytest.fixture(scope="module")
def images(container: LabContainer, kernel: Path) -> dict[str, bytes]:
    """That of the earlier system, and the one with gprov's kernel."""
    new = container.small_images().image(str(kernel), NEW_IMAGE)
    earlier = build_image(build_kernel(OLD_BUILD, "4.19.114-norm_boot"))
    return {f"{volumes.EARLIER_IMAGE}.upd": earlier, NEW_IMAGE.filename: Path(new).read_bytes()}


def put_kernel(volume: AbstractContextManager[ExtVolume], kernel: Path) -> None:
    with volume as files:
        files.remove("/norm_boot")
        files.add(str(kernel), "/norm_boot")


def first_bytes(image: str) -> bytes:
    with raw_view(PROCESSES, image) as view:
        return first_sectors(view)


def crypted(password: str, like: str) -> str:
    """crypt(3) of the password with the method and salt of a hash."""
    script = "chomp(my $p = <STDIN>); print crypt($p, $ARGV[0]);"
    done = subprocess.run(["perl", "-e", script, like], input=password, capture_output=True, text=True, check=True)
    return done.stdout


def check_recovery(files: ExtVolume, shadow: str) -> None:
    (field,) = re.findall(r"^admin:([^:]*):", shadow, re.MULTILINE)
    assert field.startswith("$")
    assert crypted(volumes.PASSWORD, field) == field
    assert files.read("/secrets/admin.hash").decode().strip() == field
    assert not files.has("/insecure.storage")
    assert not files.has("/fr.data")
    results = json.loads(files.read("/log/recovery_history.json"))["ImageResults"]
    assert [result["Image"] for result in results] == [NEW_IMAGE.stem, volumes.EARLIER_IMAGE]
    assert set(volumes.LOGS) <= {f"/log/{name}" for name in files.names("/log")}
    for path, content in volumes.LOGS.items():
        assert files.read(path) == content


def check_owners(unit: VirtualUnit, paths: tuple[str, ...]) -> None:
    with raw_view(PROCESSES, unit.recovery) as view:
        device = f"{view}?offset={partitions(PROCESSES, view)[-1].start}"
        for path in paths:
            shown = PROCESSES.run(("debugfs", "-R", f"stat {path}", device)).output.decode()
            assert re.search(r"User: +0 +Group: +0 ", shown), f"{path}: {shown}"


def started_from(machine: Machine, disk: str) -> Machine:
    """With this disk as the first that the BIOS tries."""
    return replace(machine, disks=tuple(replace(each, bios_bootable=each.name == disk) for each in machine.disks))


def test_a_bios_unit_is_restored_and_started(
    images: dict[str, bytes], kernel: Path, run_stage: RunStage, tmp_path: Path
) -> None:
    loader = Grub4Dos(Path(LOADER)) if LOADER else None
    earlier = EarlierUnit(FirmwareKind.BIOS, images, ARGUMENTS, loader)
    unit = earlier.make(tmp_path / "unit")
    put_kernel(ext_volume(PROCESSES, unit.recovery, STICK, writable=True), kernel)
    put_kernel(ext_volume(PROCESSES, unit.primary(), BOOT, writable=True), kernel)
    before = first_bytes(unit.recovery)

    # grub4dos draws its menus on a screen.
    machine = replace(unit.machine(), extra=("-device", "VGA") if loader else ())
    run_stage("restore", unit, RESTORED, machine if loader else machine.booting(earlier.menu_start(kernel)))
    run_stage("boot", unit, STARTED, machine if loader else started_from(machine, "primary0"))

    with ext_volume(PROCESSES, unit.primary(), SYSTEM) as system:
        assert system.has(f"/{NEW_IMAGE.stem}.disktag")
        shadow = system.read("/etc/shadow").decode()
    with ext_volume(PROCESSES, unit.recovery, STICK) as files:
        check_recovery(files, shadow)
        assert files.read("/menu.lst") == menus.first_menu(ARGUMENTS)
        assert b"PROVISION_LOADER_FALLBACK=1" in files.read("/GPROVFBK.boot")
        assert files.read("/gprov/norm_boot") == files.read("/norm_boot") == kernel.read_bytes()
    with ext_volume(PROCESSES, unit.primary(), BOOT) as boot:
        assert b"real_root=UUID=" in boot.read("/GPROVHDD.boot")
        assert boot.read("/norm_boot") == kernel.read_bytes()
    check_owners(unit, ("/", "/Image", "/log", "/norm_boot", "/menu.lst", "/grldr", "/GPROVFBK.boot"))
    assert first_bytes(unit.recovery) == before  # the loader of gprovision stays
    with raw_view(PROCESSES, unit.recovery) as view:
        assert list(ext_problems(PROCESSES, f"{view}?offset={partitions(PROCESSES, view)[0].start}")) == []


@pytest.mark.nightly
def test_a_uefi_unit_is_restored_and_started(
    images: dict[str, bytes], kernel: Path, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = EarlierUnit(FirmwareKind.UEFI, images, ARGUMENTS).make(tmp_path / "unit")
    with raw_view(PROCESSES, unit.recovery, writable=True) as view:
        offset = partitions(PROCESSES, view)[0].start
        subprocess.run(["mcopy", "-o", "-i", f"{view}@@{offset}", str(kernel), "::norm_boot"], check=True)

    run_stage("restore", unit, RESTORED)
    run_stage("boot", unit, STARTED)

    with ext_volume(PROCESSES, unit.primary(), 1) as system:
        assert system.has(f"/{NEW_IMAGE.stem}.disktag")
        shadow = system.read("/etc/shadow").decode()
    with ext_volume(PROCESSES, unit.recovery, 2) as files:
        check_recovery(files, shadow)
    check_owners(unit, ("/", "/Image", "/log"))
    with raw_view(PROCESSES, unit.recovery) as view:
        esp, recovery = partitions(PROCESSES, view)
        assert ext_digest(PROCESSES, f"{view}?offset={recovery.start}", "/norm_boot") != file_digest(str(kernel))
        assert list(ext_problems(PROCESSES, f"{view}?offset={recovery.start}")) == []
        with partition_copy(view, esp) as copy:
            for path in ("norm_boot", "EFI/BOOT/BOOTX64.EFI"):
                assert fat_digest(PROCESSES, copy, path) == file_digest(str(kernel))
