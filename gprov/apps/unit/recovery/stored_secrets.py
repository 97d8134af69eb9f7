"""Secrets in their folder on RECOVERY: sealed to the TPM of the unit, or, without one, readable by root."""

from __future__ import annotations

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.recovery_files import SEALED_SUFFIX, SECRETS_FOLDER
from gprov.domain.unit.sealed_file import MAX_BYTES
from gprov.domain.unit.secret_file import SecretFile


class StoredSecrets:
    """``recovery``: where RECOVERY is mounted."""

    def __init__(self, ports: VolumePorts, recovery: str) -> None:
        self.files = ports.files
        self.recovery = recovery
        self._sealing = ports.sealing

    def path(self, name: str) -> str:
        return f"{self.recovery}/{SECRETS_FOLDER}/{name}"

    def is_plain(self, name: str) -> bool:
        """Is it there without being sealed? Raises DeviceFault."""
        return self.files.status(self.path(name)) is not None

    def read(self, name: str, limit: int) -> bytes | None:
        """The content; None if there is none. ``limit``: of bytes that are read. What is not sealed counts first: a
        person, or an earlier version of gprov, has stored it since. Raises DeviceFault, BadInput."""
        if self.is_plain(name):
            return self.files.read(self.path(name), limit)
        path = self.path(name + SEALED_SUFFIX)
        if self.files.status(path) is None:
            return None
        return self._sealing().unseal(path, self.files.read(path, MAX_BYTES + 1))

    def protected(self, name: str, content: bytes, bus: EventBus) -> SecretFile:
        """What to store: the content as it is if it cannot be sealed, which is reported."""
        try:
            sealed = self._sealing().seal(content)
        except DeviceFault as fault:
            text = f"{SECRETS_FOLDER}/{name} on RECOVERY is not sealed, and can be read where RECOVERY can: {fault}"
            if isinstance(fault, DeviceMissing):
                bus.log(text)
            else:
                bus.warning(text)
            return SecretFile(name, content)
        bus.log(f"{SECRETS_FOLDER}/{name} on RECOVERY is sealed to the TPM of this unit")
        return SecretFile(name + SEALED_SUFFIX, sealed)
