"""Numbers that never go down: in a file on RECOVERY, and in further stores such as a TPM. The largest one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from typing_extensions import override

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import RATCHETS_FILE, TRUST_FOLDER
from gprov.domain.trust.ratchets import MAX_RATCHETS, RatchetValues, parse_ratchets, serialise_ratchets
from gprov.ports.files import Files
from gprov.ports.ratchets import Ratchets


class RecoveryRatchets(Ratchets):
    """``trust/ratchets.json`` on the mounted RECOVERY. A person who can write RECOVERY can also lower them."""

    def __init__(self, files: Files, recovery: str) -> None:
        self._files = files
        self._path = f"{recovery}/{TRUST_FOLDER}/{RATCHETS_FILE}"

    @override
    def read(self) -> RatchetValues:
        content = read_regular(self._files, self._path, MAX_RATCHETS)
        return parse_ratchets(self._path, content) if content is not None else RatchetValues()

    @override
    def raise_to(self, values: RatchetValues) -> None:
        """A damaged file is replaced."""
        try:
            before = self.read()
        except (BadInput, DeviceFault):
            before = None
        after = (before or RatchetValues()).raised_to(values)
        if after != before:
            self._files.replace(self._path, serialise_ratchets(after), mode=0o600)


class AllRatchets:
    """Several stores as one: a number is the largest that any store has, and is raised in all of them. A store that
    fails is reported, and the others count.

    ``more`` makes those besides RECOVERY's. What RECOVERY's file says never gets into them: a number that somebody
    wrote into the file would be in a TPM for ever. ``built_in``: of the kernel. It counts, but is stored nowhere: the
    system that came with the kernel may not have been confirmed yet.
    """

    def __init__(
        self, recovery: Ratchets, more: Callable[[], Iterable[Ratchets]], built_in: RatchetValues, bus: EventBus
    ) -> None:
        self._recovery = recovery
        self._more = tuple(more())
        self._bus = bus
        self._built_in = built_in
        self._stored = RatchetValues()
        for store in (recovery, *self._more):
            try:
                self._stored = self._stored.raised_to(store.read())
            except (BadInput, DeviceFault) as error:
                bus.error(f"a record of security versions cannot be used, others count: {error}")

    @property
    def values(self) -> RatchetValues:
        return self._built_in.raised_to(self._stored)

    def raise_to(self, values: RatchetValues) -> None:
        """What is higher already stays."""
        self._stored = self._stored.raised_to(values)
        # All of them, in case the file is damaged and has to be written anew.
        self._raise(self._recovery, self._stored)
        for store in self._more:
            self._raise(store, values)

    def _raise(self, store: Ratchets, values: RatchetValues) -> None:
        try:
            store.raise_to(values)
        except (BadInput, DeviceFault) as error:
            self._bus.error(f"a security version could not be recorded: {error}")
