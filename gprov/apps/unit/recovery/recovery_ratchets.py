"""Numbers that never go down: in a file on RECOVERY, and in further stores such as a TPM. The largest one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce

from typing_extensions import override

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.recovery_files import RATCHETS_FILE, TRUST_FOLDER
from gprov.domain.trust.ratchets import MAX_RATCHETS, RatchetValues, StoredRatchets, parse_ratchets, serialise_ratchets
from gprov.ports.files import Files
from gprov.ports.ratchets import Ratchets


class RecoveryRatchets(Ratchets):
    """``trust/ratchets.json`` on the mounted RECOVERY. A person who can write RECOVERY can also lower them."""

    def __init__(self, files: Files, recovery: str) -> None:
        self._files = files
        self._path = f"{recovery}/{TRUST_FOLDER}/{RATCHETS_FILE}"

    @override
    def read(self) -> StoredRatchets:
        content = read_regular(self._files, self._path, MAX_RATCHETS)
        if content is None:
            return StoredRatchets(RatchetValues())
        try:
            return StoredRatchets(parse_ratchets(self._path, content))
        except BadInput as error:
            return StoredRatchets(RatchetValues(), (str(error),))

    @override
    def raise_to(self, values: RatchetValues) -> None:
        """A damaged file is replaced."""
        try:
            before = self.read()
        except DeviceFault as fault:
            before = StoredRatchets(RatchetValues(), (str(fault),))
        after = before.values.raised_to(values)
        if after != before.values or before.problems:
            self._files.replace(self._path, serialise_ratchets(after), mode=0o600)


@dataclass(slots=True)
class _Store:
    """``known``: what it holds, as far as this run knows."""

    ratchets: Ratchets
    known: RatchetValues = field(default_factory=RatchetValues)

    def lacks(self, values: RatchetValues) -> bool:
        return self.known.raised_to(values) != self.known


class AllRatchets:
    """Several stores as one: a number is the largest that any store has. A store that fails is reported, and the others
    count.

    ``more`` makes those besides RECOVERY's. What RECOVERY's file says never gets into them: a number that an attacker
    wrote into the file would be in a TPM for ever. ``built_in``: of the kernel. It counts, but is stored nowhere: the
    system that came with the kernel may not have been confirmed yet.
    """

    def __init__(
        self, recovery: Ratchets, more: Callable[[], Iterable[Ratchets]], built_in: RatchetValues, bus: EventBus
    ) -> None:
        self._recovery = _Store(recovery)
        self._more = tuple(_Store(one) for one in more())
        self._bus = bus
        self._built_in = built_in
        for store in self._stores:
            try:
                found = store.ratchets.read()
            except (BadInput, DeviceFault) as error:
                found = StoredRatchets(RatchetValues(), (str(error),))
            store.known = found.values
            for problem in found.problems:
                bus.error(f"a record of security versions cannot be used, others count: {problem}")

    @property
    def values(self) -> RatchetValues:
        return self._built_in.raised_to(self._stored())

    def raise_to(self, values: RatchetValues) -> bool:
        """Raise each store that lacks these values, whatever the others have: a power cut, a TPM that was busy or is
        new, or a number that was only written into RECOVERY's file leave stores behind. Returns False if none lacks
        them. A store that fails is asked again by the next run."""
        if not any(store.lacks(values) for store in self._stores):
            return False
        for store in self._more:
            if store.lacks(values):
                self._raise(store, values)
        # Its own number may be damaged: it gets those of the others, too.
        self._raise(self._recovery, self._stored().raised_to(values))
        return True

    @property
    def _stores(self) -> tuple[_Store, ...]:
        return (self._recovery, *self._more)

    def _stored(self) -> RatchetValues:
        return reduce(RatchetValues.raised_to, (store.known for store in self._stores))

    def _raise(self, store: _Store, values: RatchetValues) -> None:
        store.known = store.known.raised_to(values)
        try:
            store.ratchets.raise_to(values)
        except DeviceMissing as missing:
            self._bus.log(f"a security version is not recorded where there is no store for it: {missing}")
        except (BadInput, DeviceFault) as error:
            self._bus.error(f"a security version could not be recorded: {error}")
