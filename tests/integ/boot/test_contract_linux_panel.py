"""The panel of units keeps the contract of its port, with a person at a pseudo-terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.console.panel import LinuxPanel
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.display.keys import Input, Key, Typed
from tests.terminal import Person, connected_person
from tests.unit.display.panel_contract import PanelContract, Site

_BYTES = {
    Key.UP: "\x1b[A",
    Key.DOWN: "\x1b[B",
    Key.RIGHT: "\x1b[C",
    Key.LEFT: "\x1b[D",
    Key.ENTER: "\r",
    Key.EXIT: "\x1b",
}


class PtySite(Site):
    """``folder`` has what the panel reads of /sys, /proc and /dev. The serial console is there from the beginning; the
    kernel makes it active when it comes."""

    def __init__(self, folder: Path, person: Person) -> None:
        self._active = folder / "sys/class/tty/console/active"
        self._active.parent.mkdir(parents=True)
        self._active.write_text("\n")
        for name in ("proc", "dev"):
            (folder / name).mkdir()
        (folder / "proc/cmdline").write_text("console=ttyS0,115200\n")
        (folder / "dev/ttyS0").symlink_to(person.line)
        sys, proc, dev = (str(folder / name) for name in ("sys", "proc", "dev"))
        self.clock = SystemClock()
        self.panel = LinuxPanel(self.clock, ConsoleLog(str(folder / "dev/console")), (), (sys, proc, dev))
        self._person = person

    @override
    def come(self) -> None:
        self._active.write_text("ttyS0\n")

    @override
    def enter(self, *entered: Input) -> None:
        keys = [one.character if isinstance(one, Typed) else _BYTES[one] for one in entered]
        self._person.type("".join(keys).encode())

    @override
    def sees(self, text: str) -> bool:
        self._person.listen()
        return any(text in line for line in self._person.screen.lines)


class TestLinuxPanel(PanelContract):
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[Site]:
        with connected_person() as person:
            yield PtySite(tmp_path, person)
