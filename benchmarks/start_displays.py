"""Milliseconds that displays cost a start of a unit that has none: imports, the search for consoles and LCDs, the end.

Native, in a fresh process each, after the imports of a start. Reference: the imports of a start without those of
displays, in the same process.

    python -m benchmarks.start_displays [--rounds 30]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# The aim of the displays, in milliseconds.
MOST = 5.0

PROGRAM = """
import sys, time
began = time.process_time()
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.decide import decide
from gprov.domain.events import Event, LogLine, Milestone, ProcessState, StateChange
clock = SystemClock()
imported = time.process_time()
from gprov.adapters.linux.console.late_display import LateDisplay
from gprov.adapters.linux.console.panel import LinuxPanel
from gprov.adapters.linux.lcd.discovery import find_ports
from gprov.apps.unit.operator.dialog_operator import DialogOperator
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.apps.unit.reporting.display_sink import DisplaySink
places = tuple(sys.argv[1] + name for name in ("/sys", "/proc", "/dev"))
lcd = LateDisplay(lambda: bool(find_ports(places[0], places[2])), lambda: None)
panel = LinuxPanel(clock, ConsoleLog(places[2] + "/console"), (lcd,), places)
views = ShownViews(lambda: panel, clock)
operator, sink = DialogOperator(views, clock), DisplaySink(views, clock)
bodies = (Milestone("init-started", 1.0), *[LogLine("detail")] * 20, Milestone("handover", 1.0))
for number, body in enumerate(bodies):
    sink.publish(Event(number, 0, body))
for _ in range(3):
    assert not operator.is_present
operator.close()
print((imported - began) * 1000, (time.process_time() - imported) * 1000)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "sys/class/tty/console").mkdir(parents=True)
        (root / "sys/class/tty/console/active").write_text("\n")
        (root / "sys/bus/usb-serial/drivers/ftdi_sio").mkdir(parents=True)
        (root / "proc").mkdir()
        (root / "proc/cmdline").write_text("quiet\n")
        command = [sys.executable, "-c", PROGRAM, folder]
        # The first one writes bytecode, which units have, too.
        environment = os.environ | {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        outputs = [
            subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
            for _ in range(rounds + 1)
        ]
    starts, displays = zip(*(map(float, output.split()) for output in outputs[1:]), strict=True)
    for name, values in (("imports of a start (reference)", starts), ("displays", displays)):
        print(f"{name:<32} median {statistics.median(values):.2f} ms, {min(values):.2f}..{max(values):.2f} ms")
    return int(statistics.median(displays) > MOST)


if __name__ == "__main__":
    sys.exit(main())
