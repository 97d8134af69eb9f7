"""Provisioning of a unit with a management controller, on the simulated machine: what the controller holds afterwards,
and what provisioning does if it misbehaves."""

from __future__ import annotations

import pytest
from typing_extensions import override

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.bmc.model import FakeAccount, FakeLan
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, CommandRefused, DeadlineExceeded, DeviceFault, DeviceMissing, HardwareMismatch
from gprov.domain.events import ProcessState, Severity
from tests.unit.bmc.units import BMC_MAC, PASSWORD, BmcUnit, bmc_unit
from tests.unit.flow.driver import UnitDriver

ADMINISTRATOR = 0x14  # with messaging
GET_CHANNEL_INFO, GET_USER_ACCESS, SET_USER_NAME, SET_PASSWORD = (6, 0x42), (6, 0x44), (6, 0x45), (6, 0x47)
GET_DEVICE_ID, GET_LAN, GET_USER_NAME, GET_SEL_INFO = (6, 1), (0x0C, 2), (6, 0x46), (0x0A, 0x40)


def test_the_units_account_is_the_only_one_that_lets_in_and_the_server_knows_the_mac() -> None:
    unit = bmc_unit()
    assert unit.bmc.board.logs_in("ADMIN", "ADMIN")
    assert unit.provision() is StopReason.REBOOT
    assert unit.factory.reported_macs == {SERIAL: ("56:78:90:00:00:01", BMC_MAC)}
    assert unit.bmc.board.logs_in("admin", PASSWORD)
    assert not unit.bmc.board.logs_in("ADMIN", "ADMIN")
    assert not unit.bmc.board.logs_in("admin", "ADMIN")
    assert unit.bmc.board.accounts[3].name == b"admin"
    assert "user 2 (ADMIN) could log in and was disabled" in unit.log(Severity.WARNING)
    assert "password of user 3 (admin) set and tested" in unit.log()
    assert "set, and compared with what the BMC stores" in unit.factory.documents[f"{SERIAL}_qav.htm"]
    assert unit.settle() == ("reboot", "switched root")


def test_the_password_is_in_no_log_and_on_no_disk() -> None:
    unit = bmc_unit()
    unit.provision()
    assert PASSWORD not in unit.told()
    assert not any(PASSWORD.encode() in content for content in unit.stored())


def test_provisioning_again_takes_the_same_account() -> None:
    unit = bmc_unit()
    unit.provision()
    unit.provision()
    assert [number for number, account in unit.bmc.board.accounts.items() if account.name == b"admin"] == [3]
    assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_an_account_of_this_name_is_taken_though_an_earlier_slot_is_free() -> None:
    unit = bmc_unit()
    unit.bmc.board.accounts[6] = FakeAccount(name=b"admin")
    unit.provision()
    assert unit.bmc.board.logs_in("admin", PASSWORD)
    assert unit.bmc.board.accounts[3].name == b""
    assert unit.bmc.board.accounts[6].enabled


def test_a_second_account_of_this_name_is_disabled() -> None:
    unit = bmc_unit()
    for number in (4, 6):
        unit.bmc.board.accounts[number] = FakeAccount(name=b"admin", password=b"x" * 16, enabled=True)
        unit.bmc.board.accounts[number].access[1] = ADMINISTRATOR
    unit.provision()
    assert unit.bmc.board.logs_in("admin", PASSWORD)
    assert (unit.bmc.board.accounts[4].enabled, unit.bmc.board.accounts[6].enabled) == (True, False)


def test_the_anonymous_user_is_disabled_and_never_taken() -> None:
    unit = bmc_unit()
    unit.bmc.board.accounts[1] = FakeAccount(password=b"".ljust(16, b"\0"), enabled=True, access={1: ADMINISTRATOR})
    unit.provision()
    assert not unit.bmc.board.accounts[1].enabled
    assert unit.bmc.board.accounts[1].name == b""
    assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_the_account_of_the_manufacturer_is_taken_if_the_brand_has_its_name() -> None:
    unit = bmc_unit(Branding(bmc_user="ADMIN"))
    unit.provision()
    assert unit.bmc.board.logs_in("ADMIN", PASSWORD)
    assert not unit.bmc.board.logs_in("ADMIN", "ADMIN")
    assert sorted(number for number, account in unit.bmc.board.accounts.items() if account.name) == [2]


def test_no_ipmi_pw_leaves_the_accounts_alone() -> None:
    unit = bmc_unit()
    unit.provision(PROVISION_MFG_TEST="No-ipmi-pw")
    assert unit.bmc.board.logs_in("ADMIN", "ADMIN")
    assert not unit.bmc.board.logs_in("admin", PASSWORD)
    assert unit.factory.reported_macs[SERIAL] == ("56:78:90:00:00:01", BMC_MAC)


def test_all_lan_channels_or_the_one_of_the_platform() -> None:
    for wanted, macs in ((0, ("56:78:90:00:ff:01", "56:78:90:00:ff:08")), (8, ("56:78:90:00:ff:08",))):
        unit = bmc_unit()
        unit.use_channel(wanted)
        unit.bmc.board.channels[8] = FakeLan(mac=bytes.fromhex("56789000ff08"))
        unit.bmc.board.accounts[2].access[8] = ADMINISTRATOR
        unit.provision()
        assert unit.factory.reported_macs[SERIAL][1:] == macs
        assert unit.bmc.board.logs_in("admin", PASSWORD, channel=8)
        assert unit.bmc.board.logs_in("admin", PASSWORD, channel=1) is (wanted == 0)
        assert not any(unit.bmc.board.logs_in("ADMIN", "ADMIN", channel=channel) for channel in (1, 8))


def test_a_channel_that_is_no_lan_channel() -> None:
    unit = bmc_unit()
    unit.use_channel(2)
    with pytest.raises(HardwareMismatch, match=r"IPMIChannel 2 is not a LAN channel .* it has: 1"):
        unit.provision()
    assert unit.written == 0


def test_no_lan_channel() -> None:
    unit = bmc_unit()
    unit.bmc.board.channels.clear()
    with pytest.raises(HardwareMismatch, match="has no LAN channel"):
        unit.provision()
    assert unit.written == 0


def test_a_controller_that_is_not_there() -> None:
    unit = bmc_unit()
    unit.machine.bmc = None
    with pytest.raises(DeviceMissing, match="has no management controller"):
        unit.provision()
    assert unit.written == 0
    assert unit.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]


def test_a_busy_controller_is_asked_again() -> None:
    for code in (0xC0, 0xC3, 0xD2):
        unit = bmc_unit()
        unit.bmc.faults.busy, unit.bmc.faults.busy_code = 20, code
        unit.provision()
        assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_a_controller_that_stays_busy_is_a_failure_before_anything_is_written() -> None:
    unit = bmc_unit()
    unit.bmc.faults.busy = 10_000
    with pytest.raises(CommandRefused, match=r"Get Device ID: the controller is busy \(0xc0\), still after 90 s"):
        unit.provision()
    assert unit.written == 0


def test_a_controller_that_is_silent_for_a_while() -> None:
    unit = bmc_unit()
    unit.bmc.faults.silent = 3
    unit.provision()
    assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_a_silent_controller_is_a_failure_before_anything_is_written() -> None:
    unit = bmc_unit()
    unit.bmc.faults.silent = 10_000
    with pytest.raises(DeadlineExceeded, match="management controller: Get Device ID: no response: not within 90 s"):
        unit.provision()
    assert unit.written == 0


def test_passwords_of_16_bytes_only() -> None:
    unit = bmc_unit()
    unit.bmc.faults.short_passwords = True
    unit.provision()
    assert unit.bmc.board.logs_in("admin", PASSWORD)


@pytest.mark.parametrize("password", ["x" * 17, "Aa3" + "y" * 17])
def test_a_long_password(password: str) -> None:
    unit = bmc_unit()
    unit.issue(password)
    unit.provision()
    assert unit.bmc.board.logs_in("admin", password)
    assert not unit.bmc.board.logs_in("admin", password[:16])


def test_a_long_password_on_a_controller_with_short_ones() -> None:
    unit = bmc_unit()
    unit.issue("x" * 20)
    unit.bmc.faults.short_passwords = True
    with pytest.raises(CommandRefused, match="let the factory server issue passwords of at most 16 characters"):
        unit.provision()
    assert unit.bmc.board.logs_in("ADMIN", "ADMIN")


def test_a_controller_that_cuts_passwords_is_found_out() -> None:
    unit = bmc_unit()
    unit.issue("x" * 20)
    unit.bmc.faults.cuts_passwords = True
    with pytest.raises(DeviceFault, match="kept only the beginning of the password of user 3"):
        unit.provision()


@pytest.mark.parametrize("password", ["", "x" * 21, "two words", "hunter2ü"])
def test_a_password_that_no_controller_stores(password: str) -> None:
    unit = bmc_unit()
    unit.issue(password)
    with pytest.raises(BadInput, match="IPMI password from the factory server") as caught:
        unit.provision()
    assert not password or password not in unit.told() + str(caught.value.details())


def test_a_controller_that_forgets_the_password() -> None:
    unit = bmc_unit()
    unit.bmc.faults.forgets_passwords = True
    with pytest.raises(CommandRefused, match="password of user 3: the controller has another password"):
        unit.provision()
    assert unit.factory.states[-1] is ProcessState.MFG_FAILED


def test_of_a_controller_that_accepts_any_password_it_is_said_that_nothing_was_tested() -> None:
    unit = bmc_unit()
    unit.bmc.faults.accepts_any = True
    unit.provision()
    assert unit.bmc.board.logs_in("admin", PASSWORD)
    assert "accepts any password of user 3 in a comparison" in unit.log(Severity.WARNING)
    assert "tested" not in unit.log(Severity.MSG)
    document = unit.factory.documents[f"{SERIAL}_qav.htm"]
    assert "<th>BMC (admin)</th><td>set, not tested: the BMC accepts any password in a comparison</td>" in document


def test_a_long_password_that_cannot_be_tested_is_a_failure() -> None:
    unit = bmc_unit()
    unit.issue("x" * 17)
    unit.bmc.faults.accepts_any = True
    with pytest.raises(DeviceFault, match="let the factory server issue passwords of at most 16 characters"):
        unit.provision()


def test_slots_whose_name_cannot_be_set_are_skipped() -> None:
    unit = bmc_unit()
    unit.bmc.faults.unnamed_slots = frozenset({3, 4, 7})
    unit.provision()
    assert unit.bmc.board.accounts[5].name == b"admin"
    assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_no_free_slot_is_a_failure_before_anything_is_written() -> None:
    unit = bmc_unit()
    unit.bmc.board.slots = 4
    for number in (3, 4):
        unit.bmc.board.accounts[number] = FakeAccount(name=f"guest{number}".encode())
    with pytest.raises(DeviceFault, match=r"no free slot for it; accounts: user 2 \(ADMIN\), user 3 \(guest3\)"):
        unit.provision()
    assert unit.written == 0


def test_no_slot_takes_the_name() -> None:
    unit = bmc_unit()
    unit.bmc.faults.codes = {SET_USER_NAME: 0xCC}
    with pytest.raises(DeviceFault, match=r"slots whose name cannot be set: 3, 4, 5, 6, 7, 8, 9, 10"):
        unit.provision()


def test_an_account_that_cannot_be_disabled_loses_its_rights() -> None:
    for faulty in ("keeps_enabled", "stays_enabled"):
        unit = bmc_unit()
        setattr(unit.bmc.faults, faulty, frozenset({2}))
        unit.provision()
        assert not unit.bmc.board.logs_in("ADMIN", "ADMIN")
        assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_a_controller_that_does_not_say_which_accounts_are_enabled() -> None:
    unit = bmc_unit()
    unit.bmc.faults.silent_status = True
    unit.provision()
    assert not unit.bmc.board.logs_in("ADMIN", "ADMIN")
    assert unit.bmc.board.logs_in("admin", PASSWORD)


def test_an_account_that_goes_on_letting_in_is_a_failure() -> None:
    unit = bmc_unit()
    unit.bmc.faults.keeps_enabled = unit.bmc.faults.fixed_access = frozenset({2})
    with pytest.raises(DeviceFault, match=r"user 2 \(ADMIN\) may still log in, .* \(bmc_user of the branding\)"):
        unit.provision()
    assert unit.factory.documents == {}


@pytest.mark.parametrize("command", [GET_DEVICE_ID, GET_CHANNEL_INFO, GET_LAN, GET_USER_ACCESS, GET_USER_NAME])
@pytest.mark.parametrize("size", [0, 1])
def test_a_response_of_a_wrong_length_is_a_failure_before_anything_is_written(
    command: tuple[int, int], size: int
) -> None:
    unit = bmc_unit()
    unit.bmc.faults.sizes = {command: size}
    with pytest.raises(BadInput, match=f"the response has {size} bytes of data"):
        unit.provision()
    assert unit.written == 0


def test_a_mac_that_was_never_set() -> None:
    unit = bmc_unit()
    unit.bmc.board.channels[1].mac = bytes(6)
    with pytest.raises(BadInput, match="00:00:00:00:00:00 is not the MAC of a station"):
        unit.provision()
    assert unit.written == 0


def test_an_unreadable_event_log_is_only_a_warning() -> None:
    unit = bmc_unit()
    unit.bmc.faults.codes = {GET_SEL_INFO: 0xC1}
    unit.provision()
    assert "event log of the BMC not read" in unit.log(Severity.WARNING)


def test_the_newest_events_are_logged() -> None:
    unit = bmc_unit()
    unit.bmc.board.events = [
        bytes((0, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, 0x0C, number, 0x6F, 0, 0, 0)) for number in range(30)
    ]
    unit.provision()
    log = unit.log(Severity.LOG)
    assert "event log has 30 entries" in log
    assert "sensor 0x1d" in log
    assert "sensor 0x09," not in log


def test_power_may_be_cut_at_any_request() -> None:
    count = sum(name == "bmc" for name in bmc_unit().operations(UnitDriver.provision))
    assert count > 100
    for cut in range(0, count, 9):
        unit, asked = bmc_unit(), 0

        def stop(operation: str, cut: int = cut) -> None:
            nonlocal asked
            asked += operation == "bmc"
            if operation == "bmc" and asked == cut:
                raise MachineStopped(StopReason.POWER_CUT)

        unit.machine.hook = stop
        unit.provision()
        unit.machine.hook = None
        unit.provision()
        assert unit.bmc.board.logs_in("admin", PASSWORD)
        assert not unit.bmc.board.logs_in("ADMIN", "ADMIN")
        assert sum(account.name == b"admin" for account in unit.bmc.board.accounts.values()) == 1


def test_firmware_versions_are_compared() -> None:
    for version, fits in (("2.05", True), ("2.04", False)):
        unit = bmc_unit()
        unit.specify(FirmwareVer={"IPMI": version})
        if fits:
            assert unit.provision() is StopReason.REBOOT
        else:
            with pytest.raises(HardwareMismatch) as caught:
                unit.provision()
            assert "2.05" in str(caught.value.details())


class _Hostile(FakeController):
    """Each response takes ``slow`` seconds; before each but the first ones it is busy for ``busy`` requests. Its event
    log claims to be full, and its records follow each other in a circle."""

    def __init__(self, clock: FakeClock, slow: float, busy: int) -> None:
        super().__init__()
        self._clock = clock
        self._slow = slow
        self._busy = busy
        self._again = busy

    @override
    def respond(self, function: int, command: int, data: bytes, to: tuple[int, int] | None = None) -> bytes | None:
        self._clock.advance(self._slow)
        if self._again:
            self._again -= 1
            return b"\xc0"
        self._again = self._busy
        match function, command:
            case (0x0A, 0x40):
                return bytes((0, 0x51, 0xFF, 0xFF, *bytes(11)))
            case (0x0A, 0x43):
                number = 2 if data[2] == 1 else 1
                return bytes((0, 3 - number, 0, number, 0, 2, *bytes(13)))
            case _:
                return super().respond(function, command, data, to)


def hostile(slow: float, busy: int) -> BmcUnit:
    unit = bmc_unit()
    unit.machine.bmc = _Hostile(unit.machine.clock, slow, busy)
    return unit


@pytest.mark.parametrize("slow", [0.5, 8.0])
def test_an_endless_event_log_ends_in_time(slow: float) -> None:
    unit = hostile(slow, busy=0)
    started = unit.machine.clock.monotonic()
    unit.provision()
    assert "event log of the BMC not read" in unit.log(Severity.WARNING)
    assert unit.machine.clock.monotonic() - started < 3600


def test_a_controller_that_is_busy_before_each_response_is_a_failure_in_time() -> None:
    unit = hostile(0.1, busy=20)
    started = unit.machine.clock.monotonic()
    with pytest.raises(CommandRefused, match=r"busy.*, after 600 s in all"):
        unit.provision()
    assert unit.written == 0
    assert unit.machine.clock.monotonic() - started < 3600
