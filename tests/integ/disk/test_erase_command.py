"""``gprov erase plan`` and ``run`` on loop devices; the file behind a device shows what is left of its content."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.usage import LinuxDiskUsage
from gprov.adapters.linux.system.ed25519 import signer_at
from gprov.apps.host.cli.main import main
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.erase.outcome import VerificationMethod
from gprov.domain.erase.report import OverallVerdict
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.techniques import Level

SIZE = 32 * MIB
SECRET = b"what a customer stored"
COMMAND = (sys.executable, "-m", "gprov.apps.host.cli.main", "erase")
MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where reports without a name are written."""
    with chdir(tmp_path):
        yield tmp_path


@pytest.fixture
def filled(make_disk: MakeDisk) -> Callable[..., Disk]:
    def make(size: int = SIZE, sector: int = 512) -> Disk:
        disk = make_disk(size, sector)
        with open(disk.node, "r+b") as device:
            device.write(SECRET * (size // len(SECRET)))
        return disk

    return make


def backing(disk: Disk) -> Path:
    return Path(Path(f"/sys/class/block/{disk.name}/loop/backing_file").read_text().strip())


def digest(disk: Disk) -> str:
    os.sync()
    with backing(disk).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def secret_found(disk: Disk) -> bool:
    """By grep, in the file behind the device."""
    os.sync()
    found = subprocess.run(["grep", "--quiet", "--text", "--fixed-strings", SECRET.decode(), str(backing(disk))])
    assert found.returncode in (0, 1)
    return found.returncode == 0


def run(disk: Disk, *words: str) -> int:
    return main(["erase", "run", "--disk", disk.node, *words])


@pytest.mark.parametrize("sector", [512, 4096])
def test_nothing_of_the_former_content_is_left(
    filled: Callable[..., Disk], sector: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk, other, report = filled(SIZE, sector), filled(), tmp_path / "report.json"
    before = digest(other)
    assert secret_found(disk)
    words = ("--yes-erase", disk.node, "--report", str(report), "--operator", "A. Person", "--json")
    assert run(disk, *words) == 0
    shown = json.loads(capsys.readouterr().out)
    assert not secret_found(disk)
    assert digest(other) == before
    assert (shown["verdict"], shown["achieved"], shown["disks"][0]["examined"]) == ("erased", "clear", SIZE)
    made = parse_report(report.read_bytes())
    assert made.requested is Level.CLEAR
    assert (made.verdict, made.operator, made.disks[0].disk.name) == (OverallVerdict.ERASED, "A. Person", disk.node)


def test_several_disks_and_the_zero_scheme(filled: Callable[..., Disk]) -> None:
    disks = [filled(), filled(SIZE + MIB)]
    words = [word for disk in disks for word in ("--disk", disk.node, "--yes-erase", disk.node)]
    assert main(["erase", "run", *words, "--scheme", "zero", "--read-back", "sample"]) == 0
    for disk in disks:
        compared = subprocess.run(["cmp", f"--bytes={disk.size}", str(backing(disk)), "/dev/zero"])
        assert compared.returncode == 0


def test_a_sample_of_all_of_a_disk_is_a_full_read_back(filled: Callable[..., Disk], tmp_path: Path) -> None:
    disk, report = filled(), tmp_path / "report.json"
    assert run(disk, "--yes-erase", disk.node, "--read-back", "sample", "--report", str(report)) == 0
    verification = parse_report(report.read_bytes()).disks[0].verification
    assert (verification.method, verification.examined) == (VerificationMethod.FULL, SIZE)


def test_without_confirmation_nothing_changes(filled: Callable[..., Disk], capsys: pytest.CaptureFixture[str]) -> None:
    disk = filled()
    before = digest(disk)
    refused = [
        ("--yes-erase", "OTHER"),
        ("--yes-erase", disk.node, "--yes-erase", "OTHER"),
        ("--yes-erase", disk.node, "--level", "purge"),
        ("--yes-erase", disk.node, "--technique", "ata-sanitize-block"),
    ]
    assert [run(disk, *words) for words in refused] == [1, 1, 1, 1]
    assert "no technique that can be used reaches the level purge" in capsys.readouterr().err
    assert run(disk, "--dry-run") == 0
    assert "1. overwrite of all addressable blocks" in capsys.readouterr().out
    assert main(["erase", "plan", "--disk", disk.node]) == 0
    assert main(["erase", "run", "--disk", "/dev/null"]) == 3
    for wrong in (("--technique", "hammer"), ("--opt-in", "overwrite"), ("--opt-in", "discard")):
        with pytest.raises(SystemExit) as ended:
            run(disk, *wrong)
        assert ended.value.code == 2
    assert digest(disk) == before


def test_a_report_needs_a_new_file(filled: Callable[..., Disk], tmp_path: Path) -> None:
    disk, earlier = filled(), tmp_path / "earlier.json"
    earlier.write_text("the report of another erase")
    before = digest(disk)
    for path in (earlier, tmp_path / "none" / "report.json", Path("/proc/report.json")):
        assert run(disk, "--yes-erase", disk.node, "--report", str(path)) == 3
    assert earlier.read_text() == "the report of another erase"
    assert digest(disk) == before


def test_disks_in_use_are_refused(
    filled: Callable[..., Disk], mount_point: Path, tool: Tool, capsys: pytest.CaptureFixture[str]
) -> None:
    mounted, swap, opened = filled(), filled(), filled()
    tool("mkfs.ext4", "-q", "-F", mounted.node)
    tool("mount", mounted.node, str(mount_point))
    (mount_point / "file").write_bytes(SECRET)
    tool("mkswap", swap.node)
    tool("swapon", swap.node)
    fd = os.open(opened.node, os.O_RDONLY | os.O_EXCL)
    try:
        for disk in (mounted, swap, opened):
            assert run(disk, "--yes-erase", disk.node) == 1
    finally:
        os.close(fd)
        tool("swapoff", swap.node)
    said = capsys.readouterr().err
    assert f"is not erased: has a file system mounted at {mount_point}" in said
    assert said.count("is not erased: is in use") == 2
    assert (mount_point / "file").read_bytes() == SECRET
    assert all(map(secret_found, (swap, opened)))
    assert LinuxDiskUsage().reason(opened) == ""


def on_terminal(typed: bytes, *words: str) -> tuple[int, str]:
    """Exit status and output of the command on a terminal where a line is typed."""
    terminal, end = pty.openpty()
    os.write(terminal, typed)
    with subprocess.Popen([*COMMAND, *words], stdin=end, stdout=end, stderr=end) as process:
        os.close(end)
        written = b""
        try:
            while piece := os.read(terminal, 65536):
                written += piece
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(terminal)
    return process.returncode, written.decode()


def test_a_person_types_what_tells_the_disk_apart(filled: Callable[..., Disk], folder: Path) -> None:
    disk = filled()
    before = digest(disk)
    for typed in (b"yes\n", b"\n"):
        code, said = on_terminal(typed, "run", "--disk", disk.node)
        assert (code, "Type its device file to confirm" in said) == (1, True)
    assert digest(disk) == before
    code, said = on_terminal(disk.node.encode() + b"\n", "run", "--disk", disk.node)
    assert code == 0, said
    [report] = folder.glob("erase-report-*Z.json")
    assert 0 < said.index(f"report: {report.name}") < said.index("Type its device file")
    assert parse_report(report.read_bytes()).verdict is OverallVerdict.ERASED
    assert "overwrite (pass 1)" in said
    assert not secret_found(disk)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_in_a_report_that_claims_nothing(
    filled: Callable[..., Disk], tmp_path: Path, number: signal.Signals
) -> None:
    disk, report = filled(192 * MIB), tmp_path / "report.json"
    words = ("run", "--disk", disk.node, "--yes-erase", disk.node, "--scheme", "three", "--report", str(report))
    # A shell starts programs in the background with SIGINT ignored.
    argv = ["env", "--default-signal=INT,TERM,HUP", *COMMAND, *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"report: {report}\n"
        assert process.stderr.readline().startswith(f"erase {disk.node}")
        process.send_signal(number)
        said, warned = process.communicate(timeout=60)
    assert (process.returncode, "stopping: " in warned) == (130, True)
    assert "NOT erased: data erase FAILED: interrupted" in said
    made = parse_report(report.read_bytes())
    assert (made.verdict, made.disks[0].technique) == (OverallVerdict.FAILED, None)


def test_the_report_of_a_bench_machine_is_certified(filled: Callable[..., Disk], tmp_path: Path) -> None:
    disk, report = filled(), tmp_path / "report.json"
    (tmp_path / "key.pub").write_text(signer_at(str(tmp_path / "key.pem")).public.pem)
    assert run(disk, "--yes-erase", disk.node, "--report", str(report)) == 0
    key, chain = ("--key", str(tmp_path / "key.pem")), ("--chain", str(tmp_path / "chain"))
    assert main(["erase", "certify", str(report), *key, *chain]) == 0
    [certificate] = (tmp_path / "chain").glob("*.json")
    assert main(["erase", "verify-certificate", str(certificate), "--key", str(tmp_path / "key.pub")]) == 0
