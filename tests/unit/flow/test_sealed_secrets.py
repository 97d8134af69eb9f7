"""Secrets on RECOVERY that are sealed to the TPM of a simulated unit."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from itertools import cycle

import pytest

from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.adapters.fake.system.passwords import FakePasswordHasher
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.domain.errors import DeviceFault
from gprov.domain.events import Severity
from gprov.domain.files import FileType
from gprov.domain.formats.tpm.commands import CommandCode
from gprov.domain.unit.cap import CAP_PCR
from gprov.domain.unit.credentials import Secret
from tests.unit.flow import units
from tests.unit.flow.driver import NORMAL, UnitDriver
from tests.unit.flow.test_erase_flow import CONFIRMED

HASH, KEY = "/secrets/admin.hash", "/secrets/unit.key"
SEALED_HASH, SEALED_KEY = f"{HASH}.sealed", f"{KEY}.sealed"
OTHER_HASH = b"$fake$" + b"1" * 64 + b"\n"


@pytest.fixture
def unit() -> UnitDriver:
    """A unit with a TPM that was provisioned, restored and started, and is switched off."""
    unit = units.blank()
    unit.machine.tpm = FakeTpmChip.new()
    unit.provision()
    assert unit.settle() == ("reboot", "switched root")
    return unit


def chip(unit: UnitDriver) -> FakeTpmChip:
    assert unit.machine.tpm is not None
    return unit.machine.tpm


def password(unit: UnitDriver) -> bytes:
    [line] = [line for line in unit.read("PRIMARY", "/etc/shadow").splitlines() if line.startswith(b"admin:")]
    return line.split(b":")[1]


def restore(unit: UnitDriver) -> None:
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")


def test_recovery_holds_no_secret_that_can_be_read(unit: UnitDriver) -> None:
    assert password(unit).startswith(b"$fake$")
    key = TpmSealing(FakeTpm(unit.machine), unit.machine.clock)
    unit.machine.restart()
    secrets = (password(unit), key.unseal("file", unit.read("RECOVERY", SEALED_KEY)).splitlines()[0])
    assert len(secrets[1]) == 64
    for path in unit.machine.volume_tree("RECOVERY").paths():
        node = unit.node("RECOVERY", path)
        if node.type is FileType.FILE and not path.startswith("/Image/"):
            assert not any(secret in node.content for secret in secrets), path
    for path in (SEALED_HASH, SEALED_KEY):
        assert unit.node("RECOVERY", path).mode == 0o600
    assert not unit.exists("RECOVERY", HASH)
    assert not unit.exists("RECOVERY", KEY)
    assert "secrets/admin.hash on RECOVERY is sealed to the TPM" in unit.log()


def test_each_restore_sets_the_same_password(unit: UnitDriver) -> None:
    before = password(unit)
    for _ in range(2):
        restore(unit)
        assert password(unit) == before
    assert "LOCKED" not in unit.log()


def test_the_running_system_gets_no_secret(unit: UnitDriver) -> None:
    sealed = unit.read("RECOVERY", SEALED_HASH)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert chip(unit).memory.pcrs[CAP_PCR] != bytes(32)
    unit.machine.stopped = None
    with pytest.raises(DeviceFault, match="PCRs have other values"):
        TpmSealing(FakeTpm(unit.machine), unit.machine.clock).unseal("file", sealed)


def test_a_person_at_the_recovery_shell_gets_no_secret(unit: UnitDriver) -> None:
    unit.remove("RECOVERY", SEALED_HASH)
    unit.put("RECOVERY", HASH, FakePasswordHasher().hash(Secret("right and long")).encode())
    sealed, said = unit.read("RECOVERY", SEALED_KEY), []

    def session() -> bytes:
        with pytest.raises(DeviceFault) as refused:
            TpmSealing(FakeTpm(unit.machine), unit.machine.clock).unseal("file", sealed)
        said.append(str(refused.value))
        return b""

    unit.world.shell.session = session
    unit.machine.operator_present, unit.machine.keys = True, ["right and long", "no"]
    assert unit.boot({**NORMAL, "frmode": "shell"}) is StopReason.REBOOT
    assert "PCRs have other values" in said[0]


@pytest.mark.parametrize("stolen", ["other TPM", "no TPM", "cleared", "failed", "file damaged", "no file", "folder"])
def test_without_the_secret_the_account_is_locked_and_the_unit_works(unit: UnitDriver, stolen: str) -> None:
    match stolen:
        case "other TPM":
            unit.machine.tpm = FakeTpmChip.new(b"other")
        case "no TPM":
            unit.machine.tpm = None
        case "cleared":
            chip(unit).forget()
        case "failed":
            chip(unit).failed = True
        case "file damaged":
            unit.put("RECOVERY", SEALED_HASH, b'{"Format":1}')
        case _:
            unit.remove("RECOVERY", SEALED_HASH)
            if stolen == "folder":
                unit.put("RECOVERY", SEALED_HASH, Node(type=FileType.FOLDER))
    restore(unit)
    assert password(unit) == b"!"
    for severity in (Severity.ERROR, Severity.MSG):
        assert "The admin account of the restored system is LOCKED" in unit.log(severity)


GARBLED = {
    "nothing": b"",
    "no header": bytes.fromhex("8001 0000"),
    "other size": bytes.fromhex("8001 0000ffff 00000000"),
    "success without content": bytes.fromhex("8001 0000000a 00000000"),
    "success with other content": bytes.fromhex("8002 00000012 00000000 80000000 ffffffff"),
}


def garbled(codes: Iterable[CommandCode]) -> FakeTpmChip:
    """Each command gets another kind of reply."""
    return FakeTpmChip(
        persistent=[0x81800001], owned=False, garbled=dict(zip(codes, cycle(GARBLED.values()), strict=False))
    )


CODES = [[code] for code in CommandCode]


@pytest.mark.parametrize("codes", [*CODES, list(CommandCode)], ids=lambda codes: "+".join(map(str, codes))[:20])
def test_a_tpm_whose_replies_cannot_be_read_does_not_keep_a_unit_from_its_restore(codes: list[CommandCode]) -> None:
    """Such a reply is no fault of the image that is restored."""
    unit = units.running()
    unit.machine.tpm = garbled(codes)
    before = password(unit)
    restore(unit)
    assert password(unit) == before
    assert unit.exists("RECOVERY", HASH) or unit.exists("RECOVERY", SEALED_HASH)
    assert "no good image" not in unit.log()


def test_a_tpm_whose_replies_cannot_be_read_does_not_keep_a_unit_from_being_provisioned() -> None:
    unit = units.blank()
    unit.machine.tpm = garbled([CommandCode.CREATE, CommandCode.PCR_EXTEND])
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    assert password(unit).startswith(b"$fake$")
    assert "secrets/admin.hash on RECOVERY is not sealed" in unit.log(Severity.WARNING)


@pytest.mark.parametrize("tpm", [None, FakeTpmChip(version=1)], ids=["no TPM", "TPM 1.2"])
def test_a_start_without_a_tpm_that_can_seal_warns_of_nothing(tpm: FakeTpmChip | None) -> None:
    unit = units.running()
    unit.machine.tpm = deepcopy(tpm)
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "seal" not in unit.log(Severity.WARNING)
    assert not unit.machine.messages


def test_a_busy_tpm_is_asked_again(unit: UnitDriver) -> None:
    before = password(unit)
    chip(unit).busy = 3
    restore(unit)
    assert password(unit) == before


def test_a_hash_that_a_person_puts_on_recovery_is_used_and_sealed(unit: UnitDriver) -> None:
    """The way back if the TPM was cleared."""
    chip(unit).forget()
    unit.put("RECOVERY", HASH, OTHER_HASH)
    for _ in range(2):
        restore(unit)
        assert password(unit) == OTHER_HASH.strip()
        assert not unit.exists("RECOVERY", HASH)


def test_secrets_of_a_unit_of_an_earlier_version_are_sealed_by_its_next_restore() -> None:
    unit = units.running()
    before = password(unit)
    assert unit.exists("RECOVERY", HASH)
    unit.machine.tpm = FakeTpmChip.new()
    for _ in range(2):
        restore(unit)
        assert password(unit) == before
        for plain, sealed in ((HASH, SEALED_HASH), (KEY, SEALED_KEY)):
            assert not unit.exists("RECOVERY", plain)
            assert unit.exists("RECOVERY", sealed)


def test_power_cuts_while_secrets_are_sealed_lose_none() -> None:
    unit = units.running()
    before = password(unit)
    unit.machine.tpm = FakeTpmChip.new()
    unit.remove_flag()
    for name, copy in unit.cut_everywhere():
        assert password(copy) == before, name
        assert "LOCKED" not in copy.log(), name


@pytest.mark.parametrize("tpm", [None, FakeTpmChip(), FakeTpmChip(version=1), FakeTpmChip(failed=True)])
def test_without_a_tpm_that_can_seal_secrets_are_as_before_and_it_is_reported(tpm: FakeTpmChip | None) -> None:
    unit = units.blank()
    unit.machine.tpm = deepcopy(tpm)
    unit.provision()
    assert unit.settle() == ("reboot", "switched root")
    assert password(unit).startswith(b"$fake$")
    assert unit.node("RECOVERY", HASH).mode == 0o600
    assert not unit.exists("RECOVERY", SEALED_HASH)
    severity = Severity.LOG if tpm is None or tpm.version == 1 else Severity.WARNING
    assert "secrets/admin.hash on RECOVERY is not sealed, and can be read" in unit.log(severity)


def test_a_tpm_that_does_not_return_what_it_has_sealed_is_not_used() -> None:
    """What is stored unsealed is removed only after the TPM has returned it once."""
    unit = units.running()
    before = password(unit)
    other = bytes.fromhex("8002 0000001a 00000000 00000007 0005") + b"other" + bytes(5)
    unit.machine.tpm = FakeTpmChip(persistent=[0x81800001], owned=False, garbled={CommandCode.UNSEAL: other})
    for _ in range(2):
        restore(unit)
        assert password(unit) == before
    assert unit.exists("RECOVERY", HASH)
    assert "does not return what it has sealed" in unit.log(Severity.WARNING)


def test_a_busy_tpm_is_capped_before_the_system_is_started(unit: UnitDriver) -> None:
    chip(unit).busy = 3
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert chip(unit).memory.pcrs[CAP_PCR] != bytes(32)
    assert "sealed on RECOVERY" not in unit.warnings()


def test_a_tpm_that_cannot_be_capped_does_not_stop_a_start(unit: UnitDriver) -> None:
    chip(unit).failed = True
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT
    assert "the system can read the secrets that are sealed on RECOVERY" in unit.log(Severity.WARNING)


def test_the_unit_proves_itself_to_its_factory_server_with_the_sealed_secret(unit: UnitDriver) -> None:
    """After a power cut in the factory: the server needs what an earlier provisioning left."""
    before = unit.read("RECOVERY", SEALED_KEY)
    unit.provision()
    assert unit.read("RECOVERY", SEALED_KEY) != before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no hash",
        b"!",
        b"*",
        b"x",
        b"hunter2",
        b"$6$$/chiBau24cE26QQVW3IfIe68Xu5.JQ4E8Ie7lcRLwqxO5cxGuBhqF2HmTL.zWJ9zjChg3yJYFXeGBQ2y3Ba1d1",
    ],
)
def test_a_stored_text_that_is_no_hash_of_a_password_locks_the_account_loudly(content: bytes) -> None:
    unit = units.running()
    unit.put("RECOVERY", HASH, content)
    restore(unit)
    assert password(unit) == b"!"
    assert "is LOCKED: /mnt/RECOVERY/secrets/admin.hash: holds " in unit.log(Severity.ERROR)


def test_an_erase_that_clears_the_tpm_keeps_the_secrets_of_recovery(unit: UnitDriver) -> None:
    before, key = password(unit), unit.read("RECOVERY", SEALED_KEY)
    start = {**CONFIRMED, "DATA_ERASE_OPTIONS": "clear-tpm:yes"}
    for name, copy in unit.cut_everywhere(lambda one: one.boot(start)):
        assert password(copy) == before, name
        assert copy.exists("RECOVERY", SEALED_HASH), name
    assert unit.boot(start) is StopReason.REBOOT
    assert unit.machine.tpm is not None
    assert not unit.machine.tpm.holds_owner_data
    assert unit.settle()[-1] == "switched root"
    assert password(unit) == before
    assert not unit.exists("RECOVERY", HASH)
    assert unit.read("RECOVERY", SEALED_KEY) != key
