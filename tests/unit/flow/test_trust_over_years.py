"""What a unit remembers of its owner: trust chains, their version, the security floor; and the person who overrules
it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

import pytest
from typing_extensions import override

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.emergency_stick import EMERGENCY_IMAGE, emergency_image, plug_stick
from gprov.apps.host.simulation.invariants import system_problems
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.host.simulation.owner import Owner, sign
from gprov.apps.host.simulation.signed_factory import build_in, sign_factory, signed_files
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.apps.unit.execution.tpm.ratchets import SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX, TpmRatchets
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.files import FileType
from gprov.domain.image.companions import companions_of
from gprov.domain.image.history import parse_history
from gprov.domain.image.manifest import Release
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.ratchets import RatchetValues
from gprov.ports.signatures import SignatureVerifier
from tests.unit.flow import units
from tests.unit.flow.driver import HISTORY, KERNELS, NEWER, NORMAL, UnitDriver

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


@pytest.fixture(params=[False, True], ids=["no TPM", "TPM"])
def unit(request: pytest.FixtureRequest) -> UnitDriver:
    return running(tpm=request.param)


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


def emergency(signer: str = "", release: Release = Release(1, 1)) -> Mapping[str, bytes]:  # noqa: B008 - immutable
    return signed_files(EMERGENCY_IMAGE, emergency_image(), FIRST, release, signer)


# --- chains ---


def test_provisioning_keeps_the_chain_of_the_kernel(unit: UnitDriver) -> None:
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 1}
    assert unit.node("RECOVERY", RATCHETS).mode == 0o600


def test_a_key_is_stolen_and_a_unit_that_was_offline_for_a_year_gets_the_update(unit: UnitDriver) -> None:
    """The chain comes beside the image that the new key signed."""
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == IMAGE_NAME
    assert "which is no key of the owner" in unit.errors()
    unit.put("RECOVERY", BESIDE_IMAGES, LATER.chain)
    assert restore(unit) == NEWER
    assert unit.read("RECOVERY", CHAIN) == LATER.chain
    assert values(unit)["TrustVersion"] == 3
    add(unit, THIRD, Release(9, 1))
    assert restore(unit) == NEWER
    assert "which was revoked (trust version 3)" in unit.errors()


def test_a_chain_stays_when_it_is_taken_away_from_beside_the_images(unit: UnitDriver) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", BESIDE_IMAGES)
    add(unit, THIRD, Release(2, 1))
    assert restore(unit) == NEWER
    assert "which was revoked (trust version 2)" in unit.errors()


def test_an_image_that_the_owner_keeps_can_still_be_restored(unit: UnitDriver) -> None:
    manifest = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}.manifest")
    owner = Owner()
    owner.state([SECOND_KEY], [owner.first], keep=[manifest])
    unit.put("RECOVERY", BESIDE_IMAGES, owner.chain)
    add(unit, NEWER, Release(2, 1))
    assert restore(unit) == IMAGE_NAME


def test_roots_are_replaced_by_old_and_new_ones_together(unit: UnitDriver) -> None:
    owner = Owner()
    owner.state([owner.first], roots="new root")
    owner.state([owner.first, SECOND_KEY])
    unit.put("RECOVERY", BESIDE_IMAGES, owner.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER


def test_the_chain_on_a_stick_is_adopted_with_its_image(unit: UnitDriver) -> None:
    stick(unit, {**emergency(SECOND_KEY), "trust.chain": STOLEN.chain})
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert unit.read("RECOVERY", CHAIN) == STOLEN.chain


def test_a_chain_alone_on_a_stick_requests_nothing(unit: UnitDriver) -> None:
    stick(unit, {"trust.chain": STOLEN.chain})
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain
    assert "EmergencyFile_trust.chain is not used without an image" in unit.warnings()


def test_without_recovery_a_chain_is_used_and_nothing_is_kept() -> None:
    """The RECOVERY that is found again has the older chain, and its images are good."""
    unit = running(tpm=True)
    recovery = unit.machine.disks[1]
    recovery.detached = True
    stick(unit, {**emergency(SECOND_KEY), "trust.chain": STOLEN.chain})
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [EMERGENCY_IMAGE]
    assert in_tpm(unit).trust_version == 1


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (b"", "JSON"),
        (b"[]", "trust.chain"),
        (Owner("stranger").chain, "the trust chain of another owner"),
        (STOLEN.chain.replace(b"Signatures", b"Signature"), "Signatures"),
    ],
)
@pytest.mark.parametrize("place", [BESIDE_IMAGES, CHAIN])
def test_a_chain_that_is_not_the_owners_is_reported_and_not_used(
    unit: UnitDriver, place: str, chain: bytes, reason: str
) -> None:
    unit.put("RECOVERY", place, chain)
    assert restore(unit) == IMAGE_NAME
    assert reason in unit.lines()
    assert unit.read("RECOVERY", CHAIN) == FIRST.chain


@pytest.mark.parametrize("damaged", [CHAIN, CHAIN_COPY])
def test_one_damaged_copy_of_the_chain_leaves_a_unit_that_restores_itself(unit: UnitDriver, damaged: str) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", BESIDE_IMAGES)
    content = bytearray(STOLEN.chain)
    content[len(content) // 2] ^= 1
    unit.put("RECOVERY", damaged, bytes(content))
    assert restore(unit) == NEWER
    assert unit.read("RECOVERY", damaged) == STOLEN.chain
    assert f"{damaged}: " in unit.errors()


def test_a_link_is_no_chain(unit: UnitDriver) -> None:
    unit.put("RECOVERY", BESIDE_IMAGES, Node(type=FileType.SYMLINK, content=b"../other.chain"))
    unit.put("RECOVERY", "/other.chain", STOLEN.chain)
    assert restore(unit) == IMAGE_NAME
    assert "is no file" in unit.errors()


@pytest.mark.parametrize("change", ["deleted", "put back"])
def test_a_recovery_with_an_older_chain_than_the_unit_has_seen_is_not_believed(change: str) -> None:
    """A thief brings an image of the stolen key, and takes the chain away that revokes it."""
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", "/trust")
    unit.remove("RECOVERY", BESIDE_IMAGES)
    if change == "put back":
        unit.put("RECOVERY", CHAIN, FIRST.chain)
    add(unit, THIRD, Release(2, 1))
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWER]
    assert not unit.exists("PRIMARY", "/boot.normal")
    assert "the trust chain is of version 1, but this unit has seen version 2" in unit.errors()
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    assert restore(unit) == NEWER


def test_what_is_on_recovery_alone_does_not_protect_from_an_attacker_who_can_write_it() -> None:
    """As docs/explanation/threat-model.md says: without a TPM."""
    unit = running()
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", "/trust")
    unit.remove("RECOVERY", BESIDE_IMAGES)
    add(unit, THIRD, Release(2, 1))
    assert restore(unit) == THIRD


def test_a_kernel_with_a_longer_chain_than_recovery_counts(unit: UnitDriver) -> None:
    build_in(unit.world, STOLEN)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "which was revoked" in unit.errors()
    assert unit.read("RECOVERY", CHAIN) == STOLEN.chain


def test_a_recovery_that_takes_no_chain_does_not_have_its_version_recorded() -> None:
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"write /mnt/RECOVERY{CHAIN}", times=1000))
    assert restore(unit) == NEWER
    assert in_tpm(unit).trust_version == 1


def test_a_cut_while_a_chain_is_adopted_leaves_a_unit_that_believes_one(unit: UnitDriver) -> None:
    """Also if the chain is taken away from beside the images then."""
    unit.put("RECOVERY", BESIDE_IMAGES, chain_of(([FIRST.first, SECOND_KEY], [])).chain)
    unit.remove_flag()
    places = [at for at, name in enumerate(unit.operations()) if "/trust/" in name]
    assert len(places) > 4
    for at in places:
        copy = unit.copy()
        copy.cut(at)
        copy.remove("RECOVERY", BESIDE_IMAGES)
        assert copy.settle()[-1] == "switched root"


# --- floor ---


def test_the_floor_follows_at_the_start_after_the_system_was_up(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    assert values(unit)["SecurityFloor"] == 0
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 0
    confirm(unit, 2)
    unit.put("PRIMARY", CONFIRMED, b"2 1\n")
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 2
    assert unit.machine.tpm is None or in_tpm(unit).security_floor == 2
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "has the security version 1, below the floor of this unit, 2" in unit.errors()


def test_the_floor_follows_at_the_next_restore_at_the_latest(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [NEWER]
    assert "below the floor of this unit, 2" in unit.errors()


def test_until_then_a_unit_can_fall_back(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME


def test_a_system_that_never_says_that_it_is_up_raises_nothing(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(3, 2), confirms=False)
    assert restore(unit) == NEWER
    assert unit.boot() is StopReason.SWITCHED_ROOT
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME


def test_a_start_without_recovery_is_not_delayed_for_long(unit: UnitDriver) -> None:
    confirm(unit)
    unit.machine.disks[1].detached = True
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() <= 5


@pytest.mark.parametrize("what", ["removed", "another", "forged", "revoked"])
def test_only_a_manifest_that_counts_raises_the_floor(unit: UnitDriver, what: str) -> None:
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    if what == "removed":
        unit.remove("RECOVERY", INSTALLED)
    elif what == "another":
        manifest = FIRST.manifest(THIRD, emergency_image(), Release(9, 9))
        unit.put("RECOVERY", INSTALLED, manifest)
        unit.put("RECOVERY", f"{INSTALLED}.minisig", sign(FIRST.first, manifest))
    elif what == "forged":
        manifest = unit.read("RECOVERY", INSTALLED)
        unit.put("RECOVERY", INSTALLED, manifest.replace(b'"Floor": 2', b'"Floor": 9').replace(b": 3,", b": 9,"))
    else:
        unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 0


def test_an_image_without_a_manifest_leaves_none_behind() -> None:
    unit = running(TrustPolicy.WARN)
    assert unit.exists("RECOVERY", INSTALLED)
    unit.add_image(NEWER)
    assert restore(unit) == NEWER
    assert not unit.exists("RECOVERY", INSTALLED)
    assert not unit.exists("RECOVERY", f"{INSTALLED}.minisig")


def test_the_security_version_of_the_kernel_counts_and_is_stored_nowhere() -> None:
    unit = running(tpm=True)
    build_in(unit.world, FIRST, version=2)
    unit.put("RECOVERY", BESIDE_IMAGES, chain_of(([FIRST.first, SECOND_KEY], [])).chain)
    add(unit, NEWER, Release(2, 0))
    assert restore(unit) == NEWER
    assert "below the floor of this unit, 2" not in unit.errors()
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "below the floor of this unit, 2" in unit.errors()
    assert in_tpm(unit) == RatchetValues(security_floor=0, trust_version=2)
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 2}


class _Broken(SignatureVerifier):
    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        raise ValueError("a case that was not thought of")


def test_a_floor_above_all_images_on_recovery_is_reported_while_the_system_is_up(unit: UnitDriver) -> None:
    """The stick with the image was taken away, and RECOVERY has only what is below the floor now."""
    stick(unit, emergency(release=Release(5, 5)))
    assert unit.boot() is StopReason.REBOOT
    unit.machine.disks[-1].detached = True
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 5
    expected = f"RECOVERY has no image that this unit may restore ({IMAGE_NAME.removesuffix('.upd')} has the security"
    assert expected in unit.errors()
    add(unit, NEWER, Release(5, 5))
    assert restore(unit) == NEWER


def test_an_error_in_recording_does_not_keep_the_system_from_starting(unit: UnitDriver) -> None:
    confirm(unit)

    def install(container: UnitContainer) -> None:
        set_value(container.signature_verifier, _Broken())

    unit.world.install = install
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "the security floor is looked at again before the next restore: unexpected error: ValueError" in unit.log()


# --- units of an earlier version ---


def test_a_unit_whose_images_are_signed_later_restores_itself_with_a_kernel_that_enforces() -> None:
    """docs/how-to/signing.md, "Units that are in the field": manifests first, then the kernel."""
    unit = units.running()
    build_in(unit.world, FIRST)
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    stem = IMAGE_NAME.removesuffix(".upd")
    assert f"RECOVERY has no image that this unit may restore ({stem} is not signed" in unit.errors()
    image = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}")
    for name, data in signed_files(IMAGE_NAME, image, FIRST, Release()).items():
        if name != IMAGE_NAME:
            unit.put("RECOVERY", f"/Image/{name}", data)
    assert restore(unit) == IMAGE_NAME
    told = unit.errors().count("no image that this unit may restore")
    confirm(unit)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert unit.errors().count("no image that this unit may restore") == told


def test_a_unit_whose_images_are_not_signed_keeps_its_system_and_a_person_can_insist() -> None:
    unit = units.running()
    build_in(unit.world, FIRST)
    unit.machine.operator_present = True
    unit.machine.keys = [*MENU, "0", "yes", "yes", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" in unit.warnings()


# --- records that are damaged ---


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 5000, b'{"Format": 1, "SecurityFloor": -1, "TrustVersion": 1}'])
def test_a_damaged_record_is_reported_and_the_others_count(content: bytes) -> None:
    unit = running(tpm=True)
    raise_in_tpm(unit, RatchetValues(security_floor=2, trust_version=1))
    unit.put("RECOVERY", RATCHETS, content)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "a record of security versions cannot be used" in unit.errors()
    assert "below the floor of this unit, 2" in unit.errors()


def test_a_damaged_record_is_written_anew_when_a_number_is_raised() -> None:
    unit = running(tpm=True)
    raise_in_tpm(unit, RatchetValues(security_floor=1, trust_version=1))
    unit.put("RECOVERY", RATCHETS, b"")
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit) == {"SecurityFloor": 1, "TrustVersion": 2}


def test_a_tpm_that_does_not_answer_is_reported_and_the_file_counts() -> None:
    unit = running(tpm=True)
    chip_of(unit).failed = True
    assert restore(unit) == IMAGE_NAME
    assert "TPM: TPM2_NV_ReadPublic: it is in failure mode" in unit.errors()


def test_a_number_that_only_the_file_has_never_gets_into_the_tpm() -> None:
    """It would refuse all images for ever."""
    unit = running(tpm=True)
    record = {"Format": 1, "SecurityFloor": 2_000_000, "TrustVersion": 1}
    unit.put("RECOVERY", RATCHETS, json.dumps(record).encode())
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "below the floor of this unit, 2000000" in unit.errors() or "revoked" in unit.errors()
    assert in_tpm(unit) == RatchetValues(security_floor=0, trust_version=2)


def write_record(unit: UnitDriver, floor: int, version: int) -> None:
    record = {"Format": 1, "SecurityFloor": floor, "TrustVersion": version}
    unit.put("RECOVERY", RATCHETS, json.dumps(record).encode())


def test_a_number_that_the_file_has_already_gets_into_the_tpm_when_it_counts() -> None:
    """Else an attacker writes the numbers of the next update into the file, and removes it after the update."""
    unit = running(tpm=True)
    write_record(unit, 2, 2)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    assert restore(unit) == NEWER
    confirm(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert in_tpm(unit) == RatchetValues(2, 2)


def test_a_number_of_the_kernel_itself_is_recorded_when_it_counts(unit: UnitDriver) -> None:
    """An older kernel of the owner, which Secure Boot lets start, has a lower one."""
    build_in(unit.world, STOLEN, version=2)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 2}
    confirm(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit) == {"SecurityFloor": 2, "TrustVersion": 2}
    assert unit.machine.tpm is None or in_tpm(unit) == RatchetValues(2, 2)


def test_a_tpm_that_failed_or_is_new_gets_the_numbers_by_the_next_restore() -> None:
    unit = running(tpm=True)
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    chip_of(unit).failed = True
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 2
    unit.machine.tpm = FakeTpmChip.new(b"other")
    assert restore(unit) == NEWER
    assert in_tpm(unit) == RatchetValues(2, 1)


def test_a_cut_at_any_time_leaves_no_store_behind_for_long() -> None:
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    unit.remove_flag()
    places = [at for at, name in enumerate(unit.operations()) if "TPM" in name or "/trust/" in name]
    assert len(places) > 8
    for at in places:
        copy = unit.copy()
        copy.cut(at)
        copy.settle()
        restore(copy)
        assert in_tpm(copy).trust_version == values(copy)["TrustVersion"] == 2, at


def test_a_tpm_of_the_earlier_version_is_no_error() -> None:
    unit = running()
    unit.machine.tpm = FakeTpmChip(version=1)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit)["TrustVersion"] == 2
    assert "TPM" not in unit.errors() + unit.warnings()


# --- a person ---

REFUSED_NAME = "WIDGET.LNX.SHINY.2026-04-01.1.upd"


def with_a_refused_image(unit: UnitDriver, keys: list[str]) -> UnitDriver:
    """In the menu, the allowed image comes first and the refused one second, although it and its kernel are newer."""
    add(unit, REFUSED_NAME, Release(0, 0), kernel=900)
    unit.put("RECOVERY", RATCHETS, json.dumps({"Format": 1, "SecurityFloor": 1, "TrustVersion": 1}).encode())
    unit.machine.operator_present = True
    unit.machine.keys = keys
    return unit


def test_a_person_can_insist_on_an_image_once(unit: UnitDriver) -> None:
    with_a_refused_image(unit, [*MENU, "1", "yes", "yes", "yes"])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [REFUSED_NAME]
    assert system_problems(unit.world) == []
    reason = "has the security version 0, below the floor of this unit, 1"
    assert f"OVERRIDE: a person at the unit insists on /mnt/RECOVERY/Image/{REFUSED_NAME}" in unit.warnings()
    stem = REFUSED_NAME.removesuffix(".upd")
    [note] = parse_history(unit.read("RECOVERY", HISTORY)).result(stem).notes
    assert note == f"used since a person at the unit insisted, although refused: {reason}"
    assert sum(reason in message for message in unit.machine.messages) >= 1
    # Only once: the kernel stays, and the next restore refuses the image.
    assert [unit.build_number("ESP", path) for path in KERNELS] == [100, 100]
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == 100
    unit.machine.operator_present = False
    unit.machine.restart()
    assert restore(unit) == IMAGE_NAME


def test_a_damaged_kernel_is_not_replaced_by_that_of_an_image_that_a_person_insists_on(unit: UnitDriver) -> None:
    """The other copy of RECOVERY's kernel is intact."""
    with_a_refused_image(unit, [*MENU, "1", "yes", "yes", "yes"])
    unit.put("ESP", KERNELS[0], b"torn")
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [REFUSED_NAME]
    assert [unit.build_number("ESP", path) for path in KERNELS] == [100, 100]
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == 100


def test_the_override_is_reported_to_the_factory_server() -> None:
    unit = with_a_refused_image(running(), [*MENU, "1", "yes", "yes", "yes"])
    unit.put("RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    assert unit.boot() is StopReason.REBOOT
    assert "OVERRIDE: a person at the unit insists" in repr(unit.factory.received)


@pytest.mark.parametrize("answers", [["yes"], ["yes", "no"], ["no"], []])
def test_both_questions_need_a_yes(unit: UnitDriver, answers: list[str]) -> None:
    with_a_refused_image(unit, [*MENU, "1", "yes", *answers])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" not in unit.log()


def test_an_owner_can_forbid_it_and_then_the_menu_does_not_offer_it() -> None:
    unit = with_a_refused_image(running(TrustPolicy.ENFORCE_ALWAYS), [*MENU, "1", "yes", "yes", "yes"])
    unit.boot()
    assert unit.systems() == [IMAGE_NAME]
    assert f"{REFUSED_NAME.removesuffix('.upd')} is not offered: has the security version 0" in unit.lines()
    assert "OVERRIDE" not in unit.log()


@pytest.mark.parametrize("by_fallback", [False, True])
def test_the_menu_does_not_offer_an_image_for_other_platforms(by_fallback: bool) -> None:
    unit = running(TrustPolicy.ENFORCE_ALWAYS)
    if by_fallback:
        unit.machine.smbios = build_table(FakeSystem(manufacturer="ACME", product="prototype", serial=SERIAL))
        unit.put("RECOVERY", "/platform.ident", b"QEMU-mfg-test\n")
    add(unit, REFUSED_NAME, Release(9, 0, ("Other",)))
    unit.machine.operator_present, unit.machine.keys = True, [*MENU, "0", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    stem = REFUSED_NAME.removesuffix(".upd")
    assert f"{stem} is not offered: is signed for Other, and this unit is QEMU-mfg-test" in unit.lines()
    assert stem not in unit.errors()


def test_a_person_is_asked_only_about_the_image_that_was_chosen(unit: UnitDriver) -> None:
    """A restore of the newest image goes on to the next one: the keys that are left answer no question."""
    with_a_refused_image(unit, ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes", *["yes"] * 5])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" not in unit.log()


@pytest.mark.parametrize(
    "arguments",
    [{"PREFERRED_UPDATE": "menu"}, {"PREFERRED_UPDATE": "latest"}, {"PROVISION_TRUST": "off"}, {"trust": "off"}],
)
def test_no_argument_and_no_file_takes_the_place_of_a_person(unit: UnitDriver, arguments: dict[str, str]) -> None:
    with_a_refused_image(unit, ["yes"] * 9)
    unit.machine.operator_present = False
    for path in ("/trust/policy", "/policy", "/Image/policy"):
        unit.put("RECOVERY", path, b"off\n")
    unit.remove_flag()
    assert unit.boot({**NORMAL, **arguments}) is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]


def answer_from_the_restore_on(unit: UnitDriver, answers: list[str]) -> None:
    """No key before the restore has begun: it would cancel."""
    machine = unit.machine

    def answer(operation: str) -> None:
        if "start_budget.json" in operation:
            machine.hook, machine.keys = None, list(answers)

    machine.hook = answer


@pytest.mark.parametrize(("answers", "installed"), [(["yes", "yes"], True), (["yes"], False), ([], False)])
def test_a_person_can_insist_on_the_image_on_a_stick(unit: UnitDriver, answers: list[str], installed: bool) -> None:
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.operator_present = True
    answer_from_the_restore_on(unit, answers)
    ended = unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"})
    assert ended is (StopReason.REBOOT if installed else StopReason.SWITCHED_ROOT)
    assert unit.systems() == [EMERGENCY_IMAGE if installed else IMAGE_NAME]
    assert ("OVERRIDE" in unit.warnings()) == installed
    assert ("is not signed" in unit.errors()) != installed


def test_a_person_cannot_insist_on_it_where_the_owner_forbids_that() -> None:
    unit = running(TrustPolicy.ENFORCE_ALWAYS)
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.operator_present = True
    answer_from_the_restore_on(unit, ["yes", "yes"])
    assert unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert not [message for message in unit.machine.messages if "is REFUSED" in message]


def test_without_a_display_and_keys_nothing_is_asked(unit: UnitDriver) -> None:
    """Whatever a line delivers."""
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.keys = ["yes"] * 9
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert not [message for message in unit.machine.messages if "is REFUSED" in message]


def test_the_files_beside_a_refused_image_are_in_the_way_of_nothing() -> None:
    """A folder or link in the place of a manifest."""
    unit = running()
    add(unit, NEWER, Release(2, 1))
    manifest = companions_of(f"/Image/{NEWER}")[0]
    unit.remove("RECOVERY", manifest)
    unit.put("RECOVERY", manifest, Node(type=FileType.SYMLINK, content=b"/etc/passwd"))
    assert restore(unit) == IMAGE_NAME
    assert f"{NEWER}.manifest is missing" in unit.errors()
    assert "is no file" in unit.warnings()


# --- what the kernel was built with ---


@pytest.mark.parametrize(
    ("built_in_files", "refused"),
    [
        ({built_in.CHAIN_PATH: FIRST.chain}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"wran\n"}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b""}, True),
        ({built_in.CHAIN_PATH: FIRST.chain, built_in.POLICY_FILE: b"warn\n"}, False),
        ({built_in.CHAIN_PATH: b"damaged", built_in.POLICY_FILE: b"enforce\n"}, True),
        ({built_in.CHAIN_PATH: b"damaged"}, True),
        ({built_in.POLICY_FILE: b"enforce\n"}, True),
        ({built_in.POLICY_FILE: b"warn\n"}, False),
        ({}, False),
    ],
)
def test_a_kernel_that_is_damaged_or_says_nothing_is_not_lenient(
    built_in_files: dict[str, bytes], refused: bool
) -> None:
    unit = running()
    unit.world.built_in = dict(built_in_files)
    unit.add_image(NEWER)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert (unit.systems() != [NEWER]) == refused


def test_a_damaged_security_version_is_an_error_and_the_records_count() -> None:
    unit = running()
    unit.world.built_in[built_in.SECURITY_VERSION_FILE] = b"seven"
    assert restore(unit) == IMAGE_NAME
    assert f"{built_in.SECURITY_VERSION_FILE}: must be a number" in unit.errors()


def test_a_refusal_is_not_counted_as_a_failure_of_the_image(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(0, 0))
    unit.put("RECOVERY", RATCHETS, json.dumps({"Format": 1, "SecurityFloor": 1, "TrustVersion": 1}).encode())
    assert restore(unit) == IMAGE_NAME
    result = parse_history(unit.read("RECOVERY", HISTORY)).result(NEWER.removesuffix(".upd"))
    assert (result.imaging_attempts, result.failures, result.notes) == (0, 0, ())
    assert unit.exists("RECOVERY", f"/Image/{NEWER}")


def test_images_that_are_refused_do_not_push_out_those_that_a_unit_may_need(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(2, 1))
    add(unit, THIRD, Release(2, 1))
    for month in range(5, 10):
        unit.add_image(f"WIDGET.LNX.SHINY.2026-{month:02}-01.1.upd")
    assert restore(unit) == THIRD
    assert unit.exists("RECOVERY", f"/Image/{NEWER}")
    assert unit.exists("RECOVERY", f"/Image/{IMAGE_NAME}")


def test_nothing_is_said_about_files_beside_images(unit: UnitDriver) -> None:
    add(unit, NEWER, Release(2, 1))
    unit.put("RECOVERY", BESIDE_IMAGES, FIRST.chain)
    assert restore(unit) == NEWER
    assert "is no image" not in unit.warnings()


def test_a_unit_in_the_field_gets_keys_in_three_steps() -> None:
    """As docs/how-to/signing.md says. The simulated kernel has no keys until the restore that brings it."""
    unit = units.running()
    assert unit.systems() == [IMAGE_NAME]
    add(unit, NEWER, Release(1, 1))
    assert restore(unit) == NEWER
    build_in(unit.world, FIRST, TrustPolicy.WARN)
    original = unit.read("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.remove("RECOVERY", f"/Image/{NEWER}")
    assert restore(unit) == IMAGE_NAME
    assert "is not signed" in unit.warnings()
    for name, content in signed_files(IMAGE_NAME, original, FIRST, Release(1, 1)).items():
        unit.put("RECOVERY", f"/Image/{name}", content)
    build_in(unit.world, FIRST)
    assert restore(unit) == IMAGE_NAME
