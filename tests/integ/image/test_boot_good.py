"""gprov-boot-good under two shells; what it writes is read by init's parser."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.linux.lcd.start_display import PROCESS_NAME
from gprov.apps.host.image.tool_sets import BOOT_GOOD
from gprov.domain.boot.boot_counts import SERVICE_LINKS, BootCounts, parse_confirmed

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("dash", "busybox", "systemd-analyze")),
        reason="needs root, dash, busybox, systemd-analyze",
    ),
]


@dataclass
class System:
    folder: Path
    shell: list[str]

    @property
    def recovery(self) -> Path:
        return self.folder / "mnt" / "RECOVERY"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "GPROV_BOOT_GOOD_CONFIG": str(self.folder),
            "GPROV_BOOT_GOOD_FSTAB": str(self.folder / "fstab"),
            "GPROV_BOOT_GOOD_DISPLAY": str(self.folder / "display.pid"),
        }
        command = [*self.shell, str(self.folder / "script"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def started(self, content: str) -> None:
        (self.folder / "boots_started").write_text(content)

    def counts(self) -> tuple[int, int] | None:
        path = self.folder / "boots_confirmed"
        return parse_confirmed("x", path.read_bytes()) if path.exists() else None


@pytest.fixture(params=[["dash"], ["busybox", "sh"]], ids=["dash", "busybox"])
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    (tmp_path / "script").write_bytes(BOOT_GOOD.files()["usr/sbin/gprov-boot-good"])
    made = System(tmp_path, request.param)
    made.recovery.mkdir(parents=True)
    (tmp_path / "fstab").write_text(
        f"# RECOVERY\nUUID=1-2 / ext4 defaults 0 1\nUUID=3-4 {made.recovery} ext4 auto 0 2\n"
    )
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(made.recovery)], check=False, timeout=60).returncode:
        pytest.skip("cannot mount a tmpfs here")
    (made.recovery / "log").mkdir()
    yield made
    subprocess.run(["umount", str(made.recovery)], check=False, timeout=60)


def test_good_starts_are_counted_once_each(system: System) -> None:
    for number, total in ((3, 1), (3, 1), (4, 2), (7, 3)):
        system.started(f"{number}\n")
        assert system.run().returncode == 0
        assert system.counts() == (number, total)
        assert BootCounts(number, *(system.counts() or (0, 0))).unconfirmed == 0
    assert sorted(path.name for path in system.folder.iterdir() if "boots" in path.name) == [
        "boots_confirmed",
        "boots_started",
    ]


def test_the_start_display_is_ended_and_no_other_program(system: System) -> None:
    """A number that is left from a program that was killed may be that of another one."""
    system.started("3\n")
    for name, ended in ((PROCESS_NAME, True), ("another", False)):
        program = [sys.executable, "-c", f"open('/proc/self/comm', 'w').write('{name}'); print(flush=True); input()"]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as display:
            assert display.stdout is not None
            display.stdout.readline()
            (system.folder / "display.pid").write_text(f"{display.pid}\n")
            assert system.run().returncode == 0
            display.communicate(b"\n", timeout=60)
            assert display.returncode == (-signal.SIGTERM if ended else 0), name


@pytest.mark.parametrize("number", ["", "1", "0", "-1", "x", "999999999"])
def test_a_damaged_number_of_the_start_display_ends_nothing(system: System, number: str) -> None:
    system.started("3\n")
    (system.folder / "display.pid").write_text(number)
    assert system.run().returncode == 0
    assert system.counts() == (3, 1)


def test_a_system_without_boot_counts_records_nothing(system: System) -> None:
    assert system.run().returncode == 0
    assert system.counts() is None


@pytest.mark.parametrize("content", ["", "x y", "99999999999 x", "-1 -1", "08 09"])
def test_damaged_counts_are_replaced(system: System, content: str) -> None:
    system.started("12\n")
    (system.folder / "boots_confirmed").write_text(content)
    assert system.run().returncode == 0
    found = system.counts()
    assert found is not None
    assert found[0] == 12
    assert found[1] in (1, 10)


def test_the_start_budget_is_removed_only_after_a_confirmed_boot(system: System) -> None:
    budget = system.recovery / "log" / "start_budget.json"
    budget.write_text("{}")
    system.started("5\n")
    assert system.run("--recovery").returncode == 1
    assert budget.exists()
    assert system.run().returncode == 0
    assert budget.exists()
    assert system.run("--recovery").returncode == 0
    assert not budget.exists()
    assert system.run("--recovery").returncode == 0


def test_without_recovery_nothing_is_touched(system: System) -> None:
    system.started("5\n")
    assert system.run().returncode == 0
    subprocess.run(["umount", str(system.recovery)], check=True, timeout=60)
    (system.recovery / "log").mkdir()
    (system.recovery / "log" / "start_budget.json").write_text("{}")
    answer = system.run("--recovery")
    assert answer.returncode == 1
    assert "is not mounted" in answer.stderr
    assert (system.recovery / "log" / "start_budget.json").exists()


def test_its_units_are_valid_and_enabled(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/lib/systemd/system").mkdir(parents=True)
    paths = BOOT_GOOD.install(str(root))
    assert any(f"/{path}" in SERVICE_LINKS for path in paths)
    units = [str(root / path) for path in BOOT_GOOD.files() if path.endswith(".service")]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    problems = [
        line for line in checked.stderr.splitlines() if "gprov-boot" in line and "is not executable" not in line
    ]
    assert problems == []


def test_nothing_is_removed_where_a_link_leads(system: System) -> None:
    outside = system.folder / "outside"
    outside.mkdir()
    (outside / "start_budget.json").write_text("{}")
    (system.recovery / "log").rmdir()
    (system.recovery / "log").symlink_to(outside)
    system.started("3\n")
    assert system.run().returncode == 0
    done = system.run("--recovery")
    assert (done.returncode, "log is a link" in done.stderr) == (1, True)
    assert os.listdir(outside) == ["start_budget.json"]
