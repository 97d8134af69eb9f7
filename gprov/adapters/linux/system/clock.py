"""Clock port: the system clocks and the hardware clock."""

from __future__ import annotations

import os
import struct
import time

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.ports.clock import Clock

# linux/rtc.h: _IOW('p', 0x0a, struct rtc_time); nine ints: second, minute, hour, day, month (0-11), year - 1900,
# day of week, day of year, daylight saving
RTC_SET_TIME = 0x4024700A
_RTC_TIME = struct.Struct("9i")
_NS = 1_000_000_000


class SystemClock(Clock):
    def __init__(self, rtc: str = "/dev/rtc0") -> None:
        self._rtc = rtc

    @override
    def now_ns(self) -> int:
        return time.time_ns()

    @override
    def monotonic(self) -> float:
        return time.monotonic()

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    @override
    def set(self, time_ns: int) -> None:
        """Sets the system clock first: without a hardware clock (DeviceMissing) the system time is right
        nevertheless."""
        try:
            time.clock_settime_ns(time.CLOCK_REALTIME, time_ns)
        except OSError as exc:
            raise fault_from_oserror("system clock", "cannot set", exc) from exc
        except (OverflowError, ValueError) as exc:
            raise DeviceFault("system clock", f"cannot set: no such time: {time_ns}") from exc
        self._set_rtc(time_ns)

    def _set_rtc(self, time_ns: int) -> None:
        import fcntl

        try:
            rtc = os.open(self._rtc, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.ioctl(rtc, RTC_SET_TIME, rtc_time(time_ns))
            finally:
                os.close(rtc)
        except OSError as exc:
            raise fault_from_oserror(self._rtc, "cannot set the hardware clock", exc) from exc


def rtc_time(time_ns: int) -> bytes:
    """struct rtc_time for an instant, to the nearest second. The kernel ignores the last three fields."""
    utc = time.gmtime((time_ns + _NS // 2) // _NS)
    return _RTC_TIME.pack(utc.tm_sec, utc.tm_min, utc.tm_hour, utc.tm_mday, utc.tm_mon - 1, utc.tm_year - 1900, 0, 0, 0)
