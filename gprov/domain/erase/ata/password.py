"""The password that gprov sets for a security erase. It is fixed and public: it protects nothing, and a drive that an
interrupted erase left locked can be unlocked with it by any program.

As 32 bytes of ASCII, filled with zeros: ``hdparm --user-master u --security-unlock gprov-erase``.
"""

from __future__ import annotations

from gprov.domain.formats.ata.security_data import SecurityData, security_sector

ERASE_PASSWORD = "gprov-erase"  # noqa: S105 - public by intent


def by_hand(node: str) -> str:
    """How a person removes it, if a drive did not answer. ``node``: device file."""
    words = "hdparm --user-master u"
    return (
        f"To remove it: {words} --security-unlock {ERASE_PASSWORD} {node}; {words} --security-disable {ERASE_PASSWORD} "
        f"{node}; or erase the disk again"
    )


def password_sector(*, enhanced: bool = False) -> bytes:
    """User password, security level high. ``enhanced``: mode of SECURITY ERASE UNIT."""
    return security_sector(SecurityData(ERASE_PASSWORD.encode(), enhanced=enhanced))
