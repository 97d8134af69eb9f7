"""Erases on a bench machine: which disks, what is planned, what is done, and how it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.disk.drive_commands import MediaStore
from gprov.adapters.fake.disk.usage import FakeDiskUsage
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import BLOCK, AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.erase.machine_data import failures
from gprov.apps.host.cli.erase_options import (
    duration_text,
    includes_loops,
    plan_lines,
    request_of,
    unsuitable,
    with_machine_data,
)
from gprov.apps.host.cli.erase_plan import survey
from gprov.apps.host.cli.erase_report_file import require_place
from gprov.apps.host.cli.erase_run import abandoned_lines, met
from gprov.apps.host.cli.main import main
from gprov.apps.host.erase.container import BenchContainer
from gprov.apps.host.erase.planning import BenchPlan
from gprov.apps.host.erase.running import BenchErasure, run_bench
from gprov.apps.host.erase.scope import bench_scope, confirmation_word, refused
from gprov.apps.host.erase.stop import Stop, StoppableClock, stopped_by_signals
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import World, plug_in
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.disk.model import Bus
from gprov.domain.erase.choose import preference
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import Verdict
from gprov.domain.erase.patterns import Stamped
from gprov.domain.erase.report import OptionStatus, OverallVerdict
from gprov.domain.erase.report_text import parse_report, report_bytes
from gprov.domain.erase.request import EraseRequest, OnFailure, ReadBack, Scheme
from gprov.domain.erase.scope import Scope
from gprov.domain.erase.signed import certificate_file
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.errors import DeviceFault, DeviceMissing, EraseFailed
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName

SIZE = 1 << 30
FORMER = Stamped("former")
FAST = EraseRequest()
Plans = tuple[BenchPlan, ...]


class Bench:
    """A machine that runs from its first disk. ``stop`` is a request to stop all erases."""

    def __init__(self) -> None:
        self.world: World = new_world()
        self.world.provision()
        self.world.boot()
        self.world.boot()
        self.machine: SimulatedMachine = self.world.machine
        self.stop = Stop()
        self.container = BenchContainer()
        plug_in(self.container, self.world)
        set_value(self.container.clock, StoppableClock(self.machine.clock, self.stop))
        set_value(self.container.usage, FakeDiskUsage(self.machine))

    def add(self, serial: str, *, bus: Bus = Bus.ATA, sanitize: bool = False) -> FakeDisk:
        disk = self.machine.add_disk(SIZE, bus=bus, serial=serial)
        if sanitize:
            model = AtaModel(sectors=SIZE // 512, sanitize=frozenset({BLOCK}), serial=serial)
            disk.scsi_drive = SatDrive(self.machine.clock, MediaStore(disk), model)
        disk.media.put(Extent(0, SIZE), FORMER)
        return disk

    def survey(self, *nodes: str, request: EraseRequest = FAST) -> tuple[Scope, Plans, list[str]]:
        return survey(self.container, list(nodes), request)

    def erase(
        self, *nodes: str, request: EraseRequest = FAST, shown: Callable[[str, int, int], None] | None = None
    ) -> BenchErasure:
        scope, plans, problems = self.survey(*nodes, request=request)
        assert problems == []
        return run_bench(self.container, plans, scope, "A. Person", self.stop, shown or (lambda *_: None))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def left_of_former(disk: FakeDisk) -> int:
    return sum(one.extent.size for one in disk.media.segments if one.content == FORMER)


def test_disks_of_the_running_system_are_never_covered(bench: Bench) -> None:
    free, stick = bench.add("FREE"), bench.add("STICK", bus=Bus.USB)
    system = next(disk for disk in bench.machine.disks if disk.serial == "primary0")
    scope = bench_scope(bench.container, [])
    assert [disk.node for disk in scope.disks] == [free.node]
    reasons = {one.disk.serial: one.reason for one in scope.left_out}
    assert "mounted" in reasons["primary0"]
    assert reasons["STICK"] == "is attached by USB"
    assert [disk.serial for disk in bench_scope(bench.container, [stick.node]).disks] == ["STICK"]
    scope, plans, problems = bench.survey(system.node, free.node)
    assert [one.disk.serial for one in refused(scope, [system.node, free.node])] == ["primary0"]
    assert "mounted" in problems[0]
    assert [plan.erasure.disk.serial for plan in plans] == ["FREE"]
    with pytest.raises(DeviceMissing, match="no whole disk"):
        bench_scope(bench.container, ["/dev/sdz"])


def test_a_machine_without_a_free_disk(bench: Bench) -> None:
    assert bench.survey()[2] == [
        "no built-in disk can be erased: removable disks and loop devices must be named with --disk"
    ]


def test_disks_are_confirmed_by_what_tells_them_apart(bench: Bench) -> None:
    bench.add("ONE"), bench.add("TWIN"), bench.add("TWIN"), bench.add("")
    disks = [disk for disk in described(bench.machine) if disk.size == SIZE]
    words = [confirmation_word(disk, disks) for disk in disks]
    assert words == ["ONE", disks[1].node, disks[2].node, disks[3].node]


def test_a_plan_states_techniques_times_and_reasons(bench: Bench) -> None:
    bench.add("SAN", sanitize=True), bench.add("PLAIN")
    request = EraseRequest(scheme=Scheme.THREE, read_back=ReadBack.FULL)
    _, plans, problems = bench.survey(request=request)
    assert problems == []
    drive, plain = plans
    assert [time.technique for time in drive.times] == [Technique.ATA_SANITIZE_BLOCK, Technique.OVERWRITE]
    assert drive.best is Level.PURGE
    assert plain.best is Level.CLEAR
    assert "4 times the size at the measured reading rate" in plain.times[0].source
    assert plain.times[0].seconds is None or plain.times[0].seconds >= 0
    lines = "\n".join(plan_lines(drive))
    assert "1. ATA Sanitize, block erase (ata-sanitize-block): level purge" in lines
    assert "not used: ata-security-enhanced: used only on request" in lines
    assert list(unsuitable(plans, Level.CLEAR)) == []
    assert ["PLAIN" in text for text in unsuitable(plans, Level.PURGE)] == [True]
    only = EraseRequest(technique=Technique.ATA_SANITIZE_CRYPTO)
    texts = list(unsuitable(bench.survey(request=only)[1], Level.CLEAR))
    assert len(texts) == 2
    assert "no technique can be used (ata-sanitize-crypto: " in texts[0]
    assert sum(disk.writes for disk in bench.machine.disks if disk.size == SIZE) == 0


def test_disks_are_erased_and_the_report_proves_it(bench: Bench) -> None:
    drive, plain = bench.add("SAN", sanitize=True), bench.add("PLAIN")
    shown: set[str] = set()
    done = bench.erase(shown=lambda what, _done, _total: shown.add(what))
    assert [left_of_former(disk) for disk in (drive, plain)] == [0, 0]
    report = parse_report(report_bytes(done.report))
    assert (report.verdict, report.operator) == (OverallVerdict.ERASED, "A. Person")
    assert [(one.disk.serial, one.achieved) for one in report.disks] == [("SAN", Level.PURGE), ("PLAIN", Level.CLEAR)]
    assert {one.disk.serial for one in report.out_of_scope} == {"primary0", "recovery"}
    assert f"{plain.node}: read back" in shown


def test_a_request_to_stop_ends_all_disks_without_a_claim(bench: Bench) -> None:
    first, second = bench.add("FIRST"), bench.add("SECOND")

    def stop_at(what: str, done: int, total: int) -> None:
        if what.startswith(f"{first.node}: overwrite") and done > total // 2:
            bench.stop.request()

    done = bench.erase(shown=stop_at)
    assert [one.verdict for one in done.outcomes] == [Verdict.FAILED, Verdict.FAILED]
    assert all("interrupted" in one.errors[0] for one in done.outcomes)
    assert done.report.verdict is OverallVerdict.FAILED
    assert 0 < left_of_former(first) < SIZE
    assert left_of_former(second) == SIZE


def test_a_request_to_stop_does_not_wait_for_a_drive(bench: Bench) -> None:
    bench.add("SAN", sanitize=True)
    before = bench.machine.clock.monotonic()

    def stop_at(what: str, _done: int, _total: int) -> None:
        if what.endswith(": erase"):
            bench.stop.request()

    [outcome] = bench.erase(request=EraseRequest(on_failure=OnFailure.STOP), shown=stop_at).outcomes
    assert (outcome.verdict, outcome.technique) == (Verdict.FAILED, None)
    assert "may go on in it" in outcome.errors[0]
    assert bench.machine.clock.monotonic() - before < 60


SECURITY = EraseRequest(technique=Technique.ATA_SECURITY_NORMAL)
ERASE_UNIT, DISABLE = 0xF4, 0xF6


def stopped_security_erase(faults: AtaFaults) -> tuple[SatDrive, BenchErasure]:
    """A security erase that the drive refuses, and a request to stop before its password is removed."""
    bench = Bench()
    disk = bench.add("SEC", sanitize=True)
    drive = SatDrive(bench.machine.clock, MediaStore(disk), AtaModel(sectors=SIZE // 512, serial="SEC"), faults)
    disk.scsi_drive = drive

    def hook(_operation: str) -> None:
        if any(command.opcode == ERASE_UNIT for command in drive.device.received):
            bench.stop.request()

    bench.machine.hook = hook
    return drive, bench.erase(request=SECURITY)


def test_a_request_to_stop_leaves_no_password_on_a_drive_that_answers() -> None:
    refuses = AtaFaults(aborts=frozenset({ERASE_UNIT}))
    drive, _ = stopped_security_erase(refuses)
    first = 1 + [command.opcode for command in drive.device.received].index(DISABLE)
    drive, done = stopped_security_erase(replace(refuses, aborts_numbers=frozenset({first})))
    assert [command.opcode for command in drive.device.received].count(DISABLE) == 2
    assert drive.device.security.password is None
    assert "interrupted" in done.outcomes[0].errors[0]
    assert "no password is set" in done.outcomes[0].errors[0]


def test_a_password_that_a_request_to_stop_leaves_is_stated_with_what_to_do() -> None:
    drive, done = stopped_security_erase(AtaFaults(aborts=frozenset({ERASE_UNIT, DISABLE})))
    assert drive.device.security.password is not None
    [error] = done.outcomes[0].errors
    node = done.outcomes[0].disk.node
    assert f"--security-disable gprov-erase {node}" in error
    assert done.report.verdict is OverallVerdict.FAILED


def test_a_person_who_ends_a_security_erase_at_once_reads_what_to_do_about_its_password(bench: Bench) -> None:
    bench.add("SAN", sanitize=True), bench.add("PLAIN")
    drive = bench.machine.disks[-2]
    drive.scsi_drive = SatDrive(bench.machine.clock, MediaStore(drive), AtaModel(sectors=SIZE // 512, serial="SAN"))
    plans = bench.survey(request=EraseRequest(opted_in=frozenset({Technique.ATA_SECURITY_NORMAL})))[1]
    lines = list(abandoned_lines(plans))
    assert len(lines) == 2
    assert all(drive.node in line for line in lines)
    assert list(abandoned_lines(bench.survey()[1])) == []


def test_techniques_are_listed_in_the_order_of_choice(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["erase", "run", "--help"])
    shown = "".join(character for character in capsys.readouterr().out if character not in " \n│")
    order = "|".join(technique.value for technique in sorted(Technique, key=preference))
    assert f"[{order}]" in shown


def test_uefi_variables_and_tpm_of_the_bench_machine_are_cleared_on_request(bench: Bench) -> None:
    bench.add("PLAIN")
    bench.machine.tpm = chip = FakeTpmChip()
    log = VariableName("dump-type0-1-1-1700000000-C", "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0")
    bench.machine.nvram[log] = Variable(7, b"log")
    entries = {name for name in bench.machine.nvram if name.name.startswith("Boot")}
    assert [one.status for one in bench.erase().machine] == [OptionStatus.NOT_REQUESTED] * 2
    request = with_machine_data(EraseRequest(), clear_variables=True, named=None, clear_tpm=True)
    done = bench.erase(request=request)
    assert {one.name for one in done.machine if one.status is OptionStatus.DONE} == {
        "UEFI variables",
        "UEFI variable",
        "TPM",
    }
    assert log not in bench.machine.nvram
    assert not chip.holds_owner_data
    assert entries <= set(bench.machine.nvram)
    assert parse_report(report_bytes(done.report)).options == done.machine


def test_an_interrupted_erase_clears_neither(bench: Bench) -> None:
    bench.add("PLAIN")
    bench.machine.tpm = chip = FakeTpmChip()
    bench.stop.request()
    done = bench.erase(request=EraseRequest(clear_tpm=True))
    assert list(failures(done.machine)) == ["TPM: failed: interrupted before it was tried"]
    assert chip.received == []


def test_variables_of_the_firmware_cannot_be_named() -> None:
    with pytest.raises(typer.BadParameter, match="are not removed"):
        with_machine_data(EraseRequest(), clear_variables=False, named=[EFI_GLOBAL], clear_tpm=False)


def test_a_report_has_a_place_outside_of_chains_of_certificates(tmp_path: Path) -> None:
    require_place(str(tmp_path / "report.json"))
    # A copy of a certificate beside reports is no chain.
    (tmp_path / "X.json").touch()
    (tmp_path / "X.json.sig").touch()
    require_place(str(tmp_path / "report.json"))
    with pytest.raises(DeviceFault, match="exists already"):
        require_place(str(tmp_path / "X.json"))
    (tmp_path / certificate_file(12)).touch()
    with pytest.raises(DeviceFault, match="chain of certificates"):
        require_place(str(tmp_path / "report.json"))
    with pytest.raises(DeviceFault, match="no file can be made"):
        require_place(str(tmp_path / "missing" / "report.json"))


def test_a_wait_ends_with_a_request_to_stop() -> None:
    stop, clock = Stop(), SimulatedMachine().clock
    stoppable = StoppableClock(clock, stop)
    before = stoppable.monotonic()
    stoppable.sleep(2.5)
    assert stoppable.monotonic() - before == pytest.approx(2.5)
    stop.request()
    with pytest.raises(EraseFailed, match="interrupted"):
        stoppable.sleep(3600)
    assert stoppable.monotonic() - before == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59, "59 s"), (61, "1 min"), (5400, "90 min"), (10000, "2.8 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_loop_devices_only_if_one_is_named() -> None:
    assert [includes_loops(nodes) for nodes in (None, [], ["/dev/sda"], ["/dev/sda", "/dev/loop3"])] == [
        False,
        False,
        False,
        True,
    ]


def test_a_level_that_is_not_reached_is_a_failure(bench: Bench) -> None:
    bench.add("PLAIN")
    [outcome] = bench.erase().outcomes
    assert met([outcome], Level.NOT_CLASSIFIED)
    assert met([outcome], Level.CLEAR)
    assert not met([outcome], Level.PURGE)
    assert not met([replace(outcome, verdict=Verdict.PARTIAL)], Level.CLEAR)


def test_the_level_is_clear_unless_another_one_is_asked_for(bench: Bench) -> None:
    bench.add("PLAIN")
    for text, level in (("clear", Level.CLEAR), ("purge", Level.PURGE)):
        assert request_of(None, None, text, Scheme.ZERO, ReadBack.FULL).level is level
    for text in ("not classified", "not-classified"):
        assert request_of(None, None, text, Scheme.ZERO, ReadBack.FULL).level is Level.NOT_CLASSIFIED
    with pytest.raises(typer.BadParameter, match="not-classified, clear, purge"):
        request_of(None, None, "hammer", Scheme.ZERO, ReadBack.FULL)
    [plan] = bench.survey()[1]
    assert next(iter(plan_lines(plan))).endswith("wanted level clear")
    assert bench.survey(request=EraseRequest(level=Level.PURGE))[2] != []


@pytest.fixture
def default_signals() -> Iterator[None]:
    """A shell starts programs in the background with SIGINT ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_after_the_work_on_the_disks_do_not_end_the_report(number: signal.Signals) -> None:
    stop, said, before = Stop(), list[str](), signal.getsignal(number)
    with stopped_by_signals(stop, lambda: said.append("stopping")):
        stop.finish()
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert stop.requested
    assert said == []
    assert signal.getsignal(number) is before
    again = Stop()
    with stopped_by_signals(again, lambda: said.append("stopping")):
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert said == ["stopping"]


def test_links_to_disks_and_hints_for_what_is_no_disk(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/loop3")
    assert includes_loops([str(tmp_path / "link")])
    (tmp_path / "d.img").write_bytes(b"")
    bench.add("PLAIN")
    node = next(disk.node for disk in described(bench.machine) if disk.serial == "PLAIN")
    for wrong, hint in ((str(tmp_path / "d.img"), "losetup"), (f"{node}1", f"a partition; name {node}$")):
        with pytest.raises(DeviceMissing, match=hint):
            bench_scope(bench.container, [wrong])
