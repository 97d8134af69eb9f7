"""Host identity of a unit: host name, machine ID and /etc/hosts, derived from its serial number."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from gprov.domain.branding import Branding

_MAX_LABEL = 63  # characters of one label of a host name (RFC 1123, section 2.1)
_DIGEST = 8


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """``machine_id``: 32 hex digits (machine-id(5)). ``hosts``: content of /etc/hosts."""

    hostname: str
    machine_id: str
    hosts: str
    serial: str


def host_identity(serial: str, branding: Branding) -> HostIdentity:
    """Deterministic: equal serial numbers yield equal identities. The machine ID depends on the serial number only."""
    hostname = _hostname(branding.hostname_prefix, serial)
    digest = hashlib.sha1((serial + serial).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    hosts = f"127.0.0.1   {hostname} localhost\n::1         localhost ip6-localhost ip6-loopback\n"
    return HostIdentity(hostname, digest[:32], hosts, serial)


def _hostname(prefix: str, serial: str) -> str:
    """Prefix and serial number in lower case. Invalid characters become "-", or "0" at either end. A name that is too
    long is cut and ends in a hash of the whole, so that it stays unique."""
    name = re.sub(r"[^a-z0-9-]", "-", _lower(prefix + serial)) or "0"
    if len(name) > _MAX_LABEL:
        digest = hashlib.sha256(f"{prefix}{serial}".encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{name[: _MAX_LABEL - _DIGEST - 1]}-{digest[:_DIGEST]}"
    if name.startswith("-"):
        name = f"0{name[1:]}"
    return f"{name[:-1]}0" if name.endswith("-") else name


def _lower(text: str) -> str:
    # Only ASCII: the lower case of some letters (the Kelvin sign) is an ASCII letter that the serial does not have.
    return "".join(letter.lower() if letter.isascii() else "-" for letter in text)
