"""Which of RECOVERY's folders belong to the image's account for people: none, or those that the platform says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.files import FileType
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

FOLDERS = {"/Image", "/log"}
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nadmin:x:%d:%d::/home/admin:/bin/sh\n"


def give_to_admin(unit: UnitDriver) -> None:
    """AdminOwnsFolders in the platform table of the kernels."""
    unit.world.platforms = tuple(
        replace(platform, recovery_media=replace(platform.recovery_media, admin_owns_folders=True))
        for platform in unit.world.platforms
    )


def owners(unit: UnitDriver) -> dict[str, tuple[int, int]]:
    """Of all on RECOVERY that does not belong to root."""
    found = {path: node for path, node in unit.files("RECOVERY").items() if node is not None}
    return {path: (node.uid, node.gid) for path, node in found.items() if (node.uid, node.gid) != (0, 0)}


def test_the_folders_of_images_and_logs_become_admins(firmware: FirmwareKind) -> None:
    unit = units.provisioned(firmware=firmware)
    give_to_admin(unit)
    modes = {path: unit.node("RECOVERY", path).mode for path in FOLDERS}
    assert owners(unit) == {}
    assert unit.boot() is StopReason.REBOOT
    assert owners(unit) == dict.fromkeys(FOLDERS, (1000, 1000))
    assert {path: unit.node("RECOVERY", path).mode for path in FOLDERS} == modes
    assert unit.node("RECOVERY", "/secrets").mode == 0o700
    facts = json.loads(unit.read("PRIMARY", "/etc/provisioning/platform_facts.json"))
    assert facts["RecoveryMedia"]["AdminOwnsFolders"] is True


def test_without_the_key_everything_on_recovery_is_roots(unit: UnitDriver) -> None:
    assert owners(unit) == {}


def test_the_ids_are_those_of_the_image_that_is_restored(unit: UnitDriver) -> None:
    give_to_admin(unit)
    unit.add_image(files={"etc/passwd": PASSWD % (1234, 777)})
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert owners(unit) == dict.fromkeys(FOLDERS, (1234, 777))
    assert "set owner of /mnt/RECOVERY/Image to 1234:777" in unit.log()


def test_a_folder_that_is_admins_already_is_not_written_to(unit: UnitDriver) -> None:
    give_to_admin(unit)
    for first in (True, False):
        unit.remove_flag()
        named = [name for name in unit.operations() if name.startswith("set owner of ")]
        assert named == ([f"set owner of /mnt/RECOVERY{path}" for path in sorted(FOLDERS)] if first else [])
        assert unit.settle()[-1] == "switched root"
        unit.machine.restart()


def test_a_folder_that_is_a_link_gives_nothing_else_away(unit: UnitDriver) -> None:
    give_to_admin(unit)
    unit.remove("RECOVERY", "/log")
    unit.put("RECOVERY", "/log", Node(type=FileType.SYMLINK, content=b"secrets", mode=0o777))
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    # A folder takes the place of the link, which stays beside it.
    assert owners(unit) == dict.fromkeys(FOLDERS, (1000, 1000))
    assert unit.node("RECOVERY", "/log.damaged").type is FileType.SYMLINK
    secrets = unit.node("RECOVERY", "/secrets")
    assert (secrets.uid, secrets.gid) == (0, 0)


def test_a_read_only_recovery_does_not_stop_the_restore(unit: UnitDriver) -> None:
    give_to_admin(unit)
    unit.remove_flag()
    unit.machine.disks[1].write_protected = True
    assert unit.boot() is StopReason.REBOOT
    assert owners(unit) == {}
    assert "going on without: set owner of /mnt/RECOVERY/Image" in unit.warnings()
    assert unit.boot() is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize("torn", [False, True])
def test_a_power_cut_leaves_owners_that_the_next_restore_completes(unit: UnitDriver, torn: bool) -> None:
    give_to_admin(unit)
    unit.remove_flag()
    seen = []
    for name, cut in unit.cut_everywhere(torn=torn):
        if "owner" in name or "flag" in name:
            seen.append(name)
            assert owners(cut) == dict.fromkeys(FOLDERS, (1000, 1000)), f"cut at {name}"
    assert any("owner of /mnt/RECOVERY/Image" in name for name in seen)
