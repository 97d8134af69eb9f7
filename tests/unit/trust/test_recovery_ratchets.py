"""Numbers that never go down, in several stores: RECOVERY's file, a TPM, and what the kernel says."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.unit.execution.tpm.ratchets import SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX, TpmRatchets
from gprov.apps.unit.recovery.recovery_ratchets import AllRatchets, RecoveryRatchets
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.event_text import event_text
from gprov.domain.trust.ratchets import RatchetValues, StoredRatchets, serialise_ratchets

RECOVERY = "/mnt/RECOVERY"
FILE = f"{RECOVERY}/trust/ratchets.json"
NOTHING = RatchetValues()


class Site:
    """A machine with a TPM and a RECOVERY that is mounted."""

    def __init__(self) -> None:
        self.machine = SimulatedMachine(tpm=FakeTpmChip.new())
        self.files = FakeFiles(self.machine)
        self.file = RecoveryRatchets(self.files, RECOVERY)
        self.tpm = TpmRatchets(FakeTpm(self.machine), self.machine.clock)
        self.sink = MemorySink()

    def all(self, built_in: RatchetValues = NOTHING) -> AllRatchets:
        """As a run finds them."""
        bus = EventBus(self.machine.clock)
        self.sink = MemorySink()
        bus.attach(self.sink)
        return AllRatchets(self.file, lambda: (self.tpm,), built_in, bus)

    @property
    def stored(self) -> tuple[RatchetValues, RatchetValues]:
        """Of RECOVERY and of the TPM."""
        return self.file.read().values, self.tpm.read().values

    def said(self) -> list[str]:
        """With severity, without the time."""
        return [event_text(event).partition(" ")[2] for event in self.sink.events]

    def fail(self, where: str) -> None:
        self.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=where, times=1000))


@pytest.fixture
def site() -> Site:
    return Site()


def test_nothing_is_zero_and_not_written(site: Site) -> None:
    ratchets = site.all()
    assert ratchets.values == NOTHING
    assert ratchets.raise_to(NOTHING) is False
    assert site.files.status(FILE) is None
    assert site.said() == []


def test_each_number_is_the_largest_of_any_store(site: Site) -> None:
    site.file.raise_to(RatchetValues(5, 1))
    site.tpm.raise_to(RatchetValues(2, 7))
    assert site.all().values == RatchetValues(5, 7)
    assert site.all(RatchetValues(6, 0)).values == RatchetValues(6, 7)


def test_a_number_of_the_kernel_counts_and_is_stored_nowhere(site: Site) -> None:
    ratchets = site.all(RatchetValues(6, 0))
    assert ratchets.raise_to(RatchetValues(0, 3)) is True
    assert ratchets.values == RatchetValues(6, 3)
    assert site.stored == (RatchetValues(0, 3), RatchetValues(0, 3))


def test_both_stores_are_raised_once(site: Site) -> None:
    ratchets = site.all()
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    assert ratchets.values == RatchetValues(4, 2)
    assert site.stored == (RatchetValues(4, 2), RatchetValues(4, 2))
    assert site.files.status(FILE) is not None
    written = site.machine.clock.monotonic()
    operations: list[str] = []
    site.machine.hook = operations.append
    assert ratchets.raise_to(RatchetValues(4, 1)) is False
    assert operations == []
    assert site.machine.clock.monotonic() == written


@pytest.mark.parametrize("behind", ["RECOVERY", "TPM"])
def test_a_store_that_was_left_behind_is_raised_although_the_other_has_the_number(site: Site, behind: str) -> None:
    (site.tpm if behind == "RECOVERY" else site.file).raise_to(RatchetValues(4, 2))
    ratchets = site.all()
    assert ratchets.values == RatchetValues(4, 2)
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    assert site.stored == (RatchetValues(4, 2), RatchetValues(4, 2))


def test_what_the_file_says_does_not_get_into_the_tpm(site: Site) -> None:
    """It may be what an attacker wrote. What the TPM says gets into the file."""
    site.file.raise_to(RatchetValues(99, 0))
    site.tpm.raise_to(RatchetValues(3, 3))
    assert site.all().raise_to(RatchetValues(0, 4)) is True
    assert site.stored == (RatchetValues(99, 4), RatchetValues(3, 4))


def test_a_tpm_that_has_the_number_is_not_asked_again(site: Site) -> None:
    site.tpm.raise_to(RatchetValues(4, 2))
    ratchets = site.all()
    assert site.machine.tpm is not None
    site.machine.tpm.failed = True
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    assert site.said() == []
    assert site.file.read() == StoredRatchets(RatchetValues(4, 2))


def test_a_damaged_file_is_reported_and_the_tpm_counts(site: Site) -> None:
    site.files.replace(FILE, b"{}")
    site.tpm.raise_to(RatchetValues(4, 2))
    ratchets = site.all()
    assert ratchets.values == RatchetValues(4, 2)
    [said] = site.said()
    assert said.startswith(
        f"ERROR a record of security versions cannot be used, others count: {FILE}: $.Format: is mis"
    )
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    assert site.file.read() == StoredRatchets(RatchetValues(4, 2))


def test_a_damaged_file_is_replaced_also_by_zeros(site: Site) -> None:
    site.files.replace(FILE, b"{}")
    site.file.raise_to(NOTHING)
    assert site.files.read(FILE) == serialise_ratchets(NOTHING)
    status = site.files.status(FILE)
    assert status is not None
    assert status.mode == 0o600


def test_the_largest_file(site: Site) -> None:
    content = serialise_ratchets(RatchetValues(4, 2))
    site.files.replace(FILE, content.ljust(4096))
    assert site.all().values == RatchetValues(4, 2)
    site.files.replace(FILE, content.ljust(4097))
    assert site.all().values == NOTHING
    assert "is larger than 4096 bytes" in site.said()[0]


def test_a_file_that_cannot_be_read_is_replaced(site: Site) -> None:
    site.files.symlink("/etc/passwd", FILE)
    ratchets = site.all()
    assert "ERROR a record of security versions cannot be used, others count: " in site.said()[0]
    assert "is no file" in site.said()[0]
    assert ratchets.raise_to(RatchetValues(1, 1)) is True
    assert site.file.read() == StoredRatchets(RatchetValues(1, 1))


def test_a_file_with_the_number_is_not_written_again(site: Site) -> None:
    site.file.raise_to(RatchetValues(4, 2))
    operations: list[str] = []
    site.machine.hook = operations.append
    site.file.raise_to(RatchetValues(3, 2))
    assert not [name for name in operations if "write" in name or "rename" in name]


@pytest.mark.parametrize(
    ("index", "left"), [(SECURITY_FLOOR_INDEX, RatchetValues(0, 2)), (TRUST_VERSION_INDEX, RatchetValues(4, 0))]
)
def test_one_bad_number_in_the_tpm_does_not_hide_the_other(site: Site, index: int, left: RatchetValues) -> None:
    site.tpm.raise_to(RatchetValues(4, 2))
    assert site.machine.tpm is not None
    site.machine.tpm.nv[index].data = b"\xff" * 8
    ratchets = site.all()
    assert ratchets.values == left
    [said] = site.said()
    assert said.startswith("ERROR a record of security versions cannot be used, others count: ")
    assert said.endswith(f": index {index:#x} of the TPM holds no number that gprov writes")


def test_a_tpm_that_fails_is_reported_when_it_is_read_and_when_it_is_raised(site: Site) -> None:
    assert site.machine.tpm is not None
    site.machine.tpm.failed = True
    ratchets = site.all()
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    assert [line.partition(": ")[0] for line in site.said()] == [
        "ERROR a record of security versions cannot be used, others count",
        "ERROR a security version could not be recorded",
    ]
    assert ratchets.values == RatchetValues(4, 2)
    assert site.file.read().values == RatchetValues(4, 2)
    # In this run it counts as raised: else every image would ask it again.
    assert ratchets.raise_to(RatchetValues(4, 2)) is False


def test_a_tpm_that_is_none_is_logged(site: Site) -> None:
    site.machine.tpm = FakeTpmChip(version=1)
    ratchets = site.all()
    assert site.said() == []
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    [said] = site.said()
    assert said.startswith("LOG a security version is not recorded where there is no store for it: ")


def test_a_file_that_cannot_be_written_is_reported(site: Site) -> None:
    ratchets = site.all()
    site.fail(f"write {FILE}")
    assert ratchets.raise_to(RatchetValues(4, 2)) is True
    [said] = site.said()
    assert said.startswith("ERROR a security version could not be recorded: ")
    assert site.tpm.read().values == RatchetValues(4, 2)
