"""Erases in virtual machines that go on in another start of the machine, whose power stays on."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.erase.report import OptionStatus
from gprov.ports.clock import Clock
from tests.integ.erase.iscsi.file_store import FileStore
from tests.integ.erase.iscsi.target import IscsiTarget
from tests.integ.tpm.software_tpm import SoftwareTpm, own, tpm_for_qemu, tpm_on_socket
from tests.integ.vm.erased import (
    ERASED,
    FAILED,
    MARKER,
    RECORD,
    OverlayAs,
    RunStage,
    assert_erased,
    canary,
    console,
    erasing,
    plant,
    press_key,
    recovery,
    remains,
    report,
)

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

SANITIZE = 0x48
SANITIZE_SECONDS = 600.0


class HeldClock(Clock):
    """Stands still until it is released; then it is a thousand times as fast as a real one."""

    def __init__(self) -> None:
        self._released: float | None = None

    def release(self) -> None:
        self._released = time.monotonic()

    @override
    def monotonic(self) -> float:
        return 0.0 if self._released is None else 1000 * (time.monotonic() - self._released)

    @override
    def now_ns(self) -> int:
        return round(self.monotonic() * 1e9)

    @override
    def sleep(self, seconds: float) -> None:
        raise NotImplementedError(f"drives do not wait {seconds} s")

    @override
    def set(self, time_ns: int) -> None:
        raise NotImplementedError(f"cannot be set to {time_ns}")


def test_a_scsi_drive_that_erases_itself_is_waited_for_after_a_restart(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path
) -> None:
    """The kernel of that start finds a drive without capacity. What became of the operation, such a drive does not
    keep: it is carried out once more."""
    unit = small_overlay_as(unit_spec("small"))
    size, clock = unit.spec.primary_size, HeldClock()
    with closing(FileStore(tmp_path / "drive", size)) as store:
        for number, offset in enumerate((0, 512 << 20, size - 4096)):
            store.write(offset, canary(number))
        drive = ScsiDrive(clock, store, ScsiModel(blocks=size // 512, sanitize_seconds=SANITIZE_SECONDS))

        def restart(live: RunningMachine) -> None:
            log = Path(unit.serial_log("erase"))
            assert live.wait_end(ERASED.seconds, lambda: sanitizes(drive) == 0) is Ending.TIMEOUT
            on_reset(live, "reset")
            live.qmp.execute("system_reset")
            await_reset(live, ERASED.seconds)
            on_reset(live, "shutdown")
            await_text(live, log, "erases itself since before this start")
            assert sanitizes(drive) == 1
            clock.release()

        with IscsiTarget(drive, "sanitizes") as target:
            machine = with_scsi_target(unit.machine(), target.url)
            run_stage("erase", unit, ERASED, erasing(machine, unit, small_products), restart)
        assert sanitizes(drive) == 2
        assert not store.holds(MARKER)
    found = report(unit)
    [disk] = found["disks"]
    assert (found["verdict"], disk["verdict"]) == ("erased", "erased")
    assert (disk["technique"], disk["achieved"]) == ("scsi-sanitize-block", "purge")
    with recovery(unit) as volume:
        assert not volume.has(RECORD)


def sanitizes(drive: ScsiDrive) -> int:
    """How often it was told to erase itself."""
    return sum(command.cdb[0] == SANITIZE for command in drive.received)


def with_scsi_target(machine: Machine, url: str) -> Machine:
    """The same machine; its data disk is one to which QEMU passes all commands on."""
    disk = ("-drive", f"if=none,id=target,file={url},format=raw")
    arguments = (
        "-device",
        "virtio-scsi-pci,id=target-bus",
        *disk,
        "-device",
        "scsi-block,bus=target-bus.0,drive=target",
    )
    return replace(machine, disks=machine.disks[1:], extra=(*machine.extra, *arguments))


@pytest.fixture
def tpm_state(tmp_path: Path) -> Path:
    """Folder of a TPM with keys, and passwords of owner and lockout hierarchy: no operating system can clear it."""
    state = tmp_path / "tpm"
    state.mkdir()
    with tpm_on_socket(state) as tpm:
        own(tpm, tmp_path)
        tpm.tool("tpm2_changeauth", "-c", "lockout", "secret")
        assert owners_passwords(tpm) == ["1", "1"]
    return state


@contextmanager
def with_tpm(machine: Machine, state: Path) -> Iterator[Machine]:
    """The same machine with that TPM."""
    sockets = Path(tempfile.mkdtemp(prefix="gprov-tpm-", dir="/tmp"))
    try:
        with tpm_for_qemu(state, sockets / "tpm") as arguments:
            yield replace(machine, extra=(*machine.extra, *arguments))
    finally:
        shutil.rmtree(sockets)


CLEAR_TPM = "DATA_ERASE_OPTIONS=clear-tpm:yes"


def test_a_tpm_with_a_password_is_cleared_by_the_firmware_at_the_next_start(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, tpm_state: Path
) -> None:
    """Over the physical presence interface, whose request QEMU keeps only as long as it runs. OVMF asks a person."""
    unit = small_overlay_as(unit_spec("small"))
    former = plant(unit, tmp_path)

    def restart(live: RunningMachine) -> None:
        on_reset(live, "reset")
        await_reset(live, ERASED.seconds)
        on_reset(live, "shutdown")
        await_text(live, Path(unit.serial_log("erase")), "Press F12 to")
        live.press_keys("f12")

    with with_tpm(unit.machine(), tpm_state) as machine:
        run_stage("erase", unit, ERASED, erasing(machine, unit, small_products, CLEAR_TPM), restart)
    told = stated_of_tpm(assert_erased(unit, former))
    assert told["status"] == OptionStatus.PENDING.value
    assert "physical presence operation 5 is pending" in told["detail"]
    with tpm_on_socket(tpm_state) as tpm:
        assert owners_passwords(tpm) == ["0", "0"]
        assert tpm.handles("persistent").strip() == ""
        assert tpm.handles("nv-index").strip() == ""


def test_a_tpm_that_the_firmware_does_not_clear_fails_the_erase(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, tpm_state: Path
) -> None:
    """SeaBIOS 1.16 has the interface and no operation of it."""
    unit = small_overlay_as(unit_spec("small", FirmwareKind.BIOS))
    former = plant(unit, tmp_path)
    with with_tpm(unit.machine(), tpm_state) as machine:
        erase = erasing(machine, unit, small_products, CLEAR_TPM)
        result = run_stage("erase", unit, FAILED, erase, partial(press_key, unit))
    assert "operation 5 is refused" in console(result)
    assert remains(unit, former) == []
    found = report(unit)
    told = stated_of_tpm(found)
    assert (found["verdict"], told["status"]) == ("erased", OptionStatus.FAILED.value)
    assert "Clear it in the setup" in told["detail"]
    with recovery(unit) as volume:
        assert json.loads(volume.read(RECORD))["State"] == "failed"
    with tpm_on_socket(tpm_state) as tpm:
        assert owners_passwords(tpm) == ["1", "1"]


def stated_of_tpm(found: dict[str, Any]) -> dict[str, str]:
    [told] = [one for one in found["options"] if one["name"] == "TPM"]
    return {key: str(value) for key, value in told.items()}


def owners_passwords(tpm: SoftwareTpm) -> list[str]:
    return [tpm.attribute(name) for name in ("ownerAuthSet", "lockoutAuthSet")]


def on_reset(live: RunningMachine, action: str) -> None:
    """What QEMU does when the machine is reset: "reset" it, or "shutdown", which ends the stage."""
    live.qmp.execute("set-action", {"reboot": action})


def await_reset(live: RunningMachine, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (event := live.qmp.next_event(max(0.0, end - time.monotonic()))) is None or event.name != "RESET":
        assert event is None or event.name != "SHUTDOWN"
        assert time.monotonic() < end


def await_text(live: RunningMachine, log: Path, text: str) -> None:
    shown = log.read_text(errors="replace")
    assert live.wait_end(ERASED.seconds, lambda: text not in log.read_text(errors="replace")) is Ending.TIMEOUT, shown
    assert text in log.read_text(errors="replace")
