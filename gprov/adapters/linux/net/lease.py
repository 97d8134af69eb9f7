"""Lease events of udhcpc: the script that writes them to a pipe, and their parser."""

from __future__ import annotations

from typing import NamedTuple

from gprov.domain.unit.dhcp import DhcpEvent

EVENTS_VARIABLE = "GPROV_DHCP_EVENTS"
# Options that udhcpc does not ask for by itself: 121, and 249, which is the same for clients of Microsoft's servers.
REQUESTED_OPTIONS = ("staticroutes", "msstaticroutes")
_VARIABLES = ("ip", "subnet", "router", "dns", *REQUESTED_OPTIONS)
_END = "end"
_MAX_EVENT = 64 << 10  # bytes of one event: a DHCP packet has fewer

# Nothing but builtins of the shell, and no configuring: several clients run at once and only one may win. udhcpc puts
# the lease into the environment; what a server sent is only ever expanded inside double quotes. All these variables are
# lists of numbers: a text could contain a line "end". The pipe is opened for reading too, so that opening never waits
# for a reader.
_SCRIPT = """\
#!{shell}
printf '%s\\n' "event=$1" {values} end 1<>"${variable}"
"""


class DhcpReport(NamedTuple):
    """One event, with the lease variables that were set."""

    event: DhcpEvent
    environment: dict[str, str]


def script(shell: str) -> bytes:
    """A program for ``udhcpc -s``. ``shell``: absolute path, optionally with an argument ("/bin/busybox sh")."""
    values = " ".join(f'"{name}=${name}"' for name in _VARIABLES)
    return _SCRIPT.format(shell=shell, values=values, variable=EVENTS_VARIABLE).encode()


def take_events(received: bytes) -> tuple[list[DhcpReport], bytes]:
    """Return the complete events in ``received`` and the rest, which begins an incomplete event.

    Unknown events (of later versions of udhcpc) and malformed records are skipped.
    """
    events: list[DhcpReport] = []
    lines: list[bytes] = []
    start = end = 0
    while (newline := received.find(b"\n", end)) >= 0:
        line, end = received[end:newline], newline + 1
        if line != _END.encode():
            lines.append(line)
            continue
        report = _parse_event(lines)
        if report is not None:
            events.append(report)
        lines, start = [], end
    rest = received[start:]
    return events, rest if len(rest) <= _MAX_EVENT else b""


def _parse_event(lines: list[bytes]) -> DhcpReport | None:
    values: dict[str, str] = {}
    for line in lines:
        key, _, value = line.decode("utf-8", "replace").partition("=")
        values.setdefault(key, value.strip())
    name = values.pop("event", "")
    event = next((one for one in DhcpEvent if one.value == name), None)
    return DhcpReport(event, {key: value for key, value in values.items() if value}) if event is not None else None


def resolver_configuration(name_servers: tuple[str, ...]) -> bytes:
    """Content of resolv.conf(5): glibc uses at most three servers, and its default timeout is too long."""
    lines = [f"nameserver {address}" for address in name_servers[:3]]
    return "\n".join([*lines, "options timeout:2 attempts:2", ""]).encode()
