"""Files on RECOVERY for an image that is to be restored: room for it, what belongs beside it, its name; and their
removal."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.stored_images import IsRefused, image_facts
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.source import ImageSource
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import DeviceFault
from gprov.domain.image.companions import companions_of
from gprov.domain.image.retention import PARTIAL
from gprov.domain.trust.chain import CHAIN_FILE
from gprov.domain.update.space import NoRoom, Room, make_room
from gprov.domain.update.state import UpdateState
from gprov.ports.files import Files


class NoSpace(DeviceFault):
    """RECOVERY has no room for an image, although all that may go would be removed."""


class ImagePlacement:
    def __init__(self, files: Files, system: SystemRecords, paths: UpdatePaths, context: UnitContext) -> None:
        self._files = files
        self._system = system
        self._paths = paths
        self._bus = context.bus

    def make_room(self, source: ImageSource, is_refused: IsRefused) -> None:
        """Remove old images, as a restore does, as far as the image does not fit otherwise. ``is_refused``: would a
        restore refuse an image? Raises NoSpace, without removing anything; DeviceFault."""
        files, name = self._files, source.name.filename
        if files.status(self._paths.images) is None:
            files.make_folder(self._paths.images)
        part = files.status(self._paths.part(name))
        missing = source.size - min(source.size, part.size if part is not None else 0)
        protected = frozenset(one for one in (self._system.running, name, name + PARTIAL) if one)
        facts = image_facts(files, self._paths.images, self._system.history(), protected, self._paths.branding)
        room = make_room(facts, missing)
        if room != Room(()):
            names = (image.name for image in facts.images if is_refused(image.name))
            room = make_room(replace(facts, refused=frozenset(name.filename for name in names)), missing)
        if isinstance(room, NoRoom):
            raise NoSpace(self._paths.images, room.reason)
        for removal in room.removals:
            self._bus.message(f"{removal.name} is removed: {removal.reason}")
            files.remove(self._paths.image(removal.name))

    def place_beside(self, source: ImageSource, *, with_chain: bool, keeps: bool = False) -> None:
        """Manifest and signature, before the image has its name. ``keeps``: those that are there stay. Raises
        DeviceFault."""
        paths = companions_of(self._paths.image(source.name.filename))
        contents = (source.files.manifest, source.files.signature)
        if not keeps or all(self._files.status(path) is None for path in paths):
            for path, content in zip(paths, contents, strict=True):
                if content is not None:
                    self._files.replace(path, content, mode=0o600)
                else:
                    self._files.remove(path)
        if with_chain and source.chain is not None:
            self._files.replace(self._paths.image(CHAIN_FILE), source.chain)

    def put_in_place(self, filename: str) -> bool:
        """Give the verified image its name. False if it is not there any more. Raises DeviceFault."""
        part, image = self._paths.part(filename), self._paths.image(filename)
        if self._files.status(part) is not None:
            self._files.rename(part, image)
        return self._files.status(image) is not None

    def is_stored(self, filename: str) -> bool:
        """Raises DeviceFault."""
        return self._files.status(self._paths.image(filename)) is not None

    def is_doubled(self, filename: str) -> bool:
        """A person has put an image there under the name of the one that was fetched. Raises DeviceFault."""
        return self.is_stored(filename) and self._files.status(self._paths.part(filename)) is not None

    def remove_part(self, filename: str) -> None:
        """Raises DeviceFault."""
        if filename:
            self._files.remove(self._paths.part(filename))

    def clean_up(self, state: UpdateState, running: str) -> None:
        """After an action that installed nothing: a later restore must not take its image as the newest one. What was
        on RECOVERY before stays, and what a person has put there since. Raises DeviceFault."""
        doubled = bool(state.image) and self.is_doubled(state.image)
        self.remove_part(state.image)
        if not state.image or state.kept or doubled or state.image in (running, state.previous):
            return
        image = self._paths.image(state.image)
        for path in (image, *companions_of(image)):
            self._files.remove(path)
