"""Screens of a unit's display, in the log of a stage and as lines of progress."""

from __future__ import annotations

from pathlib import Path

from gprov.apps.host.lab.screens import ScreenLog, screens_file
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.characters import encode
from gprov.domain.formats.lcd.models import Model
from tests.unit.lcdsim.lines import Line


def test_the_screens_are_beside_the_console_log() -> None:
    assert screens_file("/work/serial-restore.log") == "/work/lcd-restore.log"


def test_all_screens_are_kept_and_new_words_are_noted(tmp_path: Path) -> None:
    line = Line(Model.CFA_631)
    path, notes = tmp_path / "lcd", list[str]()
    line.send(commands.clear())
    log = ScreenLog(line.lcd, str(path), notes.append)
    for text in ("Verifying  10 % |", "Verifying  20 % /", "Done", "Really done"):
        line.send(commands.write_text(Model.CFA_631, 0, 0, encode(text.ljust(20))))
        line.clock.advance(1)
        log.poll()
    log.end()
    assert notes == ["display: Verifying  10 % |", "display: Done"]  # what follows comes too soon
    assert path.read_text().splitlines()[-3:] == ["3.0 s", "|Really done         |", "|" + " " * 20 + "|"]
    assert sum(text.endswith(" s") for text in path.read_text().splitlines()) == 4
