"""What a failure means and what to do, by the text of the error that a unit reported last.

The texts are those of the exceptions that programs of a unit raise (``gprov.domain.errors``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.factory.replies import Refusal


@dataclass(frozen=True, slots=True)
class Advice:
    """``label``: the kind of failure, in tables and charts. ``aborted``: the run was ended and says nothing about the
    unit."""

    label: str
    action: str
    aborted: bool = False


OTHER = Advice("Other", "Read the unit's log from the first ERROR on.")
NO_ERROR = Advice(
    "No error in the log",
    "The unit reported the failure without an error, or its log is no longer kept. Read the end of its log.",
)

_MISMATCH = Advice(
    "Hardware is not as specified",
    "Compare required and detected hardware: replace the part, or correct this platform's ValidationData in "
    "manufData.json.",
)
_UNIDENTIFIED = Advice(
    "Not identified",
    "Board, product or serial number match no entry of appliance.json. The unit's document identity.json has them: "
    "add an entry, or correct the firmware's fields.",
)
_SPECIFICATION = Advice("No specification", "Add an entry for this platform to ValidationData in manufData.json.")
_BURN_IN = Advice(
    "Burn-in failed", "See its document burn-in.json for what exceeded its limit. Replace the part and repeat."
)
_BURN_IN_ABORTED = Advice(
    "Burn-in aborted", "The unit is neither good nor bad. Start provisioning again.", aborted=True
)
_AS_ASKED = Advice(
    "Ended as asked",
    "A setting ends provisioning here: ApplianceJsonUrl in manufData.json or a test switch in the kernel arguments.",
    aborted=True,
)
_PASSWORDS = Advice(
    "Passwords refused",
    "Was this unit provisioned before, or is another machine using its serial number? If all is well, reopen its "
    "passwords, then start provisioning again.",
)
_START = Advice(
    "Start refused",
    "The unit's one-time token is missing, expired or used. Start the unit again over the network; if that repeats, "
    "issue a token for it.",
)
_DOWNLOAD = Advice(
    "Download is damaged",
    "The file differs from its SHA-256 in manufData.json: put the right file into files/, or correct the hash.",
)
_MEDIUM = Advice("RECOVERY medium is defective", "It does not return what was written. Replace the RECOVERY disk.")
_NO_IMAGE = Advice("No good image", "No image on RECOVERY passed its verification. Provision the unit again.")
_NETWORK = Advice(
    "Network",
    "Check cable, switch port and DHCP, and that the server of the address in the error answers. Then start again.",
)
_TOOL = Advice("Program is missing", "Add the program to the initramfs of provisioning, or correct the step.")
_BMC = Advice(
    "Management controller",
    "Wait until the controller has started, or unplug the unit for a minute. Then start provisioning again.",
)
_DATA = Advice(
    "Factory data has mistakes",
    "Correct manufData.json, appliance.json or the kernel arguments at the place that the error names.",
)
_DISKS = Advice(
    "Disks",
    "Check that all disks are plugged in and are those of the platform; an unstable one comes and goes in the log.",
)
_STEP = Advice("Step or tool failed", "Read the output of the program in the log, before the first ERROR.")
_TIME = Advice("Time limit", "Something took too long. Start again; if it repeats, read the log before the ERROR.")
_DEFECT = Advice("Defect in gprov", "Keep the unit's log and report it to those who keep gprov. Start again meanwhile.")

_START_REFUSALS = (Refusal.START_MISSING, Refusal.START_UNKNOWN, Refusal.START_EXPIRED, Refusal.START_USED)


def _sentences(*refusals: Refusal) -> str:
    return "|".join(re.escape(refusal.sentence) for refusal in refusals)


# The first that is found in the text.
_KNOWN = tuple(
    (re.compile(pattern, re.IGNORECASE), advice)
    for pattern, advice in (
        (r"^burn-in aborted", _BURN_IN_ABORTED),
        (r"going no further, as asked", _AS_ASKED),
        (r"^burn-in", _BURN_IN),
        (r"is not as specified for", _MISMATCH),
        (r"^no specification for", _SPECIFICATION),
        (r"no platform matches|matches more than one platform|serial number .*is (a placeholder|')|no serial number:",
         _UNIDENTIFIED),
        (r"the fallback .* is the DevCodeName", _UNIDENTIFIED),
        (_sentences(*_START_REFUSALS), _START),
        (_sentences(*Refusal), _PASSWORDS),
        (r"the medium gives back other bytes", _MEDIUM),
        (r"no good image", _NO_IMAGE),
        (r"(SHA-?256|SHA-?1) is [0-9a-f]+, not", _DOWNLOAD),
        (r"program is not installed", _TOOL),
        (r"^unexpected error|^internal error", _DEFECT),
        (r"\bBMC\b", _BMC),
        (r"^CustomPlatCfgSteps|^kernel arguments: |manufData\.json: |appliance\.json: |^ValidationData", _DATA),
        (r"no network interface|no interface of this unit|: status \d{3}", _NETWORK),
        (r"unreachable|Connection|resolve|refused|timed out", _NETWORK),
        (r"has this label after|disks do not settle|no disk|RECOVERY is (on|found on)|data disks", _DISKS),
        (r"not within [0-9.e+]+ s", _TIME),
        (r"exit status|ended with status|killed by signal", _STEP),
    )
)  # fmt: skip


def advise(error: str) -> Advice:
    """``error``: text of the last ERROR of the failed run, "" if there is none."""
    if not error.strip():
        return NO_ERROR
    return next((advice for pattern, advice in _KNOWN if pattern.search(error)), OTHER)
