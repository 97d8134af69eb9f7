"""Units whose kernel trusts the images of one owner, and what tests do with their chains, records and images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.emergency_stick import EMERGENCY_IMAGE, emergency_image, plug_stick
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in, sign_factory, signed_files
from gprov.apps.unit.execution.tpm.ratchets import SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX, TpmRatchets
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.image.manifest import Release
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.ratchets import RatchetValues
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

PREFIX = "EmergencyFile_"
MENU = ["any", str(ITEMS.index(Item.RESTORE_CHOSEN)), "yes"]
CHAIN = "/trust/trust.chain"
CHAIN_COPY = "/trust/trust.chain.copy"
BESIDE_IMAGES = "/Image/trust.chain"
RATCHETS = "/trust/ratchets.json"
INSTALLED = "/trust/installed.manifest"
CONFIRMED = "/etc/provisioning/boots_confirmed"
SERVICE = "/etc/systemd/system/multi-user.target.wants/gprov-boot-good.service"
THIRD = "WIDGET.LNX.SHINY.2026-03-01.1.upd"


def chain_of(*statements: tuple[list[str], list[str]]) -> Owner:
    """An owner with further statements: signers and revoked keys."""
    owner = Owner()
    for signers, revoked in statements:
        owner.state(signers, revoked)
    return owner


FIRST = Owner()
SECOND_KEY = "second signer"
STOLEN = chain_of(([SECOND_KEY], [FIRST.first]))  # the first signer's key was stolen
LATER = chain_of(([SECOND_KEY], [FIRST.first]), ([SECOND_KEY], [FIRST.first]))


@cache
def _running(policy: TrustPolicy, *, tpm: bool) -> UnitDriver:
    unit = units.blank()
    sign_factory(unit.world, FIRST, Release(1, 1))
    build_in(unit.world, FIRST, policy)
    if tpm:
        unit.machine.tpm = FakeTpmChip.new()
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return unit


def running(policy: TrustPolicy = TrustPolicy.ENFORCE, *, tpm: bool = False) -> UnitDriver:
    """A unit with an image of security version and floor 1."""
    return _running(policy, tpm=tpm).copy()


def chip_of(unit: UnitDriver) -> FakeTpmChip:
    assert unit.machine.tpm is not None
    return unit.machine.tpm


def in_tpm(unit: UnitDriver) -> RatchetValues:
    indices = chip_of(unit).nv
    floor, version = (
        int.from_bytes(indices[index].data, "big") if index in indices else 0
        for index in (SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX)
    )
    return RatchetValues(floor, version)


def raise_in_tpm(unit: UnitDriver, values: RatchetValues) -> None:
    TpmRatchets(FakeTpm(unit.machine), unit.machine.clock).raise_to(values)


def add(
    unit: UnitDriver, name: str, release: Release, signer: str = "", *, confirms: bool = True, kernel: int = 100
) -> None:
    extra = {SERVICE.lstrip("/"): b"", f"etc/{name}": b""} if confirms else {f"etc/{name}": b""}
    for beside, data in signed_files(
        name, build_image(build_kernel(kernel), extra=extra), FIRST, release, signer
    ).items():
        unit.put("RECOVERY", f"/Image/{beside}", data)


def restore(unit: UnitDriver) -> str:
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    [name] = unit.systems()
    return name


def confirm(unit: UnitDriver, count: int = 1) -> None:
    """The system reports that it is up."""
    unit.put("PRIMARY", CONFIRMED, f"{count} {count}\n".encode())


def values(unit: UnitDriver) -> Mapping[str, int]:
    document = json.loads(unit.read("RECOVERY", RATCHETS))
    return {key: document[key] for key in ("SecurityFloor", "TrustVersion")}


def stick(unit: UnitDriver, files: Mapping[str, bytes]) -> None:
    plug_stick(unit.world, {PREFIX + name: data for name, data in files.items()})


def emergency(signer: str = "", release: Release | None = None) -> Mapping[str, bytes]:
    """``release``: None for the first one, Release(1, 1)."""
    return signed_files(EMERGENCY_IMAGE, emergency_image(), FIRST, release or Release(1, 1), signer)
