"""A unit with a TPM: its secrets on RECOVERY are sealed, restores read them, the running system does not."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.system.passwords import CryptPasswordHasher
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED, Lab
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import remove_flag
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.cap import CAP_DIGEST
from tests.integ.tpm.tpm_on_terminal import tpm_on_terminal
from tests.integ.vm.conftest import RunStage
from tests.integ.vm.stored_passwords import stored_passwords
from tests.integ.vm.unit_disks import primary_of, recovery_of

pytestmark = pytest.mark.vm

SEALED = "/secrets/admin.hash.sealed"
CAPPED = hashlib.sha256(bytes(32) + CAP_DIGEST).hexdigest()


@pytest.fixture(scope="module", params=["uefi", pytest.param("bios", marks=pytest.mark.nightly)])
def unit(
    request: pytest.FixtureRequest,
    container: LabContainer,
    small_products: Products,
    tmp_path_factory: pytest.TempPathFactory,
) -> VirtualUnit:
    """It was provisioned, restored and started."""
    spec = unit_spec("small", FirmwareKind(request.param), "LAB0TPM")
    lab = Lab(container.processes(), container.stages(), lambda: small_products)
    unit, results = lab.lifecycle(str(tmp_path_factory.mktemp("unit")), replace(spec, tpm=True))
    for result in results:
        assert result.passed, "\n".join([result.name, result.reason, *result.tail])
    assert results[-1].system
    # As the kernel of the running system reads it: what was sealed cannot be unsealed there.
    assert str(results[-1].system.facts["cap"]).lower() == CAPPED
    return unit


def password_field(unit: VirtualUnit) -> str:
    with primary_of(unit) as primary:
        (found,) = re.findall(r"^admin:([^:]*):", primary.read("/etc/shadow").decode(), re.MULTILINE)
        return str(found)


def test_recovery_holds_what_only_the_unit_s_tpm_opens(unit: VirtualUnit, tmp_path: Path) -> None:
    field = password_field(unit)
    assert CryptPasswordHasher().matches(stored_passwords(unit).os, PasswordHash(field))
    with recovery_of(unit) as volume:
        assert set(volume.names("/secrets")) == {"admin.hash.sealed", "unit.key.sealed"}
        sealed = volume.read(SEALED)
    assert field.encode() not in sealed
    # The same TPM, started anew on this machine.
    shutil.copytree(unit.tpm, tmp_path / "state")
    with tpm_on_terminal(tmp_path) as tpm:
        assert TpmSealing(tpm.adapter, FakeClock()).unseal(SEALED, sealed).decode().strip() == field


def test_recovery_in_a_unit_with_another_tpm_gives_a_locked_account(
    unit: VirtualUnit, container: LabContainer, run_stage: RunStage, tmp_path: Path
) -> None:
    other = unit.overlay(str(tmp_path / "unit"), container.processes())
    shutil.rmtree(other.tpm)
    remove_flag(SystemProcesses(), other)
    run_stage("locked", other, RESTORED)
    assert password_field(other) == "!"
    console = Path(other.serial_log("locked")).read_text(errors="replace")
    assert re.search(r"admin account .* LOCKED: TPM: .* made by another TPM", console), console[-3000:]
    assert run_stage("locked-start", other, STARTED).system


@pytest.mark.nightly
def test_the_next_restore_sets_the_password_again(
    unit: VirtualUnit, container: LabContainer, run_stage: RunStage, tmp_path: Path
) -> None:
    other = unit.overlay(str(tmp_path / "unit"), container.processes())
    before = password_field(other)
    remove_flag(SystemProcesses(), other)
    run_stage("again", other, RESTORED)
    assert password_field(other) == before
