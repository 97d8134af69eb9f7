"""Secrets as files in RECOVERY's folder of secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.recovery_files import SEALED_SUFFIX


@dataclass(frozen=True, slots=True)
class SecretFile:
    """``name``: in the folder; with ``SEALED_SUFFIX`` if the content is sealed to the unit's TPM."""

    name: str
    content: bytes = field(repr=False)

    @property
    def sealed(self) -> bool:
        return self.name.endswith(SEALED_SUFFIX)


@dataclass(frozen=True, slots=True)
class ReplacedSecret:
    """``plain_text``: path of the file, relative to RECOVERY, that holds the secret until ``file`` does."""

    file: SecretFile
    plain_text: str
