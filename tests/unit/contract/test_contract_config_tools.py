"""What every ConfigTools promises, of the simulated machine's and of programs: the example tool of
docs/reference/bios-tools.md, run by the shell of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.firmware.config_tools import FakeConfigTools
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.adapters.linux.firmware.config_tools import ProgramConfigTools
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.errors import ToolLocked, ToolMissing
from gprov.domain.mfg.config_tool import Change, StorageMode, ToolAbility
from gprov.domain.unit.credentials import Secret
from gprov.ports.config_tool import ConfigTools

EXAMPLE = Path(__file__).parents[3] / "examples/adopter/tools/acme-setup"
FIRST, SECOND = Secret("first word"), Secret("second 'word' $x")


@dataclass(frozen=True)
class World:
    """A unit in storage mode RAID, without settings and password. ``restart``: of the unit; ``write``: a file, whose
    path is returned."""

    tools: ConfigTools
    program: str
    restart: Callable[[], None]
    write: Callable[[bytes], str]


def simulated(folder: Path) -> World:
    machine = SimulatedMachine(setups={"acme-setup": FakeSetup(storage=StorageMode.RAID)})

    def write(content: bytes) -> str:
        FakeFiles(machine).replace("/run/settings", content)
        return "/run/settings"

    return World(FakeConfigTools(machine), "acme-setup", machine.restart, write)


def program(folder: Path) -> World:
    boot = folder / "boot_id"
    boot.write_text("1\n")
    environment = {"ACME_SETUP": str(folder / "variable"), "ACME_BOOT_ID": str(boot)}

    def write(content: bytes) -> str:
        (folder / "settings").write_bytes(content)
        return str(folder / "settings")

    def restart() -> None:
        boot.write_text(f"{int(boot.read_text()) + 1}\n")

    return World(ProgramConfigTools(SystemProcesses(), environment), str(EXAMPLE), restart, write)


@pytest.fixture(params=[simulated, program], ids=["fake", "program"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    make: Callable[[Path], World] = request.param
    return make(tmp_path)


def test_a_tool_says_what_it_is_and_can(world: World) -> None:
    assert world.tools.installed(world.program)
    facts = world.tools.probe(world.program)
    assert facts.name.startswith("acme-setup ")
    assert facts.abilities == set(ToolAbility)


def test_a_tool_that_is_not_there(world: World) -> None:
    assert not world.tools.installed("/opt/nosuch")
    with pytest.raises(ToolMissing):
        world.tools.probe("/opt/nosuch")


def test_the_storage_mode_changes_at_a_restart(world: World) -> None:
    assert world.tools.storage_mode(world.program) is StorageMode.RAID
    for changed in (True, False):  # the second call finds the change that waits for the restart
        done = world.tools.set_storage_mode(world.program, StorageMode.AHCI, None)
        assert (done.changed, done.restart) == (changed, True)
        assert world.tools.storage_mode(world.program) is StorageMode.RAID
    world.restart()
    assert world.tools.storage_mode(world.program) is StorageMode.AHCI
    assert world.tools.set_storage_mode(world.program, StorageMode.AHCI, None) == Change(False)


def test_settings_are_applied_once(world: World) -> None:
    assert world.tools.apply(world.program, world.write(b"fast = yes\n"), None) == Change(True, restart=True)
    world.restart()
    assert world.tools.apply(world.program, world.write(b"fast = yes\n"), None) == Change(False)
    assert world.tools.apply(world.program, world.write(b"fast = no\n"), None).changed


def test_a_setup_with_a_password_is_changed_with_it_only(world: World) -> None:
    tools, program = world.tools, world.program
    assert tools.set_password(program, FIRST, None) == Change(True)
    path = world.write(b"x\n")
    for wrong in (None, SECOND):
        with pytest.raises(ToolLocked):
            tools.apply(program, path, wrong)
        with pytest.raises(ToolLocked):
            tools.set_storage_mode(program, StorageMode.AHCI, wrong)
        with pytest.raises(ToolLocked):
            tools.set_password(program, SECOND, wrong)
    assert tools.set_password(program, FIRST, FIRST) == Change(False)
    assert tools.set_password(program, SECOND, FIRST) == Change(True)
    assert tools.apply(program, path, SECOND).changed
