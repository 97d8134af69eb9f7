"""The agent on a simulated unit: from the server's offer over the download to its answer."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.stop import MachineStopped
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import NetworkFault
from tests.unit.flow import units
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import OLDER, bundle, driver, image, images, plain, refused, running, signed


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


@pytest.mark.parametrize("behind", [b"", b"which no flush has made durable"])
def test_what_was_durable_is_not_fetched_again_after_a_restart(behind: bytes) -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks = [1000]
    unit.start()
    with pytest.raises(NetworkFault):
        unit.work()
    part = f"/Image/{NEWER}.partial"
    driver(unit).put("RECOVERY", part, driver(unit).read("RECOVERY", part) + behind)
    unit.world.machine.restart()
    unit.live()
    assert [begin for _, begin in unit.updates.downloads] == [0, 1000]
    assert action.results == ["success"]


def test_a_server_that_sends_less_than_was_asked_for() -> None:
    """Which HTTP allows. A file that is shorter than announced ends the action."""
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks, unit.updates.short = [1000, 500], True
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert [begin for _, begin in unit.updates.downloads] == [0, 1000, 1500]
    unit.updates.breaks = [100, 0, 0]
    shorter = unit.updates.assign({OLDER: image()})
    unit.work()
    assert shorter.results == ["failure"]
    assert "the server's file ends after" in shorter.details


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
    """It is fetched once more, since a restart may have spoilt it, and not for ever."""
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.wrong_hashes = {NEWER}
    refused(unit, action, "its SHA1 is not the one that the server has announced")
    assert len(unit.updates.downloads) == 2


def test_a_longer_trust_chain_comes_with_the_image() -> None:
    unit = signed()
    owner = Owner()
    owner.state([owner.first, "second signer"])
    files = signed_files(NEWER, image(), owner, signer="second signer")
    action = unit.updates.assign({**files, "trust.chain": owner.chain})
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert driver(unit).read("RECOVERY", "/trust/trust.chain") == owner.chain


def test_an_older_image_that_the_server_wants() -> None:
    unit = plain()
    action = unit.updates.assign({OLDER: image()})
    unit.live()
    assert (running(unit), action.results) == ([OLDER], ["success"])
