"""The agent on a simulated unit: from the server's offer to its answer, with the restore in between."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.update.server import ActionState, FakeAction
from gprov.apps.host.simulation.cuts import Cut
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in, sign_factory, signed_files
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.owner import decide, forget
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.image.manifest import Release
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.bundle import BundleHead, bundle_head, bundle_tail
from gprov.domain.update.sw_description import release_version, sw_description
from gprov.domain.update.window import LocalMinute
from tests.unit.flow import units
from tests.unit.flow.driver import NEWER, UnitDriver

OLDER = "WIDGET.LNX.SHINY.2026-01-01.1.upd"
BALLAST = {"srv/ballast": hashlib.shake_256(b"ballast").digest(6000)}


def image(extra: dict[str, bytes] | None = None) -> bytes:
    return build_image(build_kernel(100), extra={**BALLAST, **(extra or {})})


def bundle(name: str, owner: Owner, content: bytes, release: Release | None = None) -> dict[str, bytes]:
    files = signed_files(name, content, owner, release)
    head = BundleHead(
        image=name,
        size=len(content),
        description=sw_description(parse_image_name(name, "WIDGET.LNX.SHINY."), ["X"]),
        manifest=files[f"{name}.manifest"],
        signature=files[f"{name}.manifest.minisig"],
        chain=owner.chain,
    )
    return {"system.swu": bundle_head(head) + content + bundle_tail(len(content))}


def plain() -> UpdatedUnit:
    """Its kernel has no keys."""
    return UpdatedUnit(world=units.running().world)


def signed() -> UpdatedUnit:
    """Its kernel enforces signatures of an owner."""
    unit = units.blank()
    sign_factory(unit.world, Owner())
    build_in(unit.world, Owner())
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return UpdatedUnit(world=unit.world)


def driver(unit: UpdatedUnit) -> UnitDriver:
    return UnitDriver(unit.world)


def images(unit: UpdatedUnit) -> set[str]:
    tree = unit.world.machine.volume_tree("RECOVERY")
    return {path.removeprefix("/Image/") for path in tree.paths() if path.startswith("/Image/")}


def running(unit: UpdatedUnit) -> list[str]:
    return driver(unit).systems()


@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_an_image_is_downloaded_restored_and_reported_once(firmware: FirmwareKind) -> None:
    unit = UpdatedUnit(world=units.running(firmware=firmware).world)
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    assert running(unit) == [NEWER]
    assert (action.results, action.late) == (["success"], [])
    assert action.details == "WIDGET.LNX.SHINY.2026-02-01.10 was restored, and its system is up"
    assert images(unit) == {IMAGE_NAME, NEWER}
    unit.work()
    unit.live()
    assert (action.results, action.late) == (["success"], [])


def test_a_bundle_with_its_manifest_and_trust_chain() -> None:
    unit = signed()
    action = unit.updates.assign(bundle(NEWER, Owner(), image()))
    unit.live()
    assert running(unit) == [NEWER]
    assert action.results == ["success"]
    assert {NEWER, f"{NEWER}.manifest", f"{NEWER}.manifest.minisig"} <= images(unit)


def test_files_as_artifacts_of_their_own() -> None:
    unit = signed()
    action = unit.updates.assign(signed_files(NEWER, image(), Owner()))
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_the_attributes_of_the_unit() -> None:
    unit = plain()
    unit.config += '[attributes]\nsite = "Ulm"\n'
    unit.live()
    name = parse_image_name(IMAGE_NAME, "WIDGET.LNX.SHINY.")
    expected = {"serial": SERIAL, "image": IMAGE_NAME, "sw_version": release_version(name), "site": "Ulm"}
    assert expected.items() <= unit.updates.attributes.items()
    assert unit.updates.attributes["hw_revision"] == "QEMU-mfg-test"


@pytest.mark.parametrize("broken", [[1000], [1000, 2000], [0]])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_over_a_connection_that_breaks(broken: list[int], ranges: bool) -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks, unit.updates.ranges = list(broken), ranges
    unit.start()
    for _ in broken:
        with pytest.raises(NetworkFault, match="ended early"):
            unit.work()
    with pytest.raises(MachineStopped):
        unit.work()
    begins = [begin for _, begin in unit.updates.downloads]
    there = [sum(broken[:at]) if ranges else max(broken[:at], default=0) for at in range(len(broken) + 1)]
    assert begins == there
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_a_file_that_changes_on_the_server_meanwhile() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks = [1000]
    unit.start()
    with pytest.raises(NetworkFault):
        unit.work()
    unit.updates.changes += 1
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_a_part_that_is_not_what_it_was_is_fetched_once_more() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks = [1000]
    unit.start()
    with pytest.raises(NetworkFault):
        unit.work()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}.partial", bytes(1000))
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert [begin for _, begin in unit.updates.downloads] == [0, 1000, 0]


def test_content_that_the_server_does_not_vouch_for() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    described = unit.updates.handle("GET", f"/deploymentBase/{action.id}", None).body
    action.files[NEWER] = action.files[NEWER][:-1] + b"x"
    lying = json.loads(described)

    class Lying(type(unit.updates)):  # type: ignore[misc]
        def _described(self, kind: str, one: FakeAction) -> object:
            found = super()._described(kind, one)
            return type(found)(200, json.dumps(lying).encode())

    unit.updates.__class__ = Lying
    unit.work()
    unit.work()
    assert action.results == ["failure"]
    assert "its SHA1 is not the one that the server has announced" in action.details
    assert images(unit) == {IMAGE_NAME}
    assert running(unit) == [IMAGE_NAME]


def refused(unit: UpdatedUnit, action: FakeAction, reason: str) -> None:
    """The action fails with this reason, without a restart, and leaves nothing behind."""
    unit.start()
    result = unit.work()
    assert result.pause > 0
    assert action.results == ["failure"]
    assert reason in action.details
    assert images(unit) >= {IMAGE_NAME}
    assert not any(name.startswith(NEWER) or name.endswith(".partial") for name in images(unit))
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")


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


def test_a_manifest_of_another_image() -> None:
    unit = signed()
    files = signed_files(NEWER, image(), Owner())
    files[NEWER] = image({"srv/more": b"x"})
    refused(unit, unit.updates.assign(files), "in its manifest")


def test_an_image_that_cannot_boot() -> None:
    unit = plain()
    broken = build_image(b"no kernel", extra=BALLAST)
    refused(unit, unit.updates.assign({NEWER: broken}), "/boot/norm_boot")


def test_what_is_no_image_at_all() -> None:
    unit = plain()
    refused(unit, unit.updates.assign({"readme.txt": b"x"}), "has 0 images")


def test_a_longer_trust_chain_comes_with_the_image() -> None:
    unit = signed()
    owner = Owner()
    owner.state([owner.first, "second signer"])
    files = signed_files(NEWER, image(), owner, signer="second signer")
    action = unit.updates.assign({**files, "trust.chain": owner.chain})
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert driver(unit).read("RECOVERY", "/trust/trust.chain") == owner.chain


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


def test_a_kernel_that_restores_no_image_by_its_name() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.ports().files.replace("/run/gprov-requests", b"restore\nerase\n")
    unit.work()
    assert action.results == ["failure"]
    assert "restores no image by its name" in action.details


def test_the_image_that_runs_already() -> None:
    unit = plain()
    content = driver(unit).read("RECOVERY", f"/Image/{IMAGE_NAME}")
    action = unit.updates.assign({IMAGE_NAME: content})
    unit.live()
    assert action.results == ["success"]
    assert unit.updates.downloads == []
    assert images(unit) == {IMAGE_NAME}


def test_an_older_image_that_the_server_wants() -> None:
    unit = plain()
    action = unit.updates.assign({OLDER: image()})
    unit.live()
    assert (running(unit), action.results) == ([OLDER], ["success"])


def test_the_restore_waits_for_the_window_of_the_owner() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == "the time that the owner allows: Sat,Sun 02:00-04:00"
    assert images(unit) == {IMAGE_NAME, f"{NEWER}.partial"}
    assert "waits for the time that the owner allows: Sat,Sun 02:00-04:00" in action.remarks
    unit.local_time.minute = LocalMinute(6, 130)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_a_restore_of_the_unit_while_the_update_waits_does_not_take_it() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    driver(unit).remove_flag()
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], [])
    assert f"{NEWER}.partial" in images(unit)


def test_the_server_may_hold_the_restore_back() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, update="attempt", window="unavailable")
    unit.start()
    assert unit.work().waiting == "the server's maintenance window"
    action.window = "available"
    with pytest.raises(MachineStopped):
        unit.work()


def test_an_owner_who_is_asked_at_the_unit() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == f"the owner: gprov-update confirm {action.id}"
    bus = EventBus(unit.world.machine.clock)
    decide(unit.ports().files, unit.paths, bus, action.id, agreed=True)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_an_owner_who_denies() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=False)
    unit.work()
    assert (action.results, action.details) == (["failure"], "denied at the unit")
    assert images(unit) == {IMAGE_NAME}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_server_that_asks_the_owner(agreed: bool) -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    assert unit.work().waiting.startswith(f"the owner: gprov-update confirm {action.id}")
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=agreed)
    unit.work()
    assert action.confirmations == ["confirmed" if agreed else "denied"]
    if agreed:
        with pytest.raises(MachineStopped):
            unit.work()


def test_a_unit_that_agrees_by_its_configuration() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    unit.work()
    assert action.confirmations == ["confirmed"]


def test_a_cancellation_before_the_request() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    unit.work()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert (action.results, images(unit)) == ([], {IMAGE_NAME})


def test_a_cancellation_after_the_request_and_before_the_restart() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == "the restart of the unit"
    assert driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    action.state = ActionState.CANCELING
    unit.work()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    unit.world.machine.flush()
    unit.live()
    assert (running(unit), images(unit)) == ([IMAGE_NAME], {IMAGE_NAME})


def test_a_cancellation_that_comes_too_late() -> None:
    unit = plain()
    unit.confirms = False
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    action.state = ActionState.CANCELING
    unit.confirms = True
    unit.live()
    assert [answer["status"]["execution"] for answer in action.handled] == [] or action.results == ["success"]
    assert running(unit) == [NEWER]


def test_a_cancellation_of_what_the_unit_never_heard_of() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, state=ActionState.CANCELING)
    unit.live()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert images(unit) == {IMAGE_NAME}


def test_an_image_that_spoils_on_recovery_before_its_restore() -> None:
    """Nothing is wiped: the old system starts again, and the server is told why."""
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    driver(unit).put("PRIMARY", "/home/data", b"a customer's")
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", image()[:-5] + b"spoil")
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], ["failure"])
    assert driver(unit).exists("PRIMARY", "/home/data")
    assert "was not restored: the unit runs WIDGET.LNX.SHINY.2026-01-15.1" in action.details
    assert f"/Image/{NEWER}" in action.details
    assert images(unit) == {IMAGE_NAME}


def test_an_image_that_cannot_be_unpacked_leaves_the_unit_with_another_one() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.world.machine.faults.append(Fault(kind=FaultKind.REFUSED, where=f"extract /mnt/RECOVERY/Image/{NEWER}"))
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], ["failure"])
    assert "exit status 2" in action.details


def test_a_system_that_does_not_report_that_it_is_up() -> None:
    unit = plain()
    unit.confirms = False
    action = unit.updates.assign(
        {NEWER: image({"usr/lib/systemd/system/multi-user.target.wants/gprov-boot-good.service": b""})}
    )
    unit.live()
    assert running(unit) == [NEWER]
    assert action.results == []
    assert unit.work().waiting == "the report of the system that it is up"
    unit.world.machine.clock.advance(1801)
    unit.work()
    assert action.results == ["failure"]
    assert "has not reported within 30 min that it is up" in action.details
    assert NEWER in images(unit)


def test_an_answer_waits_until_the_server_is_there() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.updates.down = True
    with pytest.raises(NetworkFault):
        unit.live()
    assert action.results == []
    unit.updates.down = False
    unit.work()
    assert action.results == ["success"]


def test_a_server_that_was_put_back_is_told_the_same_and_nothing_is_done_again() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    action.state = ActionState.RUNNING
    downloads = list(unit.updates.downloads)
    unit.work()
    assert (action.results, unit.updates.downloads) == (["success", "success"], downloads)
    unit.work()
    assert len(action.finals) == 2


def test_a_later_action_replaces_one_that_waits() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    first = unit.updates.assign({OLDER: image()})
    unit.start()
    unit.work()
    first.state = ActionState.ENDED
    second = unit.updates.assign({NEWER: image()})
    unit.work()
    assert images(unit) == {IMAGE_NAME, f"{NEWER}.partial"}
    assert second.remarks


def test_a_token_and_a_server_that_refuses_it() -> None:
    unit = plain()
    unit.updates.token = "TargetToken secret-words"
    unit.config += 'target_token_file = "/mnt/RECOVERY/update/token"\n'
    unit.start()
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"wrong-words\n", mode=0o600)
    with pytest.raises(NetworkFault, match="refuses this unit") as caught:
        unit.work()
    assert "words" not in str(caught.value)
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"secret-words\n", mode=0o600)
    unit.work()
    assert unit.updates.attributes


def test_forget() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    forget(unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert images(unit) == {IMAGE_NAME}
    assert not driver(unit).exists("RECOVERY", "/update/state.json")


def test_a_restart_that_could_not_be_begun_is_asked_for_again() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    config = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(config, unit.config.replace('"no"', '"yes"').encode())
    with pytest.raises(MachineStopped):
        unit.work()


def test_what_is_requested_is_not_forgotten() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    bus = EventBus(unit.world.machine.clock)
    with pytest.raises(RefusedByPolicy, match="restart the unit"):
        forget(unit.ports(), unit.paths, bus)
    with pytest.raises(RefusedByPolicy, match="its restore is requested"):
        decide(unit.ports().files, unit.paths, bus, action.id, agreed=False)


# --- power cuts ---


def operations(unit: UpdatedUnit) -> list[str]:
    """Of the whole life, from the first start to the end of the action."""
    copy = deepcopy(unit)
    cut = Cut()
    copy.world.machine.hook = cut
    live_with_cuts(copy)
    return cut.operations


def places(names: list[str], every: int) -> list[int]:
    """Where to cut: all operations of the agent, and each so-many-th of starts and restore, which have tests of their
    own (tests/unit/flow)."""
    starts = [at for at, name in enumerate(names) if name.startswith("switch root")]
    reboot = next((at for at, name in enumerate(names) if at > starts[0] and name == "mount /dev/sda1"), len(names))
    own = {at for at in range(len(names)) if starts[0] < at < reboot or at > starts[-1]}
    return sorted(own | {*range(0, len(names), every)})


def live_with_cuts(unit: UpdatedUnit, *, starts: int = 12) -> None:
    """Like ``live``, of a unit that is switched on again after each cut."""
    machine = unit.world.machine
    for _ in range(starts):
        try:
            if unit.start() is StopReason.SWITCHED_ROOT:
                unit.work()
                return
        except MachineStopped:
            machine.restart()


def cut_life(unit: UpdatedUnit, at: int) -> UpdatedUnit:
    """A copy whose power was cut once, just before operation ``at``, and which was switched on again until the agent
    waits."""
    copy = deepcopy(unit)
    copy.world.machine.torn_cuts = True
    copy.world.machine.hook = Cut(at)
    live_with_cuts(copy)
    copy.world.machine.hook = None
    return copy


def assert_one_answer(unit: UpdatedUnit, where: str) -> None:
    action = unit.updates.actions[0]
    assert running(unit) == [NEWER], where
    assert action.results == ["success"], where
    assert not [name for name in images(unit) if name.endswith((".partial", ".new"))], where
    assert unit.work().waiting == "", where
    assert action.results == ["success"], where


def test_a_power_cut_at_any_operation_leaves_one_answer() -> None:
    """From the first start over download, restore and first start of the new system to the answer."""
    unit = plain()
    unit.updates.assign({NEWER: image()})
    names = operations(unit)
    assert any(name.startswith("POST /deploymentBase") for name in names)
    assert any(name.startswith("extract") for name in names)
    for at in places(names, every=12):
        assert_one_answer(cut_life(unit, at), names[at])


def test_a_power_cut_with_a_signed_bundle_leaves_one_answer() -> None:
    unit = signed()
    unit.updates.assign(bundle(NEWER, Owner(), image()))
    names = operations(unit)
    for at in places(names, every=30)[::3]:
        assert_one_answer(cut_life(unit, at), names[at])


def test_a_power_cut_at_any_operation_of_a_failure_leaves_one_answer() -> None:
    unit = plain()
    unit.updates.assign({NEWER: build_image(b"no kernel", extra=BALLAST)})
    for at, name in enumerate(operations(unit)):
        copy = cut_life(unit, at)
        action = copy.updates.actions[0]
        assert (running(copy), action.results) == ([IMAGE_NAME], ["failure"]), f"cut {at}: {name}"
        assert images(copy) == {IMAGE_NAME}, f"cut {at}: {name}"


def test_a_power_cut_at_any_operation_of_a_cancellation_leaves_one_answer() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    copy = deepcopy(unit)
    cut = Cut()
    copy.world.machine.hook = cut
    copy.work()
    for at, name in enumerate(cut.operations):
        copy = deepcopy(unit)
        copy.world.machine.torn_cuts = True
        copy.world.machine.hook = Cut(at)
        with pytest.raises(MachineStopped):
            copy.work()
        copy.world.machine.restart()
        live_with_cuts(copy)
        one = copy.updates.actions[0]
        where = f"cut {at}: {name}"
        assert len(one.handled) + len(one.finals) == 1, where
        if running(copy) == [IMAGE_NAME]:
            assert [each["status"]["execution"] for each in one.handled] == ["closed"], where
