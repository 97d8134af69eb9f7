"""A unit updates itself over the air: it polls the real gooseBit through a connection that breaks, and power is cut in
the download, while it waits, and during the restore. It reports once.

The kernel has the keys of the unit's owner, in a second initramfs as in test_owner_of_units.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.image.create import ImageRequest, RootArchive
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED
from gprov.apps.host.lab.machine import Durability, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED, Expectation
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.apps.host.update.bundles import BundleMaker
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.manifest import Release
from gprov.domain.image.name import parse_image_name
from gprov.domain.trust.policy import TrustPolicy
from tests.integ.update.broken_connection import SOUND, BrokenConnection, Fault
from tests.integ.update.goosebit import GooseBit, running_goosebit
from tests.integ.vm.conftest import PrepareUnit, RunStage
from tests.integ.vm.test_owner_of_units import OWNER, keys, under_keys
from tests.integ.vm.test_restore import tag
from tests.integ.vm.unit_disks import disktags, primary_of, recovery_of
from tests.integ.vm.updating_system import SystemFile, put_into, system_files, tar_of

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

NEW = "WIDGET.LNX.SHINY.2027-05-01.1.upd"
MIB = 1 << 20
BALLAST = 28 * MIB
# Of a download, what a connection brought before it broke is durable.
BREAKS_AFTER, CUT_AT, KEPT = 12 * MIB, 40 * MIB, 18 * MIB
SECONDS = 600.0
PAUSE = 3.0
# A Saturday; the owner allows restores from two to four.
WINDOW, BEFORE, WITHIN = "Sat 02:00-04:00", "2026-11-28T00:10:00", "2026-11-28T02:10:00"
CUT = Expectation(Ending.CRASHED, (INIT_STARTED, HANDOVER), SECONDS)
RESTARTED = Expectation(Ending.RESET, (INIT_STARTED, HANDOVER), SECONDS)
RESTORE_CUT = Expectation(Ending.CRASHED, (INIT_STARTED, "FR_STARTED"), SECONDS)
ANSWERED = Expectation(Ending.POWER_OFF, (INIT_STARTED, HANDOVER), SECONDS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GooseBit]:
    with running_goosebit(tmp_path / "goosebit") as server:
        yield server


@pytest.fixture
def connection(server: GooseBit) -> Iterator[BrokenConnection]:
    with closing(BrokenConnection(server.port)) as proxy:
        yield proxy


def new_image(container: LabContainer, products: Products, files: dict[str, SystemFile], folder: Path) -> Path:
    """The lab's small system with the agent, signed."""
    folder.mkdir()
    ballast = {"srv/ballast": SystemFile(hashlib.shake_256(b"ballast").digest(BALLAST), 0o644)}
    request = ImageRequest(
        source=RootArchive(products.image),
        name=parse_image_name(NEW, Branding().image_prefix),
        output=str(folder),
        meta=ImageMeta(),
        preset=0,
        more=tar_of({**files, **ballast}),
    )
    image = Path(container.images().create(request, lambda _: None).path)
    for name, content in signed_files(NEW, image.read_bytes(), OWNER, Release(2, 2), "later signer").items():
        if name != NEW:
            (folder / name).write_bytes(content)
    return image


def settings(connection: BrokenConnection) -> str:
    lines = (f'server = "http://10.0.2.2:{connection.port}"', "allow_http = true", f'window = ["{WINDOW}"]')
    return "\n".join([*lines, ""])


def state_of(unit: VirtualUnit) -> dict[str, object]:
    """Of a unit that has ended in order: after a cut, the journal is still to be replayed."""
    with recovery_of(unit) as stick:
        found: dict[str, object] = json.loads(stick.read("/update/state.json"))
        return found


def at(machine: Machine, time: str) -> Machine:
    return replace(machine, extra=(*machine.extra, "-rtc", f"base={time}"))


def cut_when(holds: Callable[[], bool]) -> Callable[[RunningMachine], None]:
    def during(live: RunningMachine) -> None:
        ended = live.wait_end(SECONDS, lambda: not holds())
        assert (ended, holds()) == (Ending.TIMEOUT, True)
        live.cut_power()

    return during


def some_time_after(log: Path, text: bytes) -> Callable[[], bool]:
    """Seconds after the unit has said that."""
    seen: list[float] = []

    def holds() -> bool:
        if not seen and log.exists() and text in log.read_bytes():
            seen.append(time.monotonic())
        return bool(seen) and time.monotonic() - seen[0] > PAUSE

    return holds


@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=str)
def test_a_unit_updates_itself_through_cuts(
    firmware: FirmwareKind,
    container: LabContainer,
    small_prepared_as: PrepareUnit,
    small_products: Products,
    run_stage: RunStage,
    server: GooseBit,
    connection: BrokenConnection,
    tmp_path: Path,
) -> None:
    processes = SystemProcesses()
    unit = small_prepared_as(unit_spec("small", firmware)).overlay(str(tmp_path / "unit"), processes)
    files = system_files()
    image = new_image(container, small_products, files, tmp_path / "image")
    maker = BundleMaker(LibcryptoVerifier(), Branding(), OWNER.trust_chain)
    bundle = maker.make(str(image), [unit.spec.code_name], str(image.parent), lambda _done, _size: None)
    software = server.upload(Path(bundle.path))
    rollout = server.roll_out(software)
    with primary_of(unit, writable=True) as root:
        put_into(root, files, str(tmp_path / "file"))
    with recovery_of(unit, writable=True) as stick:
        stick.make_folder("/update")
        (tmp_path / "update.toml").write_text(settings(connection))
        stick.add(str(tmp_path / "update.toml"), "/update/update.toml")
    initramfs = keys(tmp_path / "keys", TrustPolicy.ENFORCE)
    machine = under_keys(unit.machine(Durability.HONOUR_FLUSH), small_products, initramfs)

    # Every connection breaks after a part of the image, and then power is cut.
    connection.otherwise = Fault(after=BREAKS_AFTER)
    run_stage("download", unit, CUT, at(machine, BEFORE), cut_when(lambda: sum(connection.passed) > CUT_AT))
    connection.otherwise = SOUND
    assert disktags(unit) == [tag(small_products.image_name)]

    before = len(connection.passed)
    waiting = cut_when(lambda: "waits for" in server.device_log(unit.spec.serial))
    run_stage("waiting", unit, CUT, at(machine, BEFORE), waiting)
    assert sum(connection.passed[before:]) < bundle.size - KEPT, "the download began anew"
    assert disktags(unit) == [tag(small_products.image_name)]

    before = len(connection.passed)
    run_stage("request", unit, RESTARTED, at(machine, WITHIN))
    assert sum(connection.passed[before:]) < MIB, "the image was fetched, although it waited on RECOVERY"
    unpacking = cut_when(some_time_after(Path(unit.serial_log("restore-cut")), b"unpack /mnt/RECOVERY/Image/"))
    run_stage("restore-cut", unit, RESTORE_CUT, at(machine, WITHIN), unpacking)
    assert server.device(unit.spec.serial)["last_state"] == "Running"
    run_stage("restore", unit, RESTORED, at(machine, WITHIN))
    assert disktags(unit) == [tag(NEW)]
    run_stage("answer", unit, ANSWERED, at(machine, WITHIN))

    device = server.device(unit.spec.serial)
    assert (device["last_state"], device["sw_version"]) == ("Finished", bundle.version)
    counts = server.rollout(rollout)
    assert (counts["success_count"], counts["failure_count"]) == (1, 0)
    state = state_of(unit)
    assert (state["Phase"], state["Answered"], state["Action"]) == ("ended", True, str(software))
    shutil.rmtree(tmp_path / "unit")
