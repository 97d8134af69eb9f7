"""Sections about what the server does for units: documents, passwords, network boot, erase certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.factory.netboot import check_arguments
from gprov.domain.factory.settings.kinds import Checked, Number, Section

_MINUTE_NS = 60 * 10**9
MINUTES = Number(0.01, 7 * 24 * 60)


@dataclass(frozen=True)
class Documents(Section):
    hold_minutes: Annotated[
        float, MINUTES, Doc("how long a QA document waits for the first restore, before it is discarded")
    ] = 20.0

    @property
    def hold_ns(self) -> int:
        return round(self.hold_minutes * _MINUTE_NS)


@dataclass(frozen=True)
class CredentialTimes(Section):
    minutes: Annotated[float, MINUTES, Doc("how long after reporting `MFG_STARTED` a unit gets its passwords")] = 240.0

    @property
    def window_ns(self) -> int:
        return round(self.minutes * _MINUTE_NS)


def _boot_arguments(text: str) -> str:
    return check_arguments("boot_arguments", text)


BOOT_ARGUMENTS = Checked(fit=_boot_arguments, empty=True)
ISSUER = Checked(most=200)


@dataclass(frozen=True)
class NetworkBoot(Section):
    boot_arguments: Annotated[
        str,
        BOOT_ARGUMENTS,
        Doc("further kernel arguments of provisioning, for machines that start over the network"),
    ] = ""


@dataclass(frozen=True)
class Certificates(Section):
    issuer: Annotated[str, ISSUER, Doc("name of the issuer in erase certificates")] = "gprov factory server"
