"""Configures addresses and routes of an interface with the program ip (iproute2, or busybox' applet)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gprov.adapters.linux.net.lease import resolver_configuration
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import GprovError, NetworkFault, ToolMissing
from gprov.domain.unit.dhcp import Action, AddAddress, ClearAddresses, DropRoute, SetRoute, UseNameServers
from gprov.domain.unit.lease import DEFAULT, Route
from gprov.ports.process import Processes

_SECONDS = 10.0


class Configurator:
    """Carries out actions of ``gprov.domain.unit.dhcp``. Used by one thread at a time."""

    def __init__(self, processes: Processes, resolv_conf: str) -> None:
        self._processes = processes
        self._resolv_conf = resolv_conf

    def carry_out(self, actions: Iterable[Action]) -> tuple[str, ...]:
        """Stops at the first failed action. Raises NetworkFault, DeviceFault (resolv.conf), ToolMissing.

        Returns the errors of routes that are not the default route: the network can be used without them."""
        warnings = []
        for action in actions:
            try:
                self._carry_out(action)
            except NetworkFault as exc:
                if not isinstance(action, (SetRoute, DropRoute)) or action.route.destination == DEFAULT:
                    raise
                warnings.append(f"route to {action.route.destination}: {exc}")
        return tuple(warnings)

    def _carry_out(self, action: Action) -> None:
        match action:
            case ClearAddresses(interface):
                self._ip("addr", "flush", "dev", interface)
            case AddAddress(interface, address, prefix):
                self._ip("addr", "add", f"{address}/{prefix}", "brd", "+", "dev", interface)
            case SetRoute(interface, route):
                self._ip("route", "replace", *_words(route), "dev", interface)
            case DropRoute(interface, route):
                self._ip("route", "del", *_words(route), "dev", interface)
            case UseNameServers(addresses):
                write_whole(self._resolv_conf, resolver_configuration(addresses))

    def _ip(self, *words: str) -> None:
        try:
            self._processes.run([*program(self._processes, "ip"), *words], timeout=_SECONDS)
        except ToolMissing:
            raise
        except GprovError as exc:
            raise NetworkFault(words[-1], f"cannot be configured: {exc}") from exc


def program(processes: Processes, name: str) -> list[str]:
    """Start of the command line for a program that may be available as busybox applet only."""
    return [name] if processes.which(name) else ["busybox", name]


def write_whole(path: str, content: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically. Not flushed: it is needed during this boot only."""
    temporary = f"{path}.new"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(temporary, path)
    except OSError as exc:
        raise fault_from_oserror(path, "cannot write", exc) from exc


def _words(route: Route) -> tuple[str, ...]:
    return (route.destination, "via", route.gateway) if route.gateway else (route.destination,)
