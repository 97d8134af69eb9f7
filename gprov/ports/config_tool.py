"""Configuration tools: an adopter's programs that set up the firmware or the management controller of a unit."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.mfg.config_tool import Change, StorageMode, ToolFacts
from gprov.domain.unit.credentials import Secret


class ConfigTools(Protocol):
    """``program``: as the platform table names it: an absolute path, or a name in the search path. ``unlock``: password
    that the firmware has now; None for none.

    All methods but ``installed`` raise ToolMissing, ToolFailed (also for a reply that is not of the contract), and
    ToolLocked (the firmware has another password than ``unlock``). No error contains a password.
    """

    def installed(self, program: str) -> bool: ...

    def probe(self, program: str) -> ToolFacts:
        """What the tool is and can do. Raises ToolFailed if it does not know this machine."""

    def storage_mode(self, program: str) -> StorageMode:
        """The mode that is in effect since the last restart."""

    def set_storage_mode(self, program: str, mode: StorageMode, unlock: Secret | None) -> Change: ...

    def apply(self, program: str, settings: str, unlock: Secret | None) -> Change:
        """Make the settings those of the file ``settings``, in a format of the tool's own. Applied once more, nothing
        changes."""

    def set_password(self, program: str, password: Secret, unlock: Secret | None) -> Change:
        """Set the password of the setup."""
