"""Does what init does at the end, in a mount namespace of its own: NEW_ROOT PORT FAILS. Run by test_start_display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gprov.adapters.linux.lcd.display import CrystalfontzDisplay
from gprov.adapters.linux.lcd.start_display import LcdStartDisplay
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.boot.start_texts import StartTexts


def main(new_root: str, port: str, fails: str) -> None:
    clock = SystemClock()

    def make_display() -> CrystalfontzDisplay:
        return CrystalfontzDisplay(lambda: [port] if os.path.exists(port) else [], clock, ThreadBackground(), print)

    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", new_root], check=True)
    for name in ("dev", "run", "sys"):
        Path(new_root, name).mkdir()
    shown = LcdStartDisplay(make_display, clock, new_root)
    shown.keep_showing(StartTexts("STARTING", "UP", "SILENT"))
    if fails == "no":
        subprocess.run(["mount", "--rbind", "/dev", f"{new_root}/dev"], check=True)
        os.chroot(new_root)
    # The copy writes its number there; the test finds it by this process's working directory.
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
