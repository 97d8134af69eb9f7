"""Schemas of what configuration tools print, which adopters write."""

from __future__ import annotations

from gprov.domain.mfg.config_tool import CONTRACT_VERSION, StorageMode, ToolAbility
from tools.schemas.parts import document, filled, flag, items, may, need, record, text, whole, word

PROBE = document(
    "Reply to probe",
    "What a configuration tool prints for `probe`. docs/reference/bios-tools.md",
    record(
        (
            need("contract", whole(1, CONTRACT_VERSION), "version of the contract"),
            need("tool", filled(), "name and version, for logs"),
            need("can", items(word(ability.value for ability in ToolAbility)), "what it is able to do on this machine"),
        )
    ),
)
STORAGE = document(
    "Reply to get storage",
    "What a configuration tool prints for `get storage`. docs/reference/bios-tools.md",
    record((need("value", word(mode.value for mode in StorageMode), "in effect since the last restart"),)),
)


CHANGE = document(
    "Reply to set, apply and set-password",
    "What a configuration tool prints after a change. docs/reference/bios-tools.md",
    record(
        (
            need("changed", flag(), "this call changed something"),
            need("restart", flag(), "something waits for a restart to take effect"),
            may("notes", items(text()), "for the log; the first 50 are read"),
        )
    ),
)
