"""Emergency files on media that are plugged in during a pause: they end it, and the next start uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gprov.apps.init.emergency_search import POLL_SECONDS, EmergencySearch
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.domain.boot.facts import BootFacts
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.block import DeviceChanges
from gprov.ports.media import MediaSearch

# A stick with a loose contact, or one that is too late in each start, must not lead to restarts without a pause.
EARLIEST_SECONDS = 30.0


class PluggedIn:
    """Media that are there from the beginning are not looked at: this start did without them."""

    def __init__(
        self, ports: VolumePorts, media: Callable[[], MediaSearch], changes: DeviceChanges, context: UnitContext
    ) -> None:
        self._ports = ports
        self._changes = changes
        self._context = context
        self._search = EmergencySearch(ports, media, context)
        self._earliest = ports.clock.monotonic() + EARLIEST_SECONDS
        self._old: set[DeviceNumber] = {disk.device for disk in self._usb_disks()}

    def wait(self, seconds: float) -> bool:
        """Wait at most so long. True: there are emergency files, and the pause is over."""
        now = self._ports.clock.monotonic()
        if self._search.busy:
            seconds = min(seconds, POLL_SECONDS)
        elif self._search.request is not None:
            seconds = min(seconds, max(0.0, self._earliest - now))
        if self._changes.wait(seconds):
            self._look()
        elif self._search.busy:
            self._search.collect(self._facts())
        return self._search.request is not None and self._ports.clock.monotonic() >= self._earliest

    def close(self) -> None:
        self._search.close()

    def _look(self) -> None:
        present = self._usb_disks()
        # One that was pulled is another one when it comes back.
        self._old &= {disk.device for disk in present}
        new = tuple(disk for disk in present if disk.device not in self._old)
        self._search.update(self._facts(), volumes_of(self._ports.blocks, new, self._context.bus))

    def _usb_disks(self) -> tuple[Disk, ...]:
        return tuple(disk for disk in self._ports.blocks.disks() if disk.bus is Bus.USB)

    def _facts(self) -> BootFacts:
        """Without a root: no record tells which files were used. The next start reads it."""
        return BootFacts(arguments=self._context.arguments, elapsed=self._ports.clock.monotonic())


@contextmanager
def plugged_in_media(ports: VolumePorts, media: Callable[[], MediaSearch], context: UnitContext) -> Iterator[PluggedIn]:
    with ports.blocks.changes() as changes:
        plugged_in = PluggedIn(ports, media, changes, context)
        try:
            yield plugged_in
        finally:
            plugged_in.close()
