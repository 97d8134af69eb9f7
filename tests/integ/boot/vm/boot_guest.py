"""Process 1 of the test kernel: reads the machine through the adapters and reports the results to the host.

One line of JSON on the serial console, marked, and then power-off; the host judges. Without asserts: in the
initramfs they are compiled away.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import struct
import termios
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from gprov.adapters.linux.console.eligible import eligible_terminals
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.console.panel import LinuxPanel
from gprov.adapters.linux.events.kmsg import KmsgSink
from gprov.adapters.linux.events.sinks import ConsoleSink
from gprov.adapters.linux.filesystem.mounts import LinuxMounts
from gprov.adapters.linux.firmware.efivars import EfivarsFirmware
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.passwords import CryptPasswordHasher
from gprov.adapters.linux.system.power import SystemPower
from gprov.apps.unit.operator.dialog_operator import DialogOperator
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.boot.entries import (
    DeleteVariable,
    EspLocation,
    SetVariable,
    planned_entries,
    reconcile,
    started_by_fallback,
)
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceFault
from gprov.domain.events import Event, LogLine, Severity
from gprov.domain.formats.efi.boot_variables import boot_entries, numbers_in
from gprov.domain.formats.efi.load_option import describe_load_option
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName
from gprov.domain.unit.credentials import Secret

MARK = "GUEST-REPORT "
KEY_MARK = "PRESS-A-KEY"
RTC_RD_TIME = 0x80247009  # linux/rtc.h
NOON_NS = 1_772_366_459_000_000_000  # 2026-03-01 12:00:59 UTC
BRANDING = Branding()
# The host makes its disk so.
ESP = EspLocation(1, 2048, 131072, "0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee")

VENDOR = "5f2f1d5e-6f3a-4c52-8f5c-7f0f4d1f0a12"

Facts = dict[str, object]


def main() -> None:
    facts: Facts = {}
    try:
        mount_kernel_file_systems()
        for look in (
            command_line,
            boot_variables,
            entries,
            contract,
            full_nvram,
            consoles,
            clock,
            kernel_log,
            password,
        ):
            observe(look, facts)
    finally:
        say(MARK + json.dumps(facts))
        SystemPower().power_off()


def say(text: str) -> None:
    """To the host, whichever console the kernel has taken for its own."""
    fd = os.open("/dev/ttyS0", os.O_WRONLY | os.O_NOCTTY)
    data = f"\n{text}\n".encode()
    while data:
        data = data[os.write(fd, data) :]
    termios.tcdrain(fd)
    os.close(fd)


def observe(look: Callable[[], Facts], facts: Facts) -> None:
    try:
        facts.update(look())
    except Exception:  # noqa: BLE001 - whatever is wrong, the host is to know
        facts[f"{look.__name__} failed"] = traceback.format_exc()


def mount_kernel_file_systems() -> None:
    mounts = LinuxMounts()
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")):
        mounts.mount(kind, target, kind)
    if os.path.isdir("/sys/firmware/efi"):
        mounts.mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs")


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def command_line() -> Facts:
    text = read("/proc/cmdline")
    arguments = parse_boot_arguments(os.environ, BRANDING, text)
    return {
        "command_line": text,
        "real_root": arguments.real_root,
        "erase": arguments.erase.name,
        "restore_requested": arguments.restore_requested,
        "key_window": arguments.key_window,
    }


def snapshot() -> dict[str, Variable]:
    firmware = EfivarsFirmware()
    names = [name for name in firmware.variables() if name.vendor == EFI_GLOBAL and name.name.startswith("Boot")]
    found = {name.name: firmware.read(name) for name in names}
    return {name: variable for name, variable in found.items() if variable is not None}


def boot_variables() -> Facts:
    variables = snapshot()
    return {
        "kind": EfivarsFirmware().kind().value,
        "current": numbers_in(variables, "BootCurrent"),
        "order": numbers_in(variables, "BootOrder"),
        "entries": {number: describe_load_option(entry.data) for number, entry in boot_entries(variables).items()},
        "fallback": started_by_fallback(variables, BRANDING) if variables else None,
    }


def entries() -> Facts:
    """Put the entries right on the real firmware, twice."""
    firmware = EfivarsFirmware()
    if not firmware.variables():
        return {}
    wanted = planned_entries(BRANDING, ESP, "PROVISION_KEY_WINDOW=2.5")
    written = []
    for change in reconcile(snapshot(), wanted):
        written.append(change.describe())
        match change:
            case SetVariable(name, variable):
                firmware.write(VariableName(name), variable)
            case DeleteVariable(name):
                firmware.delete(VariableName(name))
    again = [change.describe() for change in reconcile(snapshot(), wanted)]
    return {"written": written, "written again": again, "new order": numbers_in(snapshot(), "BootOrder")}


def contract() -> Facts:
    firmware = EfivarsFirmware()
    if not firmware.variables():
        return {}
    tests = importlib.import_module("firmware_contract")
    broken: Facts = {}
    for rule in tests.CONTRACT:
        tests.clean(firmware)
        try:
            rule(firmware)
        except Exception:  # noqa: BLE001 - as above
            broken[rule.__name__] = traceback.format_exc()
    tests.clean(firmware)
    return {"contract": broken, "rules": len(tests.CONTRACT)}


def full_nvram() -> Facts:
    """Fill it up; what was refused must not be left behind."""
    firmware = EfivarsFirmware()
    if not firmware.variables():
        return {}
    names = [VariableName(f"GprovBallast{number}", VENDOR) for number in range(64)]
    reason, left_behind, stored = "", True, 0
    for name in names:
        try:
            firmware.write(name, Variable(7, bytes(16384)))
            stored += 1
        except DeviceFault as fault:
            reason, left_behind = fault.reason, name in firmware.variables()
            break
    for name in names[:stored]:
        firmware.delete(name)
    refused = ""
    try:
        firmware.write(VariableName("Boot0F0F"), Variable(7, b"\x01\0\0\0\x04\0x\0"))
    except DeviceFault as fault:
        refused = fault.reason
    return {"nvram full": reason, "nvram left behind": left_behind, "nvram malformed": refused}


def consoles() -> Facts:
    log, system_clock = ConsoleLog(), SystemClock()
    panel = LinuxPanel(system_clock, log)
    operator = DialogOperator(ShownViews(lambda: panel, system_clock), system_clock)
    sink = ConsoleSink(log)
    sink.publish(Event(1, NOON_NS, LogLine("console sink speaks", Severity.MSG)))
    sink.close()
    present = operator.is_present
    operator.show(KEY_MARK)
    return {
        "eligible": eligible_terminals("/sys", "/proc"),
        "active": read("/sys/class/tty/console/active"),
        "present": present,
        "key": operator.key_pressed(60.0) if "keytest" in read("/proc/cmdline") else None,
    }


def clock() -> Facts:
    SystemClock().set(NOON_NS)
    with open("/dev/rtc0", "rb", buffering=0) as rtc:
        second, minute, hour, day, month, year = struct.unpack_from("6i", fcntl.ioctl(rtc, RTC_RD_TIME, bytes(36)))
    hardware = datetime(year + 1900, month + 1, day, hour, minute, second, tzinfo=UTC)
    return {
        "system clock": SystemClock().now_ns() // 10**9 - NOON_NS // 10**9,
        "hardware clock": int(hardware.timestamp()) - NOON_NS // 10**9,
    }


def kernel_log() -> Facts:
    sink = KmsgSink()
    for number in range(100):
        sink.publish(Event(1, NOON_NS, LogLine(f"line {number}", Severity.WARNING)))
    sink.close()
    records = []
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    while True:
        try:
            records.append(os.read(fd, 8192).decode(errors="replace"))
        except BlockingIOError:
            break
    mine = [record for record in records if ";gprov: line " in record]
    return {"kernel log": len(mine), "kernel log priority": mine[0].split(",")[0] if mine else ""}


def password() -> Facts:
    hasher = CryptPasswordHasher()
    hashed = hasher.hash(Secret("secret"))
    return {"hash": hashed}
