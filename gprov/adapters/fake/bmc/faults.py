"""How a simulated management controller misbehaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BUSY = 0xC0

# Network function and command.
CommandKey = tuple[int, int]


@dataclass(kw_only=True)
class BmcFaults:
    """``busy``: how many of the next requests are answered with ``busy_code``; ``silent``: how many get no answer.
    ``codes``: completion code of a command, instead of carrying it out. ``sizes``: how many bytes of data its response
    has, cut or filled with zeros.

    ``short_passwords``: passwords of 16 bytes only. ``cuts_passwords``: takes 20 bytes and keeps 16 of them.
    ``forgets_passwords``, ``forgets_names``, ``forgets_access``: claims to have set them. ``accepts_any``: every
    comparison succeeds. ``unnamed_slots``: their name can be neither read nor set, as if there were no account.
    ``keeps_enabled``: accounts that it does not disable and says so; ``stays_enabled``: claims to have disabled them.
    ``fixed_access``: accounts whose rights it does not change, and says so. ``silent_status``: it does not say which
    accounts are enabled, as IPMI 1.5 had it."""

    busy: int = 0
    busy_code: int = BUSY
    silent: int = 0
    codes: Mapping[CommandKey, int] = field(default_factory=dict)
    sizes: Mapping[CommandKey, int] = field(default_factory=dict)
    short_passwords: bool = False
    cuts_passwords: bool = False
    forgets_passwords: bool = False
    forgets_names: bool = False
    forgets_access: bool = False
    accepts_any: bool = False
    unnamed_slots: frozenset[int] = frozenset()
    keeps_enabled: frozenset[int] = frozenset()
    stays_enabled: frozenset[int] = frozenset()
    fixed_access: frozenset[int] = frozenset()
    silent_status: bool = False
