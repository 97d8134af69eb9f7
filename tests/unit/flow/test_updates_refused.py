"""Deployments that a unit refuses, for the reasons of a restore."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.update.server import ActionState
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in, sign_factory, signed_files
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.domain.image.manifest import Release
from gprov.domain.trust.ratchets import RatchetValues, serialise_ratchets
from gprov.domain.update.window import LocalMinute
from tests.unit.flow import units
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import BALLAST, OLDER, bundle, driver, image, images, plain, refused, running, signed


def test_an_unsigned_image_where_signatures_are_enforced() -> None:
    unit = signed()
    refused(unit, unit.updates.assign({NEWER: image()}), "is refused: is not signed")
    assert [name for name, _ in unit.updates.downloads] == []


def test_an_image_of_another_owner() -> None:
    unit = signed()
    refused(unit, unit.updates.assign(signed_files(NEWER, image(), Owner("other"))), "which is no key of the owner")
    assert NEWER not in [name for name, _ in unit.updates.downloads]


def test_an_image_for_other_platforms() -> None:
    unit = signed()
    files = signed_files(NEWER, image(), Owner(), Release(platforms=("TOASTER",)))
    refused(unit, unit.updates.assign(files), "is signed for TOASTER, and this unit is QEMU-mfg-test")


def test_an_image_below_the_floor_of_the_unit() -> None:
    unit = units.blank()
    sign_factory(unit.world, Owner(), Release(5, 5))
    build_in(unit.world, Owner(), version=5)
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    updated = UpdatedUnit(world=unit.world)
    files = bundle(NEWER, Owner(), image(), Release(4, 0))
    refused(updated, updated.updates.assign(files), "has the security version 4, below the floor of this unit, 5")


def test_a_floor_that_was_raised_while_the_image_waited() -> None:
    unit = signed()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign(bundle(NEWER, Owner(), image(), Release(4, 0)))
    unit.start()
    unit.work()
    floor = serialise_ratchets(RatchetValues(security_floor=5, trust_version=1))
    unit.ports().files.replace(f"{unit.paths.recovery}/trust/ratchets.json", floor, mode=0o600)
    unit.local_time.minute = LocalMinute(6, 130)
    unit.work()
    assert action.results == ["failure"]
    assert "has the security version 4, below the floor of this unit, 5" in action.details
    assert not any(name.startswith(NEWER) for name in images(unit))
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")


def test_a_manifest_of_another_image() -> None:
    unit = signed()
    files = signed_files(NEWER, image(), Owner())
    files[NEWER] = image({"srv/more": b"x"})
    refused(unit, unit.updates.assign(files), "bytes on the server, and ")


def test_a_manifest_of_another_image_of_the_same_size() -> None:
    unit = signed()
    files = signed_files(NEWER, image(), Owner())
    files[NEWER] = files[NEWER][:-1] + b"x"
    refused(unit, unit.updates.assign(files), "its SHA-256 is not the one in its manifest")


def test_a_manifest_that_is_not_what_the_server_says() -> None:
    unit = signed()
    unit.updates.wrong_hashes = {f"{NEWER}.manifest"}
    refused(unit, unit.updates.assign(signed_files(NEWER, image(), Owner())), f"{NEWER}.manifest: its SHA1 is not")


def test_an_image_that_nothing_vouches_for() -> None:
    unit = plain()
    unit.updates.states_hashes = False
    refused(unit, unit.updates.assign({NEWER: image()}), "has neither a manifest that counts nor a hash")


def test_a_bundle_with_something_behind_it() -> None:
    unit = signed()
    [(name, content)] = bundle(NEWER, Owner(), image()).items()
    refused(unit, unit.updates.assign({name: content + bytes(1 << 17)}), "which does not fit its image of")


def test_an_image_that_is_too_large_for_primary() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    driver(unit).volume("PRIMARY").size = 4096
    unit.work()
    assert action.results == ["failure"]
    assert "bytes, and PRIMARY has 4096" in action.details


def test_files_that_are_not_encrypted() -> None:
    unit = plain()
    unit.updates.files_at = "http://files.example"
    refused(unit, unit.updates.assign({NEWER: image()}), "is not encrypted: the server links to it")


def test_an_image_that_cannot_boot() -> None:
    unit = plain()
    broken = build_image(b"no kernel", extra=BALLAST)
    refused(unit, unit.updates.assign({NEWER: broken}), "/boot/norm_boot")


def test_what_is_no_image_at_all() -> None:
    unit = plain()
    refused(unit, unit.updates.assign({"readme.txt": b"x"}), "has 0 images")


def test_a_kernel_that_restores_no_image_by_its_name() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.ports().files.replace("/run/gprov-requests", b"restore\nerase\n")
    unit.work()
    assert action.results == ["failure"]
    assert "restores no image by its name" in action.details


def test_a_kernel_that_restores_no_image_by_its_name_was_started_while_the_image_waited() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    unit.ports().files.replace("/run/gprov-requests", b"restore\nerase\n")
    unit.local_time.minute = LocalMinute(6, 130)
    unit.work()
    assert action.results == ["failure"]
    assert "restores no image by its name" in action.details
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")


def test_a_deployment_that_cannot_be_read_fails_once() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, download="perhaps")
    refused(unit, action, "$.deployment.download: unknown value")
    action.state = ActionState.RUNNING
    unit.work()
    assert action.results == ["failure", "failure"]
    action.state, action.download = ActionState.RUNNING, "forced"
    with pytest.raises(MachineStopped):
        unit.work()


def test_a_deployment_that_cannot_be_read_leaves_a_requested_restore_alone() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    first = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    first.state = ActionState.ENDED
    second = unit.updates.assign({OLDER: image()}, download="perhaps")
    assert unit.work().waiting.startswith("the restart into WIDGET.LNX.SHINY.2026-02-01.10")
    assert (second.results, driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")) == ([], True)


def test_a_manifest_that_always_ends_early() -> None:
    """The server says nothing of the end: the connection, or the file."""
    unit = signed()
    action = unit.updates.assign(signed_files(NEWER, image(), Owner()))
    unit.start()
    unit.updates.breaks, unit.updates.short = [10] * 4, True
    for _ in range(4):
        assert unit.work().waiting == "the server to hand out the image"
    assert action.results == []
    again = deepcopy(unit)
    with pytest.raises(MachineStopped):
        again.work()
    unit.updates.breaks = [10]
    unit.work()
    assert action.results == ["failure"]
    assert "bytes that the server has announced" in action.details


@pytest.mark.parametrize("suffix", ["", ".swu"])
def test_a_name_that_leaves_no_place_for_a_signature(suffix: str) -> None:
    unit = signed()
    name = f"WIDGET.LNX.SHINY.2026-02-01.{'1'.zfill(207)}.upd"
    assert len(name) == 239
    files = signed_files(name, image(), Owner()) if not suffix else bundle(name, Owner(), image())
    refused(unit, unit.updates.assign(files), "is longer than 238 bytes")
    shorter = name.replace("SHINY.2026-02-01.0", "SHINY.2026-02-01.")
    unit.updates.assign(signed_files(shorter, image(), Owner()))
    unit.live()
    assert running(unit) == [shorter]
