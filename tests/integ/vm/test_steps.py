"""What steps and a stash script left on RECOVERY of a unit that was provisioned with them, read by e2fsprogs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import PROVISION
from gprov.apps.host.lab.program32 import SAID
from gprov.apps.host.lab.stepfiles import FOLDER, LINK_FILE, PAYLOAD, SCRIPT, STASH_FILE, STATION_VALUE, STEP_FILE
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, ext_volume
from tests.integ.vm.stored_passwords import stored_passwords

pytestmark = pytest.mark.vm

# Of RECOVERY on a unit with UEFI.
STICK = 2


@pytest.fixture(scope="module")
def recovery(prepared: VirtualUnit) -> Iterator[ExtVolume]:
    with ext_volume(SystemProcesses(), prepared.recovery, STICK) as volume:
        yield volume


@pytest.fixture(scope="module")
def facts(recovery: ExtVolume) -> dict[str, str]:
    """What the script of the step wrote, by the first word of each line."""
    lines = recovery.read(f"/{STEP_FILE}").decode().splitlines()
    return {word: rest for word, _, rest in (line.partition(" ") for line in lines)}


def test_the_script_ran_with_kernel_arguments_as_variables(facts: dict[str, str], prepared: VirtualUnit) -> None:
    assert facts["station"] == STATION_VALUE
    assert facts["path"].split(":")[:2] == ["/usr/local/sbin", "/usr/local/bin"]
    assert facts["serial"] == prepared.spec.serial


def test_programs_for_steps_see_the_machine(facts: dict[str, str], prepared: VirtualUnit) -> None:
    assert int(facts["certificates"]) > 50
    assert int(facts["pci"]) >= 4
    assert int(facts["usb"]) >= 2  # root hubs, and the stick
    assert int(facts["entries"]) >= 2
    assert {"hdparm", "nvme", "ipmitool"} <= set(facts)
    assert facts["mdadm"].startswith("mdadm - v")
    assert int(facts["disks"]) == len(prepared.spec.primaries) + 1
    assert facts["partition"] == "1"


def test_devices_have_names(facts: dict[str, str]) -> None:
    assert int(facts["intel"]) >= 3
    assert int(facts["hubs"]) >= 1


def test_a_32_bit_program_runs_on_the_kernel_of_units(facts: dict[str, str]) -> None:
    assert facts["program32"] == SAID.decode().strip()


def test_passwords_that_a_step_prints_are_not_in_the_log(prepared: VirtualUnit) -> None:
    log = Path(prepared.serial_log(PROVISION)).read_text(errors="replace")
    assert "passwords: *** *** ***" in log
    credentials = stored_passwords(prepared)
    for secret in (credentials.os, credentials.bios, credentials.ipmi):
        assert secret.reveal() not in log


def test_recovery_was_reachable_by_its_fixed_path(recovery: ExtVolume) -> None:
    assert recovery.names(f"/{FOLDER}") == tuple(sorted(Path(path).name for path in (LINK_FILE, STASH_FILE, STEP_FILE)))
    assert recovery.read(f"/{LINK_FILE}") == b"through the link\n"


def test_the_stash_archive_was_unpacked_and_its_script_ran(recovery: ExtVolume, prepared: VirtualUnit) -> None:
    assert recovery.read(f"/{STASH_FILE}") == PAYLOAD + f"{prepared.spec.serial} {STATION_VALUE}\n".encode()


@pytest.mark.parametrize(
    "text",
    [
        f"run: chmod +x /run/gprov/AfterImaging-0/{SCRIPT}",
        "run: ls -l",
        "unit LAB0001 has its files",
        "run: install.sh of ",
        "run: ls -lR /mnt/RECOVERY",
        "serial=LAB0001",
    ],
)
def test_the_log_shows_each_command_and_its_output(text: str, prepared: VirtualUnit) -> None:
    assert text in Path(prepared.serial_log(PROVISION)).read_text(errors="replace")
