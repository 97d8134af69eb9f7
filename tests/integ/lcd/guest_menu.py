"""Program of a guest: a menu on the display of this machine; prints each key, ends after EXIT."""

from __future__ import annotations

import select
import time

from gprov.adapters.linux.lcd.discovery import find_ports
from gprov.adapters.linux.lcd.display import CrystalfontzDisplay
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.display.keys import Key
from gprov.domain.display.views import MenuView

ITEMS = ("Resume", "Restore")
_SECONDS = 120.0


def main() -> None:
    display = CrystalfontzDisplay(
        lambda: find_ports("/sys", "/dev", ("QEMU",)), SystemClock(), ThreadBackground(), print
    )
    display.show(MenuView("Choose", ITEMS, 0))
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        descriptor = display.fileno()
        select.select([descriptor] if descriptor >= 0 else [], [], [], 0.5)
        for key in display.read():
            print(f"KEY {key}", flush=True)
            if key is Key.EXIT:
                display.close()
                return
    raise SystemExit("no EXIT")


if __name__ == "__main__":
    main()
