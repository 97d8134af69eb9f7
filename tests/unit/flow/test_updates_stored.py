"""Images that are on RECOVERY when an action begins: room for its own, and one of the same name."""

from __future__ import annotations

import hashlib

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.stop import MachineStopped
from gprov.adapters.fake.update.server import ActionState
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.domain.errors import DeviceFault, NetworkFault
from gprov.domain.update.window import LocalMinute
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import BALLAST, OLDER, bundle, driver, image, images, plain, refused, running, signed


def test_an_image_that_was_there_before_stays_if_the_action_fails() -> None:
    unit = plain()
    driver(unit).add_image(OLDER)
    action = unit.updates.assign({OLDER: build_image(b"no kernel", extra=BALLAST)})
    unit.start()
    unit.work()
    assert action.results == ["failure"]
    assert images(unit) == {IMAGE_NAME, OLDER}


def test_too_little_room_on_recovery() -> None:
    unit = plain()
    volume = driver(unit).volume("RECOVERY")
    volume.size = volume.used + (8 << 20)
    before = images(unit)
    refused(unit, unit.updates.assign({NEWER: image()}), "RECOVERY is too small: 1 MiB are to be downloaded")
    assert images(unit) == before


def test_old_images_make_room_but_not_the_running_one() -> None:
    unit = plain()
    drive = driver(unit)
    old = build_image(build_kernel(1), extra={"srv/x": hashlib.shake_256(b"old").digest(1 << 18)})
    for day in range(2, 6):
        drive.put("RECOVERY", f"/Image/WIDGET.LNX.SHINY.2026-01-0{day}.1.upd", old)
    volume = drive.volume("RECOVERY")
    volume.size = volume.used + (32 << 20)
    unit.updates.assign({NEWER: image()})
    unit.live()
    assert running(unit) == [NEWER]
    assert {NEWER, IMAGE_NAME} <= images(unit)
    assert len(images(unit)) < 6


def test_an_image_that_a_restore_would_refuse_is_no_last_good_one() -> None:
    unit = signed()
    drive = driver(unit)
    drive.put("RECOVERY", f"/Image/{NEWER}", hashlib.shake_256(b"unsigned").digest(1 << 20))
    volume = drive.volume("RECOVERY")
    volume.size = volume.used + (32 << 20)
    newest = "WIDGET.LNX.SHINY.2026-03-01.1.upd"
    unit.updates.assign(signed_files(newest, image(), Owner()))
    unit.live()
    assert running(unit) == [newest]
    assert {newest, IMAGE_NAME} <= images(unit)
    assert NEWER not in images(unit)


def test_the_image_that_runs_already() -> None:
    unit = plain()
    content = driver(unit).read("RECOVERY", f"/Image/{IMAGE_NAME}")
    action = unit.updates.assign({IMAGE_NAME: content})
    unit.live()
    assert action.results == ["success"]
    assert unit.updates.downloads == []
    assert images(unit) == {IMAGE_NAME}


def test_a_wanted_image_that_is_restored_by_hand_meanwhile_ends_the_action() -> None:
    """The action began on the image that it wants; another one ran when its restore was requested."""
    unit = plain()
    content = driver(unit).read("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.updates.ranges = False
    action = unit.updates.assign({IMAGE_NAME: content}, download="skip")
    unit.start()
    unit.work()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", image())
    driver(unit).remove_flag()
    unit.world.machine.restart()
    action.download = "forced"
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], ["success"])
    assert unit.updates.downloads == []


def beside(unit: UpdatedUnit, name: str) -> dict[str, bytes]:
    """The image of that name on RECOVERY, with what is beside it."""
    return {one: driver(unit).read("RECOVERY", f"/Image/{one}") for one in sorted(images(unit)) if one.startswith(name)}


def put(unit: UpdatedUnit, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        driver(unit).put("RECOVERY", f"/Image/{name}", content)


@pytest.mark.parametrize("more", [b"x", b"y" * 999])
def test_other_content_under_the_name_of_an_image_changes_nothing_on_recovery(more: bytes) -> None:
    unit = signed()
    put(unit, signed_files(OLDER, image({"srv/x": b"y"}), Owner()))
    before = beside(unit, OLDER)
    action = unit.updates.assign(signed_files(OLDER, image({"srv/x": more}), Owner()))
    unit.start()
    unit.work()
    assert action.results == ["failure"]
    assert "has other content than the image of this name on the server" in action.details
    assert beside(unit, OLDER) == before
    assert OLDER not in [name for name, _ in unit.updates.downloads]


@pytest.mark.parametrize("form", ["files", "bundle"])
def test_an_image_that_is_there_is_not_fetched(form: str) -> None:
    unit = signed()
    files = signed_files(OLDER, image(), Owner())
    put(unit, files)
    action = unit.updates.assign(files if form == "files" else bundle(OLDER, Owner(), image()))
    unit.live()
    assert (running(unit), action.results) == ([OLDER], ["success"])
    assert OLDER not in [name for name, _ in unit.updates.downloads]
    assert beside(unit, OLDER) == files


def test_an_image_that_is_there_keeps_its_manifest_if_the_server_has_none() -> None:
    unit = plain()
    files = signed_files(OLDER, image(), Owner())
    put(unit, files)
    action = unit.updates.assign({OLDER: image()})
    unit.live()
    assert (running(unit), action.results, unit.updates.downloads) == ([OLDER], ["success"], [])
    assert beside(unit, OLDER) == files


def test_an_image_that_is_there_keeps_its_manifest_if_no_signer_vouches_for_the_server_s() -> None:
    unit = plain()
    files = signed_files(OLDER, image(), Owner())
    put(unit, files)
    others = {name: content if name == OLDER else b"of no signer" for name, content in files.items()}
    action = unit.updates.assign(others)
    unit.live()
    assert (running(unit), action.results) == ([OLDER], ["success"])
    assert beside(unit, OLDER) == files


def test_an_image_that_is_there_gets_the_manifest_that_it_lacks() -> None:
    unit = plain()
    files = signed_files(OLDER, image(), Owner())
    put(unit, {OLDER: files[OLDER]})
    unit.updates.assign(files)
    unit.live()
    assert (running(unit), beside(unit, OLDER)) == ([OLDER], files)


def test_an_unsigned_bundle_of_an_image_that_is_there() -> None:
    """Its hash is of the whole bundle."""
    unit = plain()
    put(unit, {OLDER: image()})
    action = unit.updates.assign(bundle(OLDER, Owner(), image()))
    unit.live()
    assert (running(unit), action.results) == ([OLDER], ["success"])


def test_a_cancellation_leaves_an_image_that_was_there() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    put(unit, {OLDER: image()})
    action = unit.updates.assign({OLDER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    unit.work()
    assert (images(unit), len(action.handled)) == ({IMAGE_NAME, OLDER}, 1)


def test_an_image_that_is_put_there_during_its_download_stays() -> None:
    unit = plain()
    action = unit.updates.assign({OLDER: image()})
    unit.updates.breaks = [1000]
    unit.start()
    with pytest.raises(NetworkFault):
        unit.work()
    put(unit, {OLDER: image({"srv/x": b"y"})})
    unit.work()
    assert (action.results, images(unit)) == (["failure"], {IMAGE_NAME, OLDER})


def test_an_image_that_is_restored_by_hand_while_it_waits_is_there_once() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    put(unit, {NEWER: image()})
    driver(unit).remove_flag()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert images(unit) == {IMAGE_NAME, NEWER}


def test_a_recovery_that_takes_nothing_is_told_to_the_server_once() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    for mount in unit.world.machine.mounts:
        mount.read_only = mount.read_only or mount.point.target == unit.paths.recovery
    agent = unit.agent()
    for _ in range(3):
        with pytest.raises(DeviceFault, match="read-only"):
            agent.round()
    assert len(action.remarks) == 1
    assert action.remarks[0].startswith("cannot go on: /mnt/RECOVERY/")


@pytest.mark.parametrize("same", [True, False])
def test_an_image_that_a_person_puts_there_while_the_update_waits(same: bool) -> None:
    unit = plain()
    unit.config += 'window = ["Sat 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    theirs = image() if same else image()[:-5] + b"other"
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", theirs)
    unit.local_time.minute = LocalMinute(5, 130)
    if same:
        with pytest.raises(MachineStopped):
            unit.work()
        unit.world.machine.restart()
        unit.live()
    else:
        unit.work()
    assert action.results == (["success"] if same else ["failure"])
    assert running(unit) == [NEWER if same else IMAGE_NAME]
    assert driver(unit).read("RECOVERY", f"/Image/{NEWER}") == theirs
    assert images(unit) == {IMAGE_NAME, NEWER}
