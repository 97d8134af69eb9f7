"""Images that the owner signed, on every path to an image: what each policy takes and refuses, and what a unit does
then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.emergency_stick import EMERGENCY_IMAGE, emergency_image, plug_stick
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner, sign
from gprov.apps.host.simulation.signed_factory import build_in, serve, sign_factory, sign_manuf, signed_files
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.errors import ImageRefused, IntegrityFault
from gprov.domain.events import ProcessState
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import Release
from gprov.domain.platform.default_table import default_table
from gprov.domain.trust.policy import TrustPolicy
from tests.unit.flow import units
from tests.unit.flow.driver import NEWER, NORMAL, UnitDriver

STRANGER = Owner("stranger")
CODE_NAME = default_table()[0].code_name
OLDEST = "WIDGET.LNX.SHINY.2025-02-01.10.upd"
GOOD = Release(security_version=5, floor=3, platforms=("other", CODE_NAME))
PREFIX = "EmergencyFile_"
Beside = Mapping[str, bytes]


def owner_with_a_revoked_key() -> Owner:
    owner = Owner()
    owner.state([owner.first, "stolen"])
    owner.state([owner.first], ["stolen"])
    return owner


OWNER = owner_with_a_revoked_key()


def content(name: str) -> bytes:
    """Of the image called ``name``; larger than restore options may be."""
    return emergency_image(sum(name.encode()))


def signed(name: str) -> Beside:
    return signed_files(name, content(name), OWNER, GOOD)


def changed(name: str, at: int, data: bytes) -> bytes:
    """A file of ``signed``, with one bit flipped."""
    middle = len(data) // 2 if at == 0 else at
    return data[:middle] + bytes((data[middle] ^ 1,)) + data[middle + 1 :]


def unsigned(name: str) -> Beside:
    return {name: content(name)}


def without_signature(name: str) -> Beside:
    return {key: value for key, value in signed(name).items() if not key.endswith(".minisig")}


def without_manifest(name: str) -> Beside:
    return {key: value for key, value in signed(name).items() if not key.endswith(".manifest")}


def by_a_stranger(name: str) -> Beside:
    return signed_files(name, content(name), STRANGER, GOOD)


def by_a_root(name: str) -> Beside:
    return signed_files(name, content(name), OWNER, GOOD, signer="owner root 1")


def by_a_revoked_key(name: str) -> Beside:
    return signed_files(name, content(name), OWNER, GOOD, signer="stolen")


def with_altered_manifest(name: str) -> Beside:
    files = dict(signed(name))
    manifest = companions_of(name)[0]
    files[manifest] = files[manifest].replace(b'"SecurityVersion": 5', b'"SecurityVersion": 6')
    return files


def renamed(name: str) -> Beside:
    """Another signed image under this name."""
    other = "WIDGET.LNX.SHINY.2024-01-01.1.upd"
    files = signed_files(other, content(name), OWNER, GOOD)
    return {key.replace(other, name): value for key, value in files.items()}


def for_another_platform(name: str) -> Beside:
    return signed_files(name, content(name), OWNER, Release(5, 3, ("other",)))


def below_the_floor(name: str) -> Beside:
    return signed_files(name, content(name), OWNER, Release(1, 1))


def of_other_branding(name: str) -> Beside:
    from gprov.domain.branding import Branding

    manifest = OWNER.manifest(name, content(name), GOOD, Branding(real_init="/sbin/other"))
    names = companions_of(name)
    return {name: content(name), names[0]: manifest, names[1]: sign(OWNER.first, manifest)}


# Why each is refused.
REFUSED: dict[Callable[[str], Beside], str] = {
    unsigned: "is not signed",
    without_signature: "is not signed",
    without_manifest: "is not signed",
    by_a_stranger: "which is no key of the owner",
    by_a_root: "which is no key of the owner",
    by_a_revoked_key: "which was revoked",
    with_altered_manifest: "its signature",
    renamed: "it was renamed",
    for_another_platform: "is signed for other",
    below_the_floor: "below the floor",
    of_other_branding: "branding of other units",
}


@cache
def _running(policy: TrustPolicy | None) -> UnitDriver:
    """Provisioned by a factory that signs, with a security version of 2; started once, and switched off."""
    unit = units.blank()
    sign_factory(unit.world, OWNER, GOOD)
    if policy is not None:
        build_in(unit.world, OWNER, policy, version=2)
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return unit


def running(policy: TrustPolicy | None = TrustPolicy.ENFORCE) -> UnitDriver:
    """None: the kernel has no keys."""
    return _running(policy).copy()


def put_beside(unit: UnitDriver, files: Beside) -> None:
    for name, data in files.items():
        unit.put("RECOVERY", f"/Image/{name}", data)


def key(item: Item) -> str:
    return str(ITEMS.index(item))


# --- paths to an image: each returns whether this image was installed ---


def provision(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    """Anew, with this image as the factory's only one."""
    blank = units.blank()
    blank.world.built_in = dict(unit.world.built_in)
    name = IMAGE_NAME
    sign_factory(blank.world, OWNER, GOOD)
    document_files = files(name)
    for beside in (name, *companions_of(name)):
        drop(blank, beside)
    for beside, data in document_files.items():
        serve(blank.world, beside, data)
    sign_manuf(blank.world, OWNER)
    unit.world, blank.world.sinks = blank.world, unit.world.sinks
    try:
        unit.world.provision()
    except (ImageRefused, IntegrityFault):
        assert unit.machine.nvram == {}
        assert unit.machine.disks[0].writes == 0
        assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
        return False
    assert unit.settle() == ("reboot", "switched root")
    return unit.systems() == [name]


def drop(unit: UnitDriver, name: str) -> None:
    """Take a file out of manufData.json."""
    import json

    from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL

    document = json.loads(unit.origin.content[MANUF_URL])
    document["Files"] = [file for file in document["Files"] if file["Src"] != f"{BASE_URL}/{name}"]
    unit.origin.content[MANUF_URL] = json.dumps(document).encode()


def restore_latest(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    put_beside(unit, files(NEWER))
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    return unit.systems() == [NEWER]


def restore_oldest(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    put_beside(unit, files(OLDEST))
    unit.remove_flag()
    assert unit.boot({**NORMAL, "PREFERRED_UPDATE": "oldest"}) is StopReason.REBOOT
    return unit.systems() == [OLDEST]


def restore_from_menu(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    """A person chooses it where it is offered, and answers no further question."""
    put_beside(unit, files(OLDEST))
    unit.machine.operator_present = True
    unit.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", "1", "yes"]
    unit.boot()
    return unit.systems() == [OLDEST]


def retry_after_a_failure(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    """PRIMARY is overwritten already, and this image comes next."""
    newest = "WIDGET.LNX.SHINY.2027-01-01.1.upd"
    put_beside(unit, signed(newest))
    put_beside(unit, files(NEWER))
    refused = Fault(kind=FaultKind.REFUSED, where=f"extract /mnt/RECOVERY/Image/{newest}", times=1000)
    unit.machine.faults.append(refused)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    return unit.systems() == [NEWER]


def restore_from_stick(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    plug_stick(unit.world, {PREFIX + name: data for name, data in files(EMERGENCY_IMAGE).items()})
    unit.boot()
    return unit.systems() == [EMERGENCY_IMAGE]


def restore_from_stick_without_recovery(unit: UnitDriver, files: Callable[[str], Beside]) -> bool:
    volume = unit.volume("RECOVERY")
    volume.damaged, volume.repairable = True, False
    return restore_from_stick(unit, files)


PATHS = [
    provision,
    restore_latest,
    restore_oldest,
    restore_from_menu,
    retry_after_a_failure,
    restore_from_stick,
    restore_from_stick_without_recovery,
]
EVERY_PATH = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
Path = Callable[[UnitDriver, Callable[[str], Beside]], bool]


@EVERY_PATH
@pytest.mark.parametrize("policy", [None, *TrustPolicy])
def test_an_image_that_the_owner_signed_is_used(policy: TrustPolicy | None, path: Path) -> None:
    unit = running(policy)
    assert path(unit, signed)
    assert "refused" not in unit.lines()
    assert "signature" not in unit.warnings()


@EVERY_PATH
@pytest.mark.parametrize("image", REFUSED, ids=lambda image: image.__name__)
def test_any_other_image_is_refused(image: Callable[[str], Beside], path: Path) -> None:
    unit = running(TrustPolicy.ENFORCE if image is not unsigned else TrustPolicy.ENFORCE_ALWAYS)
    assert not path(unit, image)
    assert REFUSED[image] in unit.lines()


@EVERY_PATH
@pytest.mark.parametrize("image", REFUSED, ids=lambda image: image.__name__)
def test_where_the_owner_only_warns_it_is_used_with_a_warning(image: Callable[[str], Beside], path: Path) -> None:
    unit = running(TrustPolicy.WARN)
    assert path(unit, image)
    assert REFUSED[image] in unit.warnings()


def with_other_bytes(name: str) -> Beside:
    """A good image, which is not the signed one."""
    return {**signed(name), name: content("other")}


@EVERY_PATH
@pytest.mark.parametrize("policy", [TrustPolicy.WARN, TrustPolicy.ENFORCE])
def test_bytes_that_were_exchanged_are_refused(policy: TrustPolicy, path: Path) -> None:
    """Also where the owner only warns: a signed image that is damaged is a damaged image."""
    unit = running(policy)
    assert not path(unit, with_other_bytes)
    assert "should have" in unit.errors()


@EVERY_PATH
@pytest.mark.parametrize("policy", [None, TrustPolicy.OFF])
@pytest.mark.parametrize("image", [unsigned, by_a_stranger, below_the_floor], ids=lambda image: image.__name__)
def test_a_kernel_without_keys_or_with_the_policy_off_takes_all(
    image: Callable[[str], Beside], policy: TrustPolicy | None, path: Path
) -> None:
    unit = running(policy)
    assert path(unit, image)
    assert "signature" not in unit.warnings()
    assert "this kernel does not look for signatures of images" in unit.lines()
