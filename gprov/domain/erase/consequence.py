"""The warning before an erase. Apart from the other texts, since the boot menu needs it too."""

from __future__ import annotations

FIRST_SECONDS = 60.0
# A small display scrolls the long warning first.
SECOND_SECONDS = 300.0

CONSEQUENCE = (
    "Data Erase destroys ALL data on this unit and cannot be undone. It can take HOURS; after a power failure it goes "
    "on by itself. Afterwards the unit restores its system from RECOVERY. Erase everything?"
)
