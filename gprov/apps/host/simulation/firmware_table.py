"""The SMBIOS table of a simulated machine of some platform, and how provisioning recognises the machine by it."""

from __future__ import annotations

from collections.abc import Mapping

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.platform.identify import identify
from gprov.domain.platform.model import Platform

# Characters of a regular expression that do not stand for themselves.
_OPERATORS = str.maketrans("", "", "^$\\.*+?()[]{}|")


def build_smbios(platform: Platform, serial: str) -> bytes:
    """A table with the platform's names and processors. Its SKU number is the platform's regular expression without its
    operators: it fits if the expression is a plain text, and whatever fits any text."""
    return build_table(
        FakeSystem(
            manufacturer=platform.manufacturer,
            product=platform.product,
            serial=serial,
            sku=platform.model_regex.translate(_OPERATORS).strip(),
            chassis=("GPROV", serial),
            cpus=platform.cpu or ("Simulated CPU",),
        )
    )


def identifying_arguments(platform: Platform, smbios: bytes, serial: str) -> Mapping[str, str]:
    """Kernel arguments that provisioning needs to recognise the machine as this platform: none, or PROTO_IDENT if the
    simulated table does not have what the platform is recognised by.

    Raises HardwareMismatch if it does not have the serial number that the platform asks for.
    """
    unit = identify(parse_table(smbios), (platform,), platform.code_name)
    if unit.serial != serial:
        raise HardwareMismatch(
            f"{platform.code_name}: cannot be simulated: SerNumField is {platform.serial_field}, but simulated "
            "firmware has serial numbers of system, baseboard and chassis only"
        )
    return {"PROTO_IDENT": platform.code_name} if unit.by_fallback else {}
