"""Looking for emergency files on removable volumes, beside the search for the root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.domain.boot.args import EmergencyPolicy
from gprov.domain.boot.facts import BootFacts, Flag, Found, Mounted
from gprov.domain.disk.model import Bus, Disk, Volume
from gprov.domain.disk.recovery_label import could_be_recovery
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import EMERGENCY_RECORD, RECOVERY_PATH_FILE

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.emergency.media import EmergencyFile, MediaContents
    from gprov.domain.emergency.request import EmergencyRequest
    from gprov.ports.media import MediaSearch, MediaTask

# A search that takes longer is ended: the device does not answer, or its file system is damaged.
_SEARCH_SECONDS = 30.0
# Volumes that are searched during one boot. The limit bounds what a stick with hundreds of partitions can cause.
_MOST_VOLUMES = 16
# Time between two looks at searches that are under way.
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _Search:
    volume: Volume
    task: MediaTask
    began: float


class EmergencySearch:
    """Each volume is searched once, as soon as it appears, in the background. ``media`` makes the port, which a boot
    without removable volumes needs only to see that none is coming. ``elapsed``: seconds since the boot began."""

    def __init__(self, ports: VolumePorts, media: Callable[[], MediaSearch], context: UnitContext) -> None:
        self._ports = ports
        self._make_media = media
        self._media: MediaSearch | None = None
        self._context = context
        self._policy = context.arguments.emergency
        self._running: dict[str, _Search] = {}
        self._found: dict[str, tuple[EmergencyFile, ...]] = {}
        self._refused: set[str] = set()
        self._reported: set[str] = set()
        self.request: EmergencyRequest | None = None

    @property
    def busy(self) -> bool:
        """Is a volume being searched?"""
        return bool(self._running)

    def update(self, facts: BootFacts, volumes: Iterable[Volume] | None) -> BootFacts:
        """Start and collect searches. ``volumes``: those found by a scan of all devices just now; None: scan."""
        if self._policy is EmergencyPolicy.OFF:
            return facts
        self._start_searches(self._scan() if volumes is None else volumes, facts.elapsed)
        return self.collect(facts)

    def collect(self, facts: BootFacts) -> BootFacts:
        """Collect the results of searches, without looking for new volumes."""
        if self._policy is EmergencyPolicy.OFF:
            return facts
        for key, search in tuple(self._running.items()):
            self._poll(key, search, facts.elapsed)
        self.request = self._choose(facts) if any(self._found.values()) else None
        files = tuple(file.describe() for file in self.request.files) if self.request is not None else ()
        searched = not self._running and not self._pending(facts)
        return replace(facts, emergency_files=files, emergency_searched=searched)

    def refuse(self, request: EmergencyRequest) -> None:
        """Ignore the files of this request until the next boot."""
        self._refused |= request.marks

    def close(self) -> None:
        """End the searches that are under way."""
        for search in self._running.values():
            search.task.stop()
        self._running.clear()

    def _scan(self) -> tuple[Volume, ...]:
        """The volumes on USB disks."""
        disks: tuple[Disk, ...] = tuple(disk for disk in self._ports.blocks.disks() if disk.bus is Bus.USB)
        return volumes_of(self._ports.blocks, disks, self._context.bus)

    def _start_searches(self, volumes: Iterable[Volume], elapsed: float) -> None:
        label = self._context.branding.recovery_label
        usb = [volume for volume in volumes if volume.disk.bus is Bus.USB]
        recovery = {volume.disk.device for volume in usb if could_be_recovery(volume, label)}
        usb = [volume for volume in usb if volume.disk.device not in recovery]
        present = {volume.stable_id for volume in usb}
        self._forget(present)
        if not usb:
            return
        from gprov.domain.emergency.media import searched_volumes

        for volume in searched_volumes(usb, self._context.branding):
            if volume.stable_id not in self._running and volume.stable_id not in self._found:
                self._start(volume, elapsed)

    def _start(self, volume: Volume, elapsed: float) -> None:
        if len(self._running) + len(self._found) >= _MOST_VOLUMES:
            self._report(f"only {_MOST_VOLUMES} removable volumes are searched for emergency files")
            return
        prefix = self._context.branding.emergency_prefix
        try:
            task = self._search_port().start(volume.node, volume.contents.kind, prefix)
        except DeviceFault as fault:
            self._report(f"{volume.node} is not searched for emergency files: {fault}")
            self._found[volume.stable_id] = ()
            return
        self._running[volume.stable_id] = _Search(volume, task, elapsed)

    def _forget(self, present: set[str]) -> None:
        """Drop what is known of volumes that are gone."""
        for key in self._running.keys() - present:
            self._running.pop(key).task.stop()
        for key in self._found.keys() - present:
            del self._found[key]

    def _poll(self, key: str, search: _Search, elapsed: float) -> None:
        contents = search.task.poll()
        if contents is None and elapsed - search.began < _SEARCH_SECONDS:
            return
        del self._running[key]
        node = search.volume.node
        if contents is None:
            search.task.stop()
            self._report(f"{node} did not answer for {_SEARCH_SECONDS:g} s: not searched for emergency files")
            self._found[key] = ()
            return
        if contents.problem:
            self._report(f"{node}, searched for emergency files: {contents.problem}")
        self._found[key] = self._classified(search.volume, contents)

    def _classified(self, volume: Volume, contents: MediaContents) -> tuple[EmergencyFile, ...]:
        from gprov.domain.emergency.media import chain_on_media, classify, is_beside_images

        branding = self._context.branding
        found: list[EmergencyFile] = []
        for file in contents.files:
            if is_beside_images(file.name, branding):
                continue
            try:
                found.append(classify(volume, file, branding))
            except BadInput as error:
                self._report(f"not used as an emergency file: {error}")
        chain = chain_on_media(branding)
        if not any(file.image for file in found) and any(file.name == chain for file in contents.files):
            self._report(f"{volume.node}: {chain} is not used without an image: copy one beside it")
        return tuple(found)

    def _choose(self, facts: BootFacts) -> EmergencyRequest | None:
        from gprov.domain.emergency.request import choose

        files = [file for found in self._found.values() for file in found]
        done = self._marks_on_root(facts)
        for file in files:
            if file.mark in done:
                self._report(f"{file.describe()} is ignored: this unit was restored while it was plugged in. Remove it")
        choice = choose(files, self._policy, self._refused | done)
        for note in choice.notes:
            self._report(note)
        return choice.request

    def _marks_on_root(self, facts: BootFacts) -> frozenset[str]:
        """Marks of the files that were plugged in when the system on the root was restored."""
        from gprov.domain.emergency.request import RECORD_BYTES, parse_record

        if not _is_usable(facts):
            return frozenset()
        path = f"{self._context.mount_points.root}{self._context.branding.config_folder}/{EMERGENCY_RECORD}"
        files = self._ports.files
        try:
            return parse_record(path, files.read(path, RECORD_BYTES)) if files.status(path) is not None else frozenset()
        except (BadInput, DeviceFault) as error:
            # An unreadable record must not lead to one restore after another.
            self._report(f"emergency files are ignored: {error}")
            return frozenset(file.mark for found in self._found.values() for file in found)

    def _pending(self, facts: BootFacts) -> bool:
        """Is USB storage about to become a disk, other than RECOVERY's? Not asked after the limit of the search."""
        if facts.elapsed >= facts.arguments.emergency_wait:
            return False
        coming = self._search_port().pending()
        if not coming:
            return False
        recovery = self._recovery_path(facts)
        return any(not f"{recovery}/".startswith(f"{path}/") for path in coming)

    def _recovery_path(self, facts: BootFacts) -> str:
        """``Disk.path`` of RECOVERY's disk when the system on the root was restored; "" if it is not known."""
        if not _is_usable(facts):
            return ""
        config = f"{self._context.mount_points.root}{self._context.branding.config_folder}"
        try:
            return self._ports.files.read(f"{config}/{RECOVERY_PATH_FILE}", 4096).decode(errors="replace").strip()
        except DeviceFault:  # restored by an older version, or RECOVERY is not attached by USB
            return ""

    def _search_port(self) -> MediaSearch:
        if self._media is None:
            self._media = self._make_media()
        return self._media

    def _report(self, text: str) -> None:
        """Once per boot."""
        if text not in self._reported:
            self._reported.add(text)
            self._context.bus.warning(text)


def _is_usable(facts: BootFacts) -> bool:
    """Is a root mounted that has its flag file?"""
    root = facts.root
    return isinstance(root, Found) and isinstance(root.mount, Mounted) and root.mount.flag is Flag.PRESENT
