"""Images that are on RECOVERY when an action begins: room for its own, and one of the same name."""

from __future__ import annotations

import hashlib

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import BALLAST, OLDER, driver, image, images, plain, refused, running, signed


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
    assert unit.updates.downloads
