"""``shell_access.json`` on RECOVERY: counts wrong passwords at the recovery shell, for the pause before the next one.

The pause is waited for anew at every start of the unit, since a unit's clock may be wrong: switching it off and on does
not shorten it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from gprov.domain.formats.json.reading import finish, read_object

VERSION = 1
# Attempts before the unit restarts.
ATTEMPTS_PER_START = 3
LOCK_SECONDS = 900.0
_MAX_COUNT = 1000
# The pause doubles with each wrong password, from two seconds on; after this many, access is locked.
_LOCKED_AFTER = 10


@dataclass(frozen=True, slots=True)
class ShellAccess:
    """``failures``: wrong passwords since the last right one."""

    failures: int = 0

    @property
    def pause(self) -> float:
        """Seconds before the next attempt."""
        if self.failures >= _LOCKED_AFTER:
            return LOCK_SECONDS
        return 2.0**self.failures if self.failures else 0.0

    @property
    def locked(self) -> bool:
        return self.failures >= _LOCKED_AFTER

    def with_failure(self) -> ShellAccess:
        return ShellAccess(min(self.failures + 1, _MAX_COUNT))


# In place of a record that cannot be read: a damaged file must not allow fast attempts.
UNKNOWN = ShellAccess(_LOCKED_AFTER)


def parse_shell_access(source: str, data: bytes) -> ShellAccess:
    """``source`` names the file. Raises BadInput."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > VERSION:
        root.problem("Version", f"is newer than {VERSION}")
    access = ShellAccess(min(root.integer("Failures", required=True, minimum=0), _MAX_COUNT))
    return finish(source, root, access)


def serialise_shell_access(access: ShellAccess) -> bytes:
    """Inverse of ``parse_shell_access``."""
    document = {
        "_comment": "gprov: wrong passwords at the recovery shell; delete this file to reset the count",
        "Version": VERSION,
        "Failures": access.failures,
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")
