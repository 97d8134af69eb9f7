"""Units under OVMF with Secure Boot: what the firmware starts, what it refuses, and which kernels a restore puts in
place. virt-firmware enrols the key; sbverify and the firmware judge."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from virt.firmware.efi.guids import OvmfEnrollDefaultKeys
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.signing import KernelSigner, signed_program
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec, with_secure_boot
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED, Lab
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.owner import lab_trust
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.secure_boot import lab_signer
from gprov.apps.host.lab.smallroot import renumbered
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, partitions, raw_view, remove_flag
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.branding import Branding
from gprov.domain.formats.pe import authenticode_digest, parse_pe
from gprov.domain.image.companions import companions_of
from gprov.domain.image.name import ImageName
from gprov.domain.trust.chain import serialise_chain
from gprov.domain.unit.cap import CAP_DIGEST

pytestmark = pytest.mark.vm

CAPPED = hashlib.sha256(bytes(32) + CAP_DIGEST).hexdigest()  # of the TPM's register, extended once

RunStage = Callable[..., StageResult]
PROCESSES = SystemProcesses()
# The fallback loader gets no arguments, so that nothing is said on the serial line.
SILENTLY_STARTED = replace(STARTED, milestones=())
MAIN, SECOND = "norm_boot", "EFI/BOOT/BOOTX64.EFI"
NEWER = ImageName(date(2024, 2, 1), 2, "0002", Branding().image_prefix)
NORMAL_BOOT_REFUSED = re.compile(
    r'BdsDxe: failed to (load|start) Boot[0-9A-F]{4} "Normal Boot"[^\n]*(Violation|Denied)'
)


@dataclass(frozen=True)
class Signed:
    """Makes signed kernels. ``kernel``: with build number 1, unsigned."""

    container: LabContainer
    signer: KernelSigner
    kernel: bytes
    folder: Path

    def make(self, number: int) -> bytes:
        unsigned = self.folder / f"unsigned-{number}"
        unsigned.write_bytes(self.kernel if number == 1 else renumbered(self.kernel, number))
        made = signed_program(PROCESSES, self.container.cache(), self.container.progress(), str(unsigned), self.signer)
        subprocess.run(("sbverify", "--cert", self.signer.certificate, made), check=True, capture_output=True)
        return Path(made).read_bytes()

    def image(self, kernel: bytes) -> str:
        path = self.folder / "in-image"
        path.write_bytes(kernel)
        return self.container.small_images().image(str(path), NEWER)


@pytest.fixture(scope="module")
def signed(container: LabContainer, small_products: Products, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """The kernel is that of the other tests: the fragment secure-boot would need one of its own, and firmware treats
    both alike."""
    signer = lab_signer(PROCESSES, container.cache(), container.progress())
    kernel = Path(small_products.normal_kernel).read_bytes()
    return Signed(container, signer, kernel, tmp_path_factory.mktemp("kernels"))


def enrol(unit: VirtualUnit, certificate: str, forbidden: tuple[bytes, ...] = ()) -> None:
    """Add the keys to the variables of the unit, which keep its boot entries."""
    store = Edk2VarStore(unit.variables)
    variables = store.get_varlist()
    for name in ("PK", "KEK", "db"):
        variables.add_cert(name, OvmfEnrollDefaultKeys, certificate, replace=True)
    for digest in forbidden:
        variables.add_hash("dbx", OvmfEnrollDefaultKeys, digest.hex())
    variables.enable_secureboot()
    store.write_varstore(unit.variables, variables)


def put(unit: VirtualUnit, name: str, content: bytes, folder: Path) -> None:
    source = folder / "written"
    source.write_bytes(content)
    with raw_view(PROCESSES, unit.recovery, writable=True) as view:
        esp = f"{view}@@{partitions(PROCESSES, view)[0].start}"
        subprocess.run(("mcopy", "-D", "o", "-i", esp, source, f"::/{name}"), check=True, timeout=60)


def kernels(unit: VirtualUnit, folder: Path) -> list[bytes]:
    target = folder / "read"
    found = []
    for name in (MAIN, SECOND):
        with raw_view(PROCESSES, unit.recovery) as view:
            esp = f"{view}@@{partitions(PROCESSES, view)[0].start}"
            subprocess.run(("mcopy", "-D", "o", "-n", "-i", esp, f"::/{name}", target), check=True, timeout=60)
        found.append(target.read_bytes())
    return found


def add_image(unit: VirtualUnit, image: str) -> None:
    """A newer image, which the next start restores."""
    with ext_volume(PROCESSES, unit.recovery, 2, writable=True) as recovery:
        recovery.add(image, f"/Image/{Path(image).name}")
    remove_flag(PROCESSES, unit)


def secured_machine(unit: VirtualUnit) -> Machine:
    return replace(unit.machine(), secure_boot=True)


def secured_unit(overlay: VirtualUnit, signed: Signed, folder: Path) -> VirtualUnit:
    """The prepared unit with two signed kernels, and firmware that starts nothing else."""
    kernel = signed.make(1)
    for name in (MAIN, SECOND):
        put(overlay, name, kernel, folder)
    enrol(overlay, signed.signer.certificate)
    return overlay


def console(result: StageResult) -> str:
    return Path(result.serial_log).read_text(errors="replace")


def started(result: StageResult) -> None:
    """The system runs under Secure Boot. (Both kernels call themselves #1, whatever their headers say.)"""
    assert result.system is not None
    assert result.system.facts["secure_boot"] == "1"


def test_a_signed_update_is_installed_and_an_unsigned_kernel_is_passed_over(
    overlay: VirtualUnit, signed: Signed, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = secured_unit(overlay, signed, tmp_path)
    newer = signed.make(9)
    add_image(unit, signed.image(newer))
    run_stage("restore", unit, RESTORED, secured_machine(unit))
    assert kernels(unit, tmp_path) == [newer, signed.make(1)]  # the previous one starts if the newer does not
    started(run_stage("boot", unit, STARTED, secured_machine(unit)))

    put(unit, MAIN, renumbered(signed.kernel, 9), tmp_path)
    result = run_stage("fallback", unit, SILENTLY_STARTED, secured_machine(unit))
    started(result)
    assert NORMAL_BOOT_REFUSED.search(console(result))


@pytest.mark.nightly
def test_an_unsigned_kernel_of_an_image_is_not_installed(
    overlay: VirtualUnit, signed: Signed, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = secured_unit(overlay, signed, tmp_path)
    add_image(unit, signed.image(renumbered(signed.kernel, 9)))
    result = run_stage("restore", unit, RESTORED, secured_machine(unit))
    assert "the firmware would not start it: it is not signed" in console(result)
    assert kernels(unit, tmp_path) == [signed.make(1)] * 2
    result = run_stage("boot", unit, STARTED, secured_machine(unit))
    started(result)
    assert result.system is not None
    assert result.system.facts["disktag"] == f"{NEWER.stem}.disktag"


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["altered", "revoked"])
def test_altered_and_revoked_kernels_are_refused(
    overlay: VirtualUnit, signed: Signed, run_stage: RunStage, tmp_path: Path, kind: str
) -> None:
    unit = secured_unit(overlay, signed, tmp_path)
    kernel = signed.make(9)
    if kind == "altered":
        middle = len(kernel) // 2
        kernel = kernel[:middle] + bytes([kernel[middle] ^ 1]) + kernel[middle + 1 :]
    else:
        enrol(unit, signed.signer.certificate, (authenticode_digest(parse_pe(kernel), kernel),))
    put(unit, MAIN, kernel, tmp_path)
    result = run_stage("fallback", unit, SILENTLY_STARTED, secured_machine(unit))
    started(result)
    assert NORMAL_BOOT_REFUSED.search(console(result))


@pytest.mark.nightly
def test_without_a_signed_kernel_nothing_starts(
    overlay: VirtualUnit, signed: Signed, container: LabContainer, tmp_path: Path
) -> None:
    unit = secured_unit(overlay, signed, tmp_path)
    for name in (MAIN, SECOND):
        put(unit, name, signed.kernel, tmp_path)
    expected = replace(SILENTLY_STARTED, seconds=60.0)
    result = container.stages().run("refused", secured_machine(unit), unit.serial_log("refused"), expected)
    assert (result.ending, result.system) == (Ending.TIMEOUT, None)
    assert NORMAL_BOOT_REFUSED.search(console(result))


@pytest.mark.nightly
def test_a_whole_life_with_everything_that_protects_a_unit(container: LabContainer, tmp_path: Path) -> None:
    """As `gprov lab lifecycle --secure-boot --tpm --signed`, whose variable store we write, with the small system:
    kernels of the fragment secure-boot, which are in lockdown and have the keys of an owner; signed image."""
    secured = LabContainer()
    set_value(secured.progress, container.progress())
    set_value(secured.secure_boot, True)
    set_value(secured.signed, True)
    lab = Lab(PROCESSES, secured.stages(), secured.small_products)
    spec = replace(with_secure_boot(unit_spec("small")), tpm=True, signed=True)
    unit, results = lab.lifecycle(str(tmp_path / "unit"), spec)
    assert [result.reason for result in results] == [""] * 3
    assert "Secure Boot is on" in Path(unit.serial_log("provision")).read_text(errors="replace")
    started(results[-1])
    assert results[-1].system is not None
    facts = results[-1].system.facts
    assert "[integrity]" in str(facts["lockdown"])
    assert str(facts["cap"]).lower() == CAPPED
    chain = lab_trust().chain
    assert chain is not None
    with ext_volume(PROCESSES, unit.recovery, 2) as recovery:
        assert recovery.read("/trust/trust.chain") == serialise_chain(chain)
        assert recovery.has("/secrets/admin.hash.sealed")
        names = recovery.names("/Image")
    image = secured.small_products().image_name
    assert {image, *companions_of(image)} <= set(names)
