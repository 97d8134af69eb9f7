"""Simulated drives as hdparm and sg3-utils see them, with sense data as the drives return them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.adapters.fake.drives.scsi import ScsiDrive
from gprov.adapters.fake.drives.store import MemoryStore
from gprov.adapters.fake.system.clock import FakeClock
from tests.integ.erase.iscsi.session import Drive
from tests.integ.erase.preload.server import Tools, build, offered

Offer = Callable[[Drive], Tools]
CONTENT = b"former content  " * (2048 * 512 // 16)
SURE = "--yes-i-know-what-i-am-doing"
USER = ("--user-master", "u")

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
    pytest.mark.skipif(shutil.which("hdparm") is None, reason="needs hdparm"),
    pytest.mark.skipif(shutil.which("sg_sanitize") is None, reason="needs sg3-utils"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("preload"))


@pytest.fixture
def offer(library: Path, tmp_path: Path) -> Iterator[Offer]:
    with ExitStack() as stack:
        yield lambda drive: stack.enter_context(offered(drive, library, tmp_path))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(CONTENT)


@pytest.mark.parametrize("operation", ["block-erase", "crypto-scramble", "overwrite"])
def test_hdparm_sanitizes(operation: str, clock: FakeClock, store: MemoryStore, offer: Offer) -> None:
    hdparm = offer(SatDrive(clock, store))
    assert "SD0 Sanitize Idle" in hdparm("hdparm", "--sanitize-status")[1]
    pattern = ("hex:00000000",) if operation == "overwrite" else ()
    status, output = hdparm("hdparm", SURE, f"--sanitize-{operation}", *pattern)
    assert (status, "Operation started in background" in output) == (0, True)
    clock.advance(30)
    output = hdparm("hdparm", "--sanitize-status")[1]
    assert "SD2 Sanitize operation In Process" in output
    assert "(50%)" in output
    clock.advance(30)
    assert "Last Sanitize Operation Completed Without Error" in hdparm("hdparm", "--sanitize-status")[1]
    assert CONTENT[:16] not in store.content


def test_hdparm_states_why_a_sanitize_operation_does_not_begin(
    clock: FakeClock, store: MemoryStore, offer: Offer
) -> None:
    hdparm = offer(SatDrive(clock, store))
    hdparm("hdparm", SURE, "--sanitize-freeze-lock")
    assert "SD1 Sanitize Frozen" in hdparm("hdparm", "--sanitize-status")[1]
    status, output = hdparm("hdparm", SURE, "--sanitize-block-erase")
    assert status != 0
    assert "Device in FROZEN state" in output
    assert store.content == CONTENT


def test_hdparm_states_a_failed_sanitize_operation(clock: FakeClock, store: MemoryStore, offer: Offer) -> None:
    hdparm = offer(SatDrive(clock, store, faults=AtaFaults(sanitize_fails=True)))
    hdparm("hdparm", SURE, "--sanitize-block-erase")
    clock.advance(60)
    assert "Last Sanitize Command completed unsuccessfully" in hdparm("hdparm", "--sanitize-status")[1]


def test_hdparm_finds_a_host_protected_area(clock: FakeClock, store: MemoryStore, offer: Offer) -> None:
    hdparm = offer(SatDrive(clock, store, AtaModel(hpa_sectors=48)))
    output = hdparm("hdparm", "-N")[1]
    assert "2000/2048" in output
    assert "HPA is enabled" in output


@pytest.mark.parametrize("mode", ["--security-erase", "--security-erase-enhanced"])
def test_hdparm_erases_by_security(mode: str, clock: FakeClock, store: MemoryStore, offer: Offer) -> None:
    drive = SatDrive(clock, store)
    hdparm = offer(drive)
    assert hdparm("hdparm", *USER, "--security-set-pass", "secret")[0] == 0
    assert drive.device.security.state == "SEC5"
    assert hdparm("hdparm", *USER, mode, "secret")[0] == 0
    assert drive.device.security.state == "SEC1"
    assert clock.total_elapsed == 60
    assert bytes(store.content) == bytes(len(CONTENT))


@pytest.mark.parametrize("faults", [AtaFaults(frozen_at_power_on=True), AtaFaults(locked_by=b"stranger")])
def test_hdparm_sets_no_password_on_a_frozen_or_locked_drive(
    faults: AtaFaults, clock: FakeClock, store: MemoryStore, offer: Offer
) -> None:
    output = offer(SatDrive(clock, store, faults=faults))("hdparm", *USER, "--security-set-pass", "secret")[1]
    assert "SECURITY_SET_PASS: Input/output error" in output


@pytest.mark.parametrize("operation", ["--block", "--crypto", "--zero"])
def test_sg_sanitize(operation: str, clock: FakeClock, store: MemoryStore, offer: Offer) -> None:
    tool = offer(ScsiDrive(clock, store))
    options = ("--overwrite",) if operation == "--zero" else ()
    assert tool("sg_sanitize", operation, *options, "--quick", "--early")[0] == 0
    clock.advance(15)
    assert "Progress indication: 25.00% done" in tool("sg_requests", "--progress", "--num=1")[1]
    assert tool("sg_turs")[0] == 2
    clock.advance(45)
    assert tool("sg_turs")[0] == 0
    assert CONTENT[:16] not in store.content
