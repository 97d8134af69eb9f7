"""Program of a guest: how long it takes to close the port of a display that does not read, in seconds: CLOSE with the
driver's setting, then with ours; and the whole adapter of displays: SHOWN."""

from __future__ import annotations

import fcntl
import os
import struct
import time

from gprov.adapters.linux.lcd.discovery import find_ports
from gprov.adapters.linux.lcd.display import CrystalfontzDisplay
from gprov.adapters.linux.lcd.port import open_port
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.display.views import MessageView

_SECONDS = 60.0
_TIOCGSERIAL = 0x541E


def closing_wait(fd: int) -> int:
    """In hundredths of a second, 65535: none. Offset in struct serial_struct on x86-64, by the C compiler: 40."""
    return int(struct.unpack_from("<H", fcntl.ioctl(fd, _TIOCGSERIAL, bytes(72)), 40)[0])


def unread(fd: int) -> None:
    """Bytes for the display, which stay in the driver."""
    os.write(fd, bytes(256))


def main() -> None:
    end = time.monotonic() + _SECONDS
    while not (ports := find_ports("/sys", "/dev")):
        assert time.monotonic() < end, "no adapter"
        time.sleep(0.1)
    [path] = ports
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    print("WAIT", closing_wait(fd))
    unread(fd)
    started = time.monotonic()
    os.close(fd)
    print(f"CLOSE {time.monotonic() - started:.2f}", flush=True)
    with open_port(path) as port:
        port.write(bytes(256))
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        print("WAIT", closing_wait(fd))
        os.close(fd)
        started = time.monotonic()
    print(f"CLOSE {time.monotonic() - started:.2f}", flush=True)
    display = CrystalfontzDisplay(lambda: ports, SystemClock(), ThreadBackground(), print)
    display.show(MessageView("Starting"))
    time.sleep(1.0)
    started = time.monotonic()
    display.close()
    print(f"SHOWN {time.monotonic() - started:.2f}", flush=True)


if __name__ == "__main__":
    main()
