"""The recovery shell: who gets one, what it may write, and what is left of a session."""

from __future__ import annotations

import json

import pytest
from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.system.passwords import FakePasswordHasher
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.recovery_files import INSECURE_STORAGE
from gprov.domain.unit.credentials import Secret
from gprov.domain.unit.shell_access import LOCK_SECONDS
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

SHELL = {"real_root": "LABEL=PRIMARY", "frmode": "shell", "PROVISION_FAILURE_HOLD": "0"}
PASSWORD = "right and long"
HASH = "/secrets/admin.hash"
ACCESS = "/log/shell_access.json"
RECOVERY_FILE, ROOT_FILE = "/mnt/RECOVERY/note", "/newroot/note"


@pytest.fixture
def unit() -> UnitDriver:
    unit = units.running()
    unit.machine.operator_present = True
    unit.put("RECOVERY", HASH, FakePasswordHasher().hash(Secret(PASSWORD)).encode() + b"\n")
    return unit


def failures(unit: UnitDriver) -> int:
    count = json.loads(unit.read("RECOVERY", ACCESS))["Failures"]
    assert isinstance(count, int)
    return count


def log_of_shell(unit: UnitDriver) -> str:
    tree = unit.machine.volume_tree("RECOVERY")
    names = sorted(path for path in tree.paths() if path.startswith("/log/shell2"))
    return "".join(unit.read("RECOVERY", path).decode() for path in names)


def shown(unit: UnitDriver) -> list[str]:
    return [line for line in unit.lines().splitlines() if line.startswith("shell| ")]


def seconds_of(unit: UnitDriver, *keys: str) -> float:
    """How long one start with the shell's argument takes, while a person enters this."""
    unit.machine.keys = [*keys]
    before = unit.machine.clock.now_ns()
    assert unit.boot(SHELL) is StopReason.REBOOT
    return (unit.machine.clock.now_ns() - before) / 1e9


def try_to_write(unit: UnitDriver) -> bytes:
    shown = b""
    for path in (RECOVERY_FILE, ROOT_FILE):
        try:
            FakeFiles(unit.machine).replace(path, b"x")
            shown += path.encode() + b": written\r\n"
        except DeviceFault as fault:
            shown += f"{path}: {fault.reason}\r\n".encode()
    return shown


def test_the_right_password_opens_a_shell_on_read_only_volumes(unit: UnitDriver) -> None:
    unit.world.shell.session = lambda: try_to_write(unit)
    seconds_of(unit, PASSWORD, "no")
    greeting = unit.world.shell.greetings[0]
    assert "/mnt/RECOVERY, read-only" in greeting
    assert "/newroot, read-only" in greeting
    assert len(shown(unit)) == 2
    assert "written" not in "".join(shown(unit))
    assert failures(unit) == 0


def test_a_person_who_asks_for_it_may_write(unit: UnitDriver) -> None:
    unit.world.shell.session = lambda: try_to_write(unit)
    seconds_of(unit, PASSWORD, "yes")
    assert shown(unit) == ["shell| /mnt/RECOVERY/note: written", "shell| /newroot/note: written"]
    assert unit.read("RECOVERY", "/note") == unit.read("PRIMARY", "/note") == b"x"


@pytest.mark.parametrize("writable", ["yes", "no"])
def test_the_session_is_in_a_log_on_recovery(unit: UnitDriver, writable: str) -> None:
    unit.world.shell.session = lambda: b"recovery# ls\r\nconf\x1b[0m\r\nunfinished"
    seconds_of(unit, PASSWORD, writable)
    log = log_of_shell(unit)
    for text in ("shell opened", "| recovery# ls\n", "| conf\\x1b[0m\n", "| unfinished", "shell closed: the shell was"):
        assert text in log
    assert PASSWORD not in log + unit.told()


def test_a_power_cut_in_the_session_leaves_that_it_began(unit: UnitDriver) -> None:
    def cut() -> bytes:
        raise MachineStopped(StopReason.POWER_CUT)

    unit.world.shell.session = cut
    unit.machine.keys = [PASSWORD, "no"]
    unit.boot(SHELL)
    assert "Recovery shell opened" in log_of_shell(unit)


def test_a_wrong_password_delays_the_next_also_after_a_restart(unit: UnitDriver) -> None:
    assert seconds_of(unit, "wrong", "wrong", "wrong") >= 2 + 4
    assert not unit.world.shell.greetings
    assert failures(unit) == 3
    assert seconds_of(unit, "wrong", PASSWORD, "no") >= 8 + 16
    assert unit.world.shell.greetings
    assert failures(unit) == 0


def test_a_password_is_counted_before_it_is_checked(unit: UnitDriver) -> None:
    """Else a power cut right after the answer would save the count."""

    class CutWhenAsked(FakePasswordHasher):
        @override
        def matches(self, password: Secret, stored: PasswordHash) -> bool:
            raise MachineStopped(StopReason.POWER_CUT)

    def install(container: UnitContainer) -> None:
        set_value(container.hasher, CutWhenAsked())

    unit.world.install = install
    unit.machine.keys = ["wrong"]
    unit.boot(SHELL)
    assert failures(unit) == 1


def test_after_many_wrong_passwords_each_attempt_waits_long(unit: UnitDriver) -> None:
    unit.put("RECOVERY", ACCESS, b'{"Version": 1, "Failures": 10}')
    assert seconds_of(unit, PASSWORD, "no") >= LOCK_SECONDS
    assert unit.world.shell.greetings


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b'{"Version": 1, "Failures": -1}', b'{"Version": 9, "Failures": 0}']
)
def test_a_damaged_count_locks(unit: UnitDriver, damaged: bytes) -> None:
    unit.put("RECOVERY", ACCESS, damaged)
    assert seconds_of(unit, PASSWORD, "no") >= LOCK_SECONDS


@pytest.mark.parametrize("stored", [None, b"!\n", b"*\n", b"\n", b"right and long\n"])
def test_without_a_stored_hash_there_is_no_shell(unit: UnitDriver, stored: bytes | None) -> None:
    if stored is None:
        unit.remove("RECOVERY", HASH)
    else:
        unit.put("RECOVERY", HASH, stored)
    seconds_of(unit, PASSWORD, "", "!", "*")
    assert not unit.world.shell.greetings


def test_a_unit_of_gprovision_has_its_password_in_plain_text(unit: UnitDriver) -> None:
    unit.remove("RECOVERY", HASH)
    unit.put("RECOVERY", f"/{INSECURE_STORAGE}", b"bios-one\0ipmi-one\0old one")
    seconds_of(unit, "old one", "no")
    assert unit.world.shell.greetings


def test_without_a_person_the_unit_restarts(unit: UnitDriver) -> None:
    unit.machine.operator_present = False
    seconds_of(unit)
    assert not unit.world.shell.greetings
    assert "no display with keys" in unit.errors()


def test_when_nothing_is_typed_the_unit_restarts_and_then_boots(unit: UnitDriver) -> None:
    seconds_of(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
