"""Who a unit is on a network: everything that follows from its serial number."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gprov.domain.branding import Branding

_LONGEST = 63  # of one label of a host name (RFC 1123, section 2.1)
_DIGEST = 8


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """``machine_id``: 32 hex digits (machine-id(5))."""

    hostname: str
    machine_id: str
    serial: str


def host_identity(serial: str, branding: Branding) -> HostIdentity:
    """The same serial number always gives the same identity. The machine ID only depends on the serial number."""
    hostname = _hostname(branding.hostname_prefix, serial)
    digest = hashlib.sha1((serial + serial).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return HostIdentity(hostname, digest[:32], serial)


def _hostname(prefix: str, serial: str) -> str:
    """Prefix and serial number in lower case; what a host name cannot hold becomes "-", and "0" at either end.
    One that would be too long ends in a digest of the whole, so that two long serial numbers stay apart."""
    name = re.sub(r"[^a-z0-9-]", "-", _lower(prefix + serial)) or "0"
    if len(name) > _LONGEST:
        digest = hashlib.sha256(f"{prefix}{serial}".encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[: _LONGEST - _DIGEST - 1]}-{digest[:_DIGEST]}"
    if name.startswith("-"):
        name = f"0{name[1:]}"
    return f"{name[:-1]}0" if name.endswith("-") else name


def _lower(text: str) -> str:
    # Only ASCII: the lower case of some letters (the Kelvin sign) is an ASCII letter that the serial does not have.
    return "".join(letter.lower() if letter.isascii() else "-" for letter in text)
