"""Does what init does at the end, in a mount namespace of its own: NEW_ROOT PORT FAILS. FAILS: "no", "yes" (the root
stays) or "display" (it cannot be made). Run by test_start_display.

As on a unit, the new root has no modules of Python, and the display is found in its sysfs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gprov.adapters.linux.lcd.start_display import PID_FILE, LcdStartDisplay
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.unit.composition import adapters
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.start_texts import StartTexts
from gprov.ports.display import Display
from gprov.ports.start_display import StartDisplay


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def mount_kernel_file_systems(new_root: str, port: str) -> None:
    """The adapter of a display in sysfs, with a pseudo-terminal as its device file; /run comes last."""
    for name in ("dev", "proc", "sys"):
        mount("-t", "tmpfs", "tmpfs", f"{new_root}/{name}")
    adapter = Path(new_root, "sys/devices/usb1")
    driver = Path(new_root, "sys/bus/usb-serial/drivers/ftdi_sio")
    for folder in (adapter / "1-1:1.0/ttyUSB0", driver, Path(new_root, "dev/pts")):
        folder.mkdir(parents=True)
    (adapter / "manufacturer").write_text("Crystalfontz\n")
    (driver / "ttyUSB0").symlink_to("/sys/devices/usb1/1-1:1.0/ttyUSB0")
    mount("--bind", "/dev/pts", f"{new_root}/dev/pts")
    if port:
        Path(new_root, "dev/ttyUSB0").symlink_to(port.removeprefix("/dev/"))
    mount("-t", "tmpfs", "tmpfs", f"{new_root}/run")


def no_display(log: Callable[[str], None]) -> Display:
    """Leaves behind whether the number of the process was there."""
    Path("/run/failed").write_text(str(Path(PID_FILE).exists()))
    raise OSError("no display can be made")


def main(new_root: str, port: str, fails: str) -> None:
    mount("-t", "tmpfs", "tmpfs", new_root)
    for name in ("dev", "proc", "run", "sys"):
        Path(new_root, name).mkdir()
    if fails == "display":
        shown: StartDisplay = LcdStartDisplay(no_display, SystemClock(), new_root)
    else:
        shown = adapters.start_display(
            clock=SystemClock(), background=ThreadBackground(), arguments=BootArguments(), new_root=new_root
        )
    shown.keep_showing(StartTexts("STARTING", "UP", "SILENT"))
    if fails != "yes":
        mount_kernel_file_systems(new_root, port)
        os.chroot(new_root)
    # The copy writes its number there; the test finds it by this process's working directory.
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
