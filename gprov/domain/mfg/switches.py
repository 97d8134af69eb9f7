"""Test switches of provisioning: the kernel argument ``PROVISION_MFG_TEST``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem


class Switch(Enum):
    """Test switches; the values are the words of the argument."""

    VERBOSE_LOGGING = "Verbose-logging"
    SKIP_NETWORKING = "Skip-networking"
    ALLOW_EXTERNAL_JSON = "Allow-external-json"
    STOP_AFTER_VALIDATE = "Stop-after-validate"
    NO_CREATE_RECOVERY = "No-create-recov"
    NO_WRITE_FILES = "No-write-files"
    NO_MANUFACTURE = "No-manufacture"
    NO_WIPE_DISKS = "No-wipe-disks"
    RAW_DMI = "Dmi-raw-output"
    NO_BURN_IN = "No-burn-in"
    NO_BIOS_PW = "No-bios-pw"
    NO_IPMI_PW = "No-ipmi-pw"


_WORDS = {switch.value.lower(): switch for switch in Switch}
_SEPARATORS = re.compile(r"[\s,;:|+]+")


@dataclass(frozen=True, slots=True)
class MfgSwitches:
    """Set of test switches; supports ``switch in switches``."""

    active: frozenset[Switch] = frozenset()

    def __contains__(self, switch: Switch) -> bool:
        return switch in self.active

    @property
    def fit_for_production(self) -> bool:
        """No switch skips a part of provisioning: a QA document may be created."""
        return self.active <= {Switch.VERBOSE_LOGGING}


def parse_switches(source: str, text: str) -> MfgSwitches:
    """Words in any case, separated by commas or blanks. ``source`` names the argument. Raises BadInput with all unknown
    words.

    Unknown words are errors: a misspelt "No-wipe-disks" must not wipe disks.
    """
    words = [word for word in _SEPARATORS.split(text) if word]
    known = ", ".join(switch.value for switch in Switch)
    problems = [Problem(word, f"is not a test switch; known: {known}") for word in words if word.lower() not in _WORDS]
    if problems:
        raise BadInput(source, problems)
    return MfgSwitches(frozenset(_WORDS[word.lower()] for word in words))
