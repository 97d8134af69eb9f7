"""Secrets in their folder on RECOVERY: sealed to the TPM of the unit, or, without one, readable by root."""

from __future__ import annotations

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.recovery_files import ADMIN_HASH, SEALED_SUFFIX, SECRETS_FOLDER, UNIT_KEY
from gprov.domain.unit.sealed_file import MAX_BYTES
from gprov.domain.unit.secret_file import SecretFile
from gprov.domain.unit.unit_key import MAX_BYTES as KEY_BYTES

# How many bytes of each are read.
_SECRETS = {ADMIN_HASH: 4096, UNIT_KEY: KEY_BYTES}


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

    def read(self, name: str) -> bytes | None:
        """The content, at most its first bytes; None if there is none. What is not sealed counts first: a
        person, or an earlier version of gprov, has stored it since. Raises DeviceFault, BadInput."""
        if self.is_plain(name):
            return self.files.read(self.path(name), _SECRETS[name])
        path = self.path(name + SEALED_SUFFIX)
        if self.files.status(path) is None:
            return None
        return self._sealing().unseal(path, self.files.read(path, MAX_BYTES + 1))

    def keep_unsealed(self, bus: EventBus) -> None:
        """Before the TPM is cleared: store what is sealed to it as it is without one, until the next restore seals it
        again. What cannot be kept is reported."""
        for name in _SECRETS:
            try:
                if self.is_plain(name) or (content := self.read(name)) is None:
                    continue
                self.files.replace(self.path(name), content, mode=0o600)
                self.files.sync(f"{self.recovery}/{SECRETS_FOLDER}")
            except (BadInput, DeviceFault) as error:
                bus.warning(f"{SECRETS_FOLDER}/{name} is lost with the content of the TPM: {error}")
            else:
                bus.log(f"{SECRETS_FOLDER}/{name} on RECOVERY is unsealed until the next restore")

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
