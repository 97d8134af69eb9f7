"""Simulated drives behind an iSCSI target, used by initiators that are not ours: libiscsi's tools and QEMU's."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from tests.integ.erase.iscsi.clock import FastClock
from tests.integ.erase.iscsi.file_store import FileStore
from tests.integ.erase.iscsi.session import Drive
from tests.integ.erase.iscsi.target import IscsiTarget

SIZE = 16 << 20
BLOCKS = SIZE // 512
# Sanitize operations of 60 s take 0.06 s.
RATE = 1000.0
# Tests of iscsi-test-cu for what the standards leave open: writes without their whole data are refused; DPO and FUA
# are ignored; write protection (SWP) cannot be set.
# Suites of iscsi-test-cu for the transport.
TRANSPORT = ("iSCSI.iSCSIResiduals", "iSCSI.iSCSITMF", "iSCSI.iSCSIcmdsn")
NOT_REQUIRED = {"Write10Residuals", "Write16Residuals", "DpoFua", "Dpo", "Readonly"}

Offer = Callable[[Drive], IscsiTarget]

pytestmark = [
    pytest.mark.skipif(shutil.which("iscsi-inq") is None, reason="needs libiscsi-bin"),
    pytest.mark.skipif(shutil.which("qemu-io") is None, reason="needs qemu-utils and qemu-block-extra"),
]


def called(*argv: str) -> tuple[int, str]:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def tool(*argv: str) -> str:
    status, output = called(*argv)
    assert status == 0, output
    return output


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path / "store", SIZE)
    yield store
    store.close()


@pytest.fixture
def offer() -> Iterator[Offer]:
    with ExitStack() as stack:
        yield lambda drive: stack.enter_context(IscsiTarget(drive, "drive"))


def ata(store: FileStore, faults: AtaFaults | None = None) -> SatDrive:
    return SatDrive(FastClock(RATE), store, AtaModel(sectors=BLOCKS), faults or AtaFaults())


def scsi(store: FileStore) -> ScsiDrive:
    return ScsiDrive(FastClock(RATE), store, ScsiModel(blocks=BLOCKS))


def test_an_initiator_finds_and_identifies_a_drive(store: FileStore, offer: Offer) -> None:
    target = offer(ata(store))
    assert f"Target:{target.url.split('/')[3]} Portal:{target.address},1" in tool("iscsi-ls", target.portal)
    assert "Lun:0    Type:DIRECT_ACCESS" in tool("iscsi-ls", "-s", target.portal)
    inquiry = tool("iscsi-inq", target.url)
    assert re.search(r"^Vendor:ATA +$", inquiry, re.MULTILINE)
    assert "Product:Simulated ATA Dr" in inquiry
    assert f"Total size:{SIZE}\n" in tool("iscsi-readcapacity16", target.url)


def test_an_unknown_target_is_refused(store: FileStore, offer: Offer) -> None:
    target = offer(scsi(store))
    status, output = called("iscsi-inq", f"{target.portal}/iqn.2026-01.test.gprov:other/0")
    assert status != 0
    assert "Target not found" in output


def test_qemu_reads_what_it_wrote_and_writes_to_the_store(store: FileStore, offer: Offer) -> None:
    url = offer(scsi(store)).url
    assert f"({SIZE} bytes)" in tool("qemu-img", "info", url)
    tool("qemu-io", "-f", "raw", "-c", "write -P 0x5a 1M 3M", "-c", "write -P 0xa5 5M 512", "-c", "flush", url)
    tool("qemu-io", "-f", "raw", "-c", "read -P 0x5a 1M 3M", "-c", "read -P 0 4M 1M", "-c", "read -P 0xa5 5M 512", url)
    assert store.read(0, SIZE) == bytes(1 << 20) + b"\x5a" * (3 << 20) + bytes(1 << 20) + b"\xa5" * 512 + bytes(
        SIZE - (5 << 20) - 512
    )


def test_a_locked_drive_can_be_attached_but_not_read(store: FileStore, offer: Offer) -> None:
    url = offer(ata(store, AtaFaults(locked_by=b"stranger"))).url
    assert f"({SIZE} bytes)" in tool("qemu-img", "info", "-f", "raw", url)
    assert "read failed" in called("qemu-io", "-f", "raw", "-c", "read 0 512", url)[1]


@pytest.mark.parametrize(
    ("make", "suites", "least"), [(ata, ("SCSI",), 150), (scsi, ("SCSI",), 150), (scsi, TRANSPORT, 10)]
)
def test_the_conformance_tests_of_libiscsi(
    make: Callable[[FileStore], Drive], suites: tuple[str, ...], least: int, store: FileStore, offer: Offer
) -> None:
    url = offer(make(store)).url
    options = ("--dataloss", "--allow-sanitize", "--normal")
    output = "".join(called("iscsi-test-cu", *options, "-t", suite, url)[1] for suite in suites)
    failed = set(re.findall(r"^Suite \w+, Test (\w+) had failures", output, re.MULTILINE))
    assert failed <= NOT_REQUIRED, output
    passed = [int(number) for number in re.findall(r"^ +tests +\d+ +\d+ +(\d+)", output, re.MULTILINE)]
    assert sum(passed) > least
