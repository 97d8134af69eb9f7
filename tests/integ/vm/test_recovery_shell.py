"""A person with the admin password works in the recovery shell of a unit; the unit is not changed by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.erased import console, recovery
from tests.integ.vm.person import started_with
from tests.integ.vm.serial_line import type_on_console
from tests.integ.vm.stored_passwords import stored_passwords

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

PrepareUnit = Callable[[VirtualUnitSpec], VirtualUnit]
ENDED = Expectation(Ending.RESET, (INIT_STARTED,), 600.0)
ASKED, OPENED = "password of the administrator", "Leave the shell with: exit"
WRITE = "for f in /mnt/RECOVERY /newroot; do touch $f/written && echo done-$((6*7)) || echo refused-$((6*7)); done"
# The computed numbers are in the answers and not in what is typed.
DONE, REFUSED = "done-42", "refused-42"


def visited(
    unit: VirtualUnit,
    products: Products,
    run_stage: Callable[..., StageResult],
    name: str,
    pairs: tuple[tuple[str, bytes], ...],
) -> str:
    def person(live: RunningMachine) -> None:
        type_on_console(live, Path(unit.serial_log(name)), pairs, 240.0)

    return console(run_stage(name, unit, ENDED, started_with(unit.machine(), products, "frmode=shell"), person))


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_a_person_with_the_password_gets_a_shell_and_its_log_is_on_recovery(
    small_prepared_as: PrepareUnit,
    small_overlay_as: PrepareUnit,
    small_products: Products,
    run_stage: Callable[..., StageResult],
    firmware: FirmwareKind,
) -> None:
    spec = unit_spec("small", firmware)
    credentials = stored_passwords(small_prepared_as(spec))
    password = credentials.os.reveal().encode()
    unit = small_overlay_as(spec)

    looked = (
        (ASKED, b"wrong\r"),
        ("next password is accepted in", b""),
        (ASKED, password + b"\r"),
        ("able to write", b"\r"),
        (OPENED, WRITE.encode() + b"\r"),
        (REFUSED, b""),
        (REFUSED, b"tty; exit\r"),
        ("Recovery shell closed", b""),
    )
    shown = visited(unit, small_products, run_stage, "shell", looked)
    assert password.decode() not in shown
    assert "Read-only file system" in shown
    with recovery(unit) as volume:
        # One that the session began, and one of the whole session.
        names = [each for each in volume.names("/log") if each.startswith("shell2")]
        log = "".join(volume.read(f"/log/{name}").decode() for name in names)
        assert not volume.has("/written")
        assert json.loads(volume.read("/log/shell_access.json"))["Failures"] == 0
    for text in ("wrong password (1 in a row)", "volumes read-only", REFUSED, "/dev/pts/0", "Recovery shell closed"):
        assert text in log
    assert password.decode() not in log

    wrote = (
        (ASKED, password + b"\r"),
        ("able to write", b"yes\r"),
        (OPENED, WRITE.encode() + b"\r"),
        (DONE, b""),
        (DONE, b"exit\r"),
        ("Recovery shell closed", b""),
    )
    visited(unit, small_products, run_stage, "shell-writable", wrote)
    with recovery(unit) as volume:
        assert volume.has("/written")
    run_stage("boot", unit, STARTED)


def test_after_three_wrong_passwords_the_unit_restarts_and_not_after_a_break_on_its_line(
    small_overlay_as: PrepareUnit, small_products: Products, run_stage: Callable[..., StageResult]
) -> None:
    """After a BREAK, a kernel that has its magic SysRq on serial lines would restart the unit at the key b. Enter
    without characters is no password."""
    unit = small_overlay_as(unit_spec("small"))
    log = Path(unit.serial_log("wrong"))

    def person(live: RunningMachine) -> None:
        type_on_console(live, log, ((ASKED, b"\r"),), 240.0)
        live.qmp.execute("chardev-send-break", {"id": "console"})
        # The dialog is drawn several times: the next one comes after its message.
        second, third = ("(1 in a row)", b""), ("(2 in a row)", b"")
        typed = ((ASKED, b"b\r"), second, (ASKED, b"wrong\r"), third, (ASKED, b"wrong\r"))
        type_on_console(live, log, (*typed, ("3 wrong passwords", b"")), 240.0)

    machine = started_with(unit.machine(), small_products, "frmode=shell")
    assert OPENED not in console(run_stage("wrong", unit, ENDED, machine, person))
