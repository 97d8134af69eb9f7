"""The agent as a process, with a real gooseBit and with the stand-in for hawkBit: an action from offer to answer."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.apps.host.image.tool_sets import UPDATE
from gprov.domain.branding import Branding
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.sw_description import release_version
from tests.integ.update.broken_connection import Fault, broken_connection
from tests.integ.update.ddi_actions import Action, State
from tests.integ.update.folder_unit import OLD, FolderUnit, kill
from tests.integ.update.goosebit import GooseBit
from tests.integ.update.owner import Owner
from tests.integ.update.stand_in import StandIn, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files of a unit belong to root")
_numbers = itertools.count(1)
UnitAt = Callable[..., FolderUnit]


@pytest.fixture
def new_image(owner: Owner) -> Path:
    """Of a date that no other test uses, and of more than one piece of a download."""
    return owner.image(f"2027-03-01.{next(_numbers)}", ballast=1 << 20)


@pytest.fixture
def unit_at(tmp_path: Path, owner: Owner) -> UnitAt:
    """Makes the unit of this test, for a server."""

    def make(url: str, config: str = "") -> FolderUnit:
        return FolderUnit(tmp_path / "unit", f"unit-{next(_numbers)}", url, owner.chain, config)

    return make


def finals(action: Action) -> list[str]:
    return [answer["status"]["result"]["finished"] for answer in action.finals]


def executions(answers: list[dict[str, dict[str, str]]]) -> list[str]:
    return [answer["status"]["execution"] for answer in answers]


def until_requested(unit: FolderUnit, image: Path) -> None:
    said = unit.once()
    assert unit.requested == image.name, said
    assert "restart requested" in said


# --- gooseBit ---


def offered(server: GooseBit, owner: Owner, image: Path, unit: FolderUnit) -> int:
    """Upload a bundle of the image, and assign it to the unit, which is registered by that. Returns its id there."""
    number = server.upload(owner.bundle(image))
    unit.once()
    server.assign(unit.serial, number)
    return number


def test_goosebit_sees_an_update_from_offer_to_answer(
    goosebit: GooseBit, owner: Owner, new_image: Path, unit_at: UnitAt
) -> None:
    unit = unit_at(goosebit.url)
    offered(goosebit, owner, new_image, unit)
    until_requested(unit, new_image)
    assert goosebit.device(unit.serial)["last_state"] == "Running"
    assert unit.status()["phase"] == "requested"
    assert {new_image.name, f"{new_image.name}.manifest", f"{new_image.name}.manifest.minisig"} <= unit.images
    unit.start()
    unit.once()
    found = goosebit.device(unit.serial)
    assert found["last_state"] == "Finished"
    assert found["sw_version"] == release_version(parse_image_name(new_image.name, Branding().image_prefix))
    log = goosebit.device_log(unit.serial)
    assert log.count("was restored, and its system is up") == 1
    assert unit.once() == ""
    assert goosebit.device_log(unit.serial) == log
    assert unit.requested == ""


def test_goosebit_through_a_connection_that_breaks(
    goosebit: GooseBit, owner: Owner, new_image: Path, unit_at: UnitAt
) -> None:
    with broken_connection(goosebit.port) as proxy:
        unit = unit_at(proxy.url)
        offered(goosebit, owner, new_image, unit)
        proxy.otherwise = Fault(after=300_000)
        for _ in range(20):
            if unit.agent("once").returncode == 0 and unit.requested:
                break
        proxy.otherwise = Fault()
        assert unit.requested == new_image.name
        content = (unit.root / "mnt/RECOVERY/Image" / new_image.name).read_bytes()
        assert content == new_image.read_bytes()
        assert len([passed for passed in proxy.passed if passed >= 300_000]) >= 3
        unit.start()
        unit.once()
    assert goosebit.device(unit.serial)["last_state"] == "Finished"


def test_goosebit_counts_an_answer_once_whose_receipt_is_lost(
    goosebit: GooseBit, owner: Owner, new_image: Path, unit_at: UnitAt
) -> None:
    with broken_connection(goosebit.port) as proxy:
        unit = unit_at(proxy.url)
        number = goosebit.upload(owner.bundle(new_image))
        unit.once()
        feed = f"feed of {unit.serial}"
        goosebit.set_feed(unit.serial, feed)
        rollout = goosebit.roll_out(number, feed)
        until_requested(unit, new_image)
        unit.start()
        proxy.otherwise = Fault(reply_to=b'"closed"')
        assert unit.agent("once").returncode == 3
        proxy.otherwise = Fault()
        assert not unit.status()["answered"]
        unit.once()
        assert unit.status()["answered"]
        unit.once()
    counts = goosebit.rollout(rollout)
    assert (counts["success_count"], counts["failure_count"]) == (1, 0)


def test_goosebit_is_killed_at_each_step(
    own_goosebit: GooseBit, owner: Owner, new_image: Path, unit_at: UnitAt
) -> None:
    server = own_goosebit
    unit = unit_at(server.url, 'window = ["Mon 00:00-00:01"]\n')
    offered(server, owner, new_image, unit)
    server.kill()
    assert unit.agent("once").returncode == 3
    server.start()
    unit.once()
    assert unit.status()["phase"] == "ready"
    server.kill()
    assert unit.agent("once").returncode == 3
    unit.write("etc/provisioning/update.toml", f'server = "{server.url}"\nallow_http = true\n')
    server.start()
    until_requested(unit, new_image)
    server.kill()
    unit.start()
    assert unit.agent("once").returncode == 3
    server.start()
    unit.once()
    unit.once()
    assert server.device(unit.serial)["last_state"] == "Finished"
    assert server.device_log(unit.serial).count("was restored, and its system is up") == 1


def test_goosebit_is_told_why_an_image_is_refused(
    goosebit: GooseBit, owner: Owner, tmp_path: Path, unit_at: UnitAt
) -> None:
    (tmp_path / "thief").mkdir()
    other = Owner(tmp_path / "thief")
    image = other.image("2027-04-01.1")
    unit = unit_at(goosebit.url)
    offered(goosebit, other, image, unit)
    assert unit.agent("once").returncode == 1
    assert goosebit.device(unit.serial)["last_state"] == "Error"
    assert "which is no key of the owner" in goosebit.device_log(unit.serial)
    assert unit.images == {OLD}


# --- the stand-in ---


def steps_of(stand_in: StandIn, unit: FolderUnit) -> None:
    """What an owner, a power switch and time do to a unit, until its action has ended."""
    for _ in range(6):
        unit.agent("once")
        if unit.status()["phase"] == "requested":
            unit.start()
        elif unit.status()["phase"] == "ended":
            unit.agent("once")
            return
    raise AssertionError(unit.status())


def lost_at(stand_in: StandIn, unit_at: UnitAt, files: tuple[Path, ...], at: int, how: str) -> bool:
    """An action during which the connection number ``at`` fails in a way. False if there was no such connection."""
    with broken_connection(stand_in.port) as proxy:
        unit = unit_at(proxy.url)
        action = stand_in.assign(unit.serial, files)
        proxy.faults.extend([Fault()] * at)
        if how == "kill":
            # It holds the reply back, and the agent is killed meanwhile.
            proxy.faults.append(Fault(pause=3.0))
            process = unit.begin("once")
            until(lambda: len(proxy.passed) > at or process.poll() is not None)
            reached = process.poll() is None
            kill(process)
            proxy.cut_all()
        else:
            proxy.faults.append(Fault(request=b" ") if how == "request" else Fault(reply_to=b" "))
            reached = True
        steps_of(stand_in, unit)
        assert finals(action) == ["success"], (at, how, unit.status())
        assert action.late == [], (at, how)
        assert unit.images == {OLD, *(path.name for path in files if path.suffix != ".chain")}, (at, how)
        reached = reached and len(proxy.passed) > at
        shutil.rmtree(unit.root)
        return reached


@pytest.mark.parametrize("how", ["request", "reply", "kill"])
def test_one_answer_whatever_is_lost(
    stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt, how: str
) -> None:
    """In the download, in the report of the request, and in the answer."""
    files = owner.files(new_image)
    for at in {"request": (9,), "reply": (6, 13), "kill": (8,)}[how]:
        assert lost_at(stand_in, unit_at, files, at, how), at


@pytest.mark.nightly
@pytest.mark.parametrize("how", ["request", "reply", "kill"])
def test_one_answer_whatever_is_lost_at_any_connection(
    stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt, how: str
) -> None:
    files = owner.files(new_image)
    at = 0
    while lost_at(stand_in, unit_at, files, at, how):
        at += 1
    assert at > 8


def test_a_server_without_parts_of_files(stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt) -> None:
    stand_in.ranges = False
    with broken_connection(stand_in.port) as proxy:
        unit = unit_at(proxy.url)
        action = stand_in.assign(unit.serial, owner.files(new_image))
        proxy.otherwise = Fault(after=700_000)
        assert unit.agent("once").returncode == 3
        assert (unit.root / f"mnt/RECOVERY/Image/{new_image.name}.partial").stat().st_size > 600_000
        proxy.otherwise = Fault()
        until_requested(unit, new_image)
        unit.start()
        unit.once()
    assert finals(action) == ["success"]


def test_a_bundle_of_the_stand_in(stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt) -> None:
    unit = unit_at(stand_in.url)
    action = stand_in.assign(unit.serial, [owner.bundle(new_image)])
    until_requested(unit, new_image)
    unit.start()
    unit.once()
    assert (finals(action), action.late) == (["success"], [])


def test_a_cancellation_in_time_and_one_too_late(
    stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt
) -> None:
    unit = unit_at(stand_in.url, 'reboot = "no"\n')
    first = stand_in.assign(unit.serial, owner.files(new_image))
    unit.once()
    assert unit.requested == new_image.name
    stand_in.cancel(first)
    unit.once()
    assert (first.state, unit.requested, unit.images) == (State.CANCELED, "", {OLD})
    second = stand_in.assign(unit.serial, owner.files(new_image))
    unit.once()
    unit.start()
    stand_in.cancel(second)
    unit.once()
    assert finals(second) == ["success"]


@pytest.mark.parametrize("word", ["confirm", "deny"])
def test_a_server_and_an_owner_who_want_to_be_asked(
    stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt, word: str
) -> None:
    stand_in.confirm = True
    unit = unit_at(stand_in.url, 'confirm = "owner"\n')
    action = stand_in.assign(unit.serial, owner.files(new_image))
    unit.once()
    assert action.confirmations == []
    assert unit.status()["asked"] == str(action.number)
    assert unit.agent(word, str(action.number)).returncode == 0
    unit.once()
    assert [answer["confirmation"] for answer in action.confirmations] == [
        "confirmed" if word == "confirm" else "denied"
    ]
    unit.once()
    assert unit.requested == (new_image.name if word == "confirm" else "")


def test_a_maintenance_window(stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt) -> None:
    unit = unit_at(stand_in.url)
    action = stand_in.assign(unit.serial, owner.files(new_image))
    action.window = "unavailable"
    unit.once()
    assert (unit.status()["phase"], unit.requested) == ("ready", "")
    action.window = "available"
    until_requested(unit, new_image)


def test_a_token(stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt) -> None:
    unit = unit_at(stand_in.url, 'target_token_file = "/mnt/RECOVERY/update/token"\n')
    stand_in.target_tokens[unit.serial] = "a-secret"
    unit.write("mnt/RECOVERY/update/token", "a-secret\n", 0o644)
    assert "must be root's alone" in unit.agent("once").stderr
    unit.write("mnt/RECOVERY/update/token", "another\n")
    done = unit.agent("once")
    assert (done.returncode, "refuses this unit (status 401)" in done.stderr) == (3, True)
    unit.write("mnt/RECOVERY/update/token", "a-secret\n")
    action = stand_in.assign(unit.serial, owner.files(new_image))
    until_requested(unit, new_image)
    assert action.state is State.RUNNING
    assert "secret" not in done.stderr + unit.once()


def test_only_one_agent_works_on_a_unit(stand_in: StandIn, unit_at: UnitAt) -> None:
    unit = unit_at(stand_in.url)
    service = unit.begin("run")
    try:
        until(lambda: bool(stand_in.requests))
        done = unit.agent("once")
        assert (done.returncode, "another gprov-update works on this unit" in done.stderr) == (1, True)
    finally:
        kill(service)
    assert unit.agent("once").returncode == 0


def test_wrong_usage_and_a_wrong_configuration(stand_in: StandIn, unit_at: UnitAt) -> None:
    unit = unit_at(stand_in.url, "colour = 1\nwindow = 7\n")
    done = unit.agent("run")
    assert done.returncode == 1
    assert "$.colour: is not a key of this file" in done.stderr
    assert "$.window: must be a list" in done.stderr
    assert unit.agent("jump").returncode == 2
    (unit.root / "etc/provisioning/update.toml").unlink()
    done = unit.agent("once")
    assert (done.returncode, "has no update server" in done.stderr) == (3, True)


# --- the program for images ---


def test_the_program_needs_nothing_but_python(
    stand_in: StandIn, owner: Owner, new_image: Path, unit_at: UnitAt, tmp_path: Path
) -> None:
    """The one of the system, without any package, and without gprov's."""
    root = tmp_path / "root"
    (root / "usr/lib/systemd/system").mkdir(parents=True)
    UPDATE.install(str(root))
    unit = unit_at(stand_in.url)
    stand_in.assign(unit.serial, [owner.bundle(new_image)])
    program = root / "usr/sbin/gprov-update"
    assert program.stat().st_mode & 0o777 == 0o755
    argv = ["/usr/bin/python3", "-ISB", str(program), "--root", str(unit.root), "once"]
    done = subprocess.run(argv, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert unit.requested == new_image.name
    plain = subprocess.run([str(program), "--version"], env={}, capture_output=True, text=True, timeout=60, check=True)
    assert plain.stdout.startswith("gprov-update ")
